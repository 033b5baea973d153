package spillway

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/featurestore/reconcile"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

func (a *App) reconcileCommand() *cobra.Command {
	var jsonFile, htmlFile string
	var options reconcile.Options
	c := &cobra.Command{
		Use:   "reconcile PIPELINE",
		Short: "Compare what the stream answered with what the history says, and prove the cause of every difference",
		Long: "Compare what the stream answered with what the history says, and prove the cause of every difference.\n\n" +
			"It runs both readings of the batch over the newest snapshot of the archive, and compares at its frontier.\n" +
			"Exit code: 0 the stream agrees and every difference to truth is explained, 1 it does not, 2 trouble,\n" +
			"3 too little was compared to say.",
		Args: a.onePipeline,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, args, func(ctx context.Context, r *rooms) error {
				return r.reconcile(ctx, r.plans[0], options, jsonFile, htmlFile)
			})
		},
	}
	c.Flags().StringVar(&jsonFile, "json", "", "file for the report as JSON")
	c.Flags().StringVar(&htmlFile, "html", "", "file for the report as one HTML page")
	c.Flags().IntVar(&options.MaxKeys, "max-keys", 0, "how many keys are executed again at most (default: all)")
	return c
}

// reconcile compares, and ends with the report's exit code.
func (r *rooms) reconcile(ctx context.Context, plan *pipeline.Plan, o reconcile.Options, jsonFile, htmlFile string) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	deps, err := r.batchDeps(lake)
	if err != nil {
		return err
	}
	deps.Temp, err = os.MkdirTemp(deps.Temp, "reconcile-")
	if err != nil {
		return fault.Wrap(err, "temporary folder", "cannot be made", "see that the data folder can be written")
	}
	defer os.RemoveAll(deps.Temp)
	history, err := batch.Open(ctx, plan, 0, deps)
	if err != nil {
		return err
	}
	defer history.Close()
	db, err := duckdb.Open(duckdb.Config{Memory: deps.Memory, Temp: deps.Temp})
	if err != nil {
		return err
	}
	defer db.Close()
	in, err := r.sides(ctx, lake, plan, deps, history, db)
	if err != nil {
		return err
	}
	report, err := reconcile.Run(ctx, in, o)
	if err != nil {
		return err
	}
	if err := report.WriteText(r.out, columns(r.out), terminal(r.out) && os.Getenv("NO_COLOR") == ""); err != nil {
		return err
	}
	for _, f := range []struct {
		path  string
		write func(io.Writer) error
	}{{jsonFile, report.WriteJSON}, {htmlFile, report.WriteHTML}} {
		if f.path != "" {
			if err := r.toFile(f.path, f.write); err != nil {
				return err
			}
		}
	}
	if code := report.Verdict.ExitCode; code != exitOK {
		return exitCode(code)
	}
	return nil
}

// columns is how wide a terminal is, or 0 for what is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

// sides runs both readings over the history, and puts the stream's rows up to the same frontier beside them.
func (r *rooms) sides(ctx context.Context, lake *lakehouse.Lake, plan *pipeline.Plan, deps batch.Deps, history *batch.History,
	db *duckdb.DB,
) (*reconcile.Input, error) {
	snap := history.Snapshot()
	committed, err := streaming.Committed(ctx, r.source(plan, true))
	if err != nil {
		return nil, err
	}
	frontier := reconcile.Frontier{}
	for p, next := range snap.Frontier() {
		have := committed[p]
		if have.Next < next {
			return nil, fault.New("pipeline "+plan.Name, fmt.Sprintf("has answered partition %d up to offset %d, and the archive holds %d",
				p, have.Next, next), "let the stream catch up, and reconcile again")
		}
		frontier[p] = reconcile.Mark{Next: next}
	}
	served, accounts, withheld, err := r.derive(ctx, lake, plan, deps, snap, schedule.Served)
	if err != nil {
		return nil, err
	}
	truth, _, _, err := r.derive(ctx, lake, plan, deps, snap, schedule.Truth)
	if err != nil {
		return nil, err
	}
	watermarks, err := history.Watermarks(ctx)
	if err != nil {
		return nil, err
	}
	for p, w := range watermarks {
		m := frontier[p]
		m.Watermark, m.Known = w, true
		frontier[p] = m
	}
	stream, err := r.spool(ctx, plan, snap.Frontier(), deps.Temp)
	if err != nil {
		return nil, err
	}
	side := func(from string, columns *arrow.Schema) reconcile.Side {
		return reconcile.Side{PlanHash: plan.Hash(), Frontier: frontier, Rows: func(ctx context.Context) (array.RecordReader, error) {
			return sorted(ctx, db, from, columns)
		}}
	}
	live := liveSchema(plan)
	in := &reconcile.Input{
		Plan: plan, Snapshot: strconv.FormatInt(snap.ID, 10), At: time.Now(), Log: history,
		Stream: side(stream, live), Served: side(served, live), Truth: side(truth, plan.Arrow()),
	}
	in.Served.Accounts, in.Served.Withheld = accounts, withheld
	in.Stream.Accounts = streamAccounts(committed, snap.Frontier())
	return in, nil
}

// streamAccounts are those of the stream's own commit, where it stands at the frontier; else nil.
func streamAccounts(committed map[int32]streaming.Frontier, frontier lakehouse.Frontier) map[int32]kernel.Account {
	accounts := map[int32]kernel.Account{}
	for p, next := range frontier {
		if committed[p].Next != next {
			return nil
		}
		accounts[p] = committed[p].Account
	}
	return accounts
}

// derive runs a reading over the whole snapshot, and gives its rows to stand behind FROM.
func (r *rooms) derive(ctx context.Context, lake *lakehouse.Lake, plan *pipeline.Plan, deps batch.Deps, snap *lakehouse.Snapshot,
	reading schedule.Reading,
) (from string, accounts map[int32]kernel.Account, withheld int64, err error) {
	ledger, err := openLedger(ctx, &r.config)
	if err != nil {
		return "", nil, 0, err
	}
	defer ledger.Close()
	job := batch.Job{Plan: plan, Reading: reading, Interval: schedule.Always, Snapshot: snap.ID}
	show, erase := r.run(fmt.Sprintf("reconcile %s, %s", plan.Name, reading))
	deps.Progress = show
	report, err := recorded(ctx, ledger, job, deps)
	erase()
	if err != nil {
		return "", nil, 0, err
	}
	table, err := lake.ReadFeatures(ctx, plan.Name, string(reading))
	if err != nil {
		return "", nil, 0, err
	}
	at, err := table.Snapshot(ctx, report.Output)
	if err != nil {
		return "", nil, 0, err
	}
	from, err = tableOf(ctx, at)
	return from, report.Accounts, report.Dead, err
}
