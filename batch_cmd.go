package spillway

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
)

func (a *App) batchCommand() *cobra.Command {
	var reading, from, to string
	var snapshot int64
	var asJSON bool
	c := &cobra.Command{
		Use:   "batch [PIPELINE…]",
		Short: "Answer over the archived history, and replace the interval's rows in the lake",
		Long: "Answer over the archived history, and replace the interval's rows in the lake.\n\n" +
			"The reading truth is what the whole history says; served is what the stream answered, derived again.\n" +
			"Times are RFC 3339, or a date alone: 2026-01-31 is its first moment in UTC.",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := schedule.ParseReading(reading)
			if err != nil {
				return err
			}
			interval, err := parseInterval(from, to)
			if err != nil {
				return err
			}
			return a.with(c, args, func(ctx context.Context, rooms *rooms) error {
				return rooms.batch(ctx, batch.Job{Reading: r, Interval: interval, Snapshot: snapshot}, asJSON)
			})
		},
	}
	c.Flags().StringVar(&reading, "reading", "truth", "truth or served")
	c.Flags().StringVar(&from, "from", "", "the first ask time, included (default: the beginning)")
	c.Flags().StringVar(&to, "to", "", "the last ask time, excluded (default: the end)")
	c.Flags().Int64Var(&snapshot, "snapshot", 0, "the archive's snapshot (default: the newest)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

// batch runs the job for each chosen pipeline, and notes it in the ledger.
func (r *rooms) batch(ctx context.Context, job batch.Job, asJSON bool) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	ledger, err := openLedger(ctx, &r.config)
	if err != nil {
		return err
	}
	defer ledger.Close()
	deps, err := r.batchDeps(lake)
	if err != nil {
		return err
	}
	for _, plan := range r.plans {
		job.Plan = plan
		show, erase := r.run(fmt.Sprintf("batch %s %s", plan.Name, job.Reading))
		deps.Progress = show
		report, err := recorded(ctx, ledger, job, deps)
		erase()
		if err != nil {
			return err
		}
		if asJSON {
			if err := json.NewEncoder(r.out).Encode(report); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(r.out, "%s %s: %d rows of %d records, from snapshot %d into %d, in %v (%v CPU, %s)\n", plan.Name, job.Reading,
			report.Written, report.Read, report.Snapshot, report.Output,
			report.Wall.Round(time.Millisecond), report.CPU.Round(time.Millisecond), humanize.IBytes(uint64(report.PeakMemory)))
		if report.Historical != 0 {
			fmt.Fprintf(r.out, "  historical values of %d keys as of %s\n", report.Published, time.UnixMicro(report.AsOf).UTC().Format(time.RFC3339))
		}
		if report.Dead > 0 {
			fmt.Fprintf(r.out, "  %d rows are withheld, since an answer does not fit its field\n", report.Dead)
		}
		if report.DeadValues > 0 {
			fmt.Fprintf(r.out, "  the historical values of %d keys are withheld, since one does not fit its field\n", report.DeadValues)
		}
	}
	return nil
}

// recorded runs the job, and publishes the historical values that it computed: they stand in the place of those before.
func recorded(ctx context.Context, ledger *schedule.Ledger, job batch.Job, deps batch.Deps) (batch.Report, error) {
	run, report, err := batch.Recorded(ctx, ledger, job, deps)
	if err == nil && report.Historical != 0 {
		err = ledger.Publish(ctx, run.ID)
	}
	return report, err
}

func (r *rooms) batchDeps(lake *lakehouse.Lake) (batch.Deps, error) {
	memory, err := humanize.ParseBytes(r.config.Memory)
	if err != nil {
		return batch.Deps{}, fault.New("memory "+r.config.Memory, "is no size", "write it as in 2GB")
	}
	temp := r.config.path("tmp")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return batch.Deps{}, fault.Wrap(err, temp, "cannot be made", "see that the data folder can be written")
	}
	return batch.Deps{Lake: lake, Memory: int64(memory), Temp: temp}, nil
}

func openLedger(ctx context.Context, c *Config) (*schedule.Ledger, error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return nil, fault.Wrap(err, "data folder "+c.DataDir, "cannot be made", "choose another with data_dir")
	}
	return schedule.Open(ctx, c.path("runs.db"), schedule.SystemClock{})
}

// parseInterval reads the bounds that a user writes; an open side is "".
func parseInterval(from, to string) (schedule.Interval, error) {
	in := schedule.Always
	for _, b := range []struct {
		flag, text string
		to         *int64
	}{{"--from", from, &in.From}, {"--to", to, &in.To}} {
		if b.text == "" {
			continue
		}
		t, err := parseTime(b.text)
		if err != nil {
			return in, fault.New(fmt.Sprintf("%s %q", b.flag, b.text), "is no time", "write it as 2026-01-31 or 2026-01-31T02:00:00Z")
		}
		*b.to = t.UnixMicro()
	}
	if in.From >= in.To {
		return in, fault.New("interval", "ends before it begins", "let --from be before --to")
	}
	return in, nil
}

func parseTime(text string) (time.Time, error) {
	if !strings.Contains(text, "T") {
		return time.Parse(time.DateOnly, text)
	}
	return time.Parse(time.RFC3339, text)
}

func (a *App) scheduleCommand() *cobra.Command {
	var catchUp string
	var retries int
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "schedule [PIPELINE…]",
		Short: "Run the batch of pipelines by the clock, as the key cron says",
		RunE: func(c *cobra.Command, args []string) error {
			policy, err := schedule.ParseCatchUp(catchUp)
			if err != nil {
				return err
			}
			return a.with(c, args, func(ctx context.Context, r *rooms) error {
				return lasting(ctx, r.schedule(ctx, schedule.Job{
					Cron: r.config.Cron, CatchUp: policy, Retries: retries, Timeout: timeout, Backoff: time.Minute,
				}))
			})
		},
	}
	c.Flags().StringVar(&catchUp, "catch-up", "last", "what to do about ticks that were missed: none, last or all")
	c.Flags().IntVar(&retries, "retries", 2, "how often a run that failed is tried again")
	c.Flags().DurationVar(&timeout, "timeout", 6*time.Hour, "how long a run may take")
	return c
}

// schedule runs a truth job for each pipeline until ctx ends.
func (r *rooms) schedule(ctx context.Context, like schedule.Job) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	ledger, err := openLedger(ctx, &r.config)
	if err != nil {
		return err
	}
	defer ledger.Close()
	deps, err := r.batchDeps(lake)
	if err != nil {
		return err
	}
	var jobs []schedule.Job
	for _, plan := range r.plans {
		job := like
		job.Name, job.Pipeline, job.PlanHash, job.Reading = plan.Name, plan.Name, plan.Hash(), schedule.Truth
		job.Work = func(ctx context.Context, tick schedule.Tick) (schedule.Result, error) {
			return scheduled(ctx, ledger, plan, tick, deps)
		}
		jobs = append(jobs, job)
	}
	s, err := schedule.New(ledger, r.log, jobs...)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// scheduled is the run of one tick. Its interval begins where the last run's ended, and ends at the tick.
func scheduled(ctx context.Context, ledger *schedule.Ledger, plan *pipeline.Plan, tick schedule.Tick, deps batch.Deps) (schedule.Result, error) {
	report, err := batch.Run(ctx, batch.Job{Plan: plan, Reading: schedule.Truth, Interval: tick.Interval, Run: tick.Run}, deps)
	if err == nil && report.Historical != 0 {
		err = ledger.Publish(ctx, tick.Run)
	}
	return report.Result(), err
}
