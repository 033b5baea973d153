package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// Scheduler runs jobs when their ticks come.
type Scheduler struct {
	runners []*jobRunner
}

// New makes a scheduler of the jobs. It takes the time from the ledger's clock; a nil log is silent. The error joins one
// *fault.Error for everything that is wrong with the jobs.
func New(ledger *Ledger, log *slog.Logger, jobs ...Job) (*Scheduler, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var wrong fault.List
	s := &Scheduler{}
	if len(jobs) == 0 {
		wrong.Add(fault.New("scheduler", "has no jobs", "configure at least one"))
	}
	names := map[string]bool{}
	for _, job := range jobs {
		cron := job.check(&wrong)
		if names[job.Name] {
			wrong.Add(fault.New(fmt.Sprintf("job %q", job.Name), "is there twice", "give each job a name of its own"))
		}
		names[job.Name] = true
		s.runners = append(s.runners, &jobRunner{
			Job: job, cron: cron, ledger: ledger, clock: ledger.clock,
			log: log.With("job", job.Name),
		})
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Run runs the jobs until the context ends: each its ticks one after another, the jobs beside each other. When the
// context ends it cancels the work under way, waits for it, records it as abandoned unless it succeeded nonetheless, and
// returns nil. It returns an error at once if the ledger cannot be read; trouble of the ledger later on is logged and
// tried again until it passes.
func (s *Scheduler) Run(ctx context.Context) error {
	for _, r := range s.runners {
		if err := r.recall(ctx); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	for _, r := range s.runners {
		running.Go(func() { r.run(ctx) })
	}
	running.Wait()
	return nil
}

// jobRunner runs the ticks of one job, one after another.
type jobRunner struct {
	Job
	cron   *Cron
	ledger *Ledger
	clock  Clock
	log    *slog.Logger

	covered time.Time // The tick up to which all is run or left out; zero if the job never had one.
	single  time.Time // Up to this time each tick that was missed is run by itself.
}

// recall finds where the job stands: what is settled in the ledger, and what it has missed since.
func (r *jobRunner) recall(ctx context.Context) error {
	now := r.clock.Now()
	settled, err := r.ledger.lastSettled(ctx, r.Name, r.Retries)
	if err != nil {
		return err
	}
	r.covered, r.single = settled, time.Time{}
	if settled.IsZero() || r.CatchUp == CatchUpNone {
		r.covered = r.cron.Floor(now)
	}
	if settled.After(r.covered) {
		r.covered = settled // The clock stepped back: what is settled stays so.
	}
	if r.CatchUp == CatchUpAll {
		r.single = now
	}
	return nil
}

// run waits for each tick and settles it, until the context ends or no tick ever comes.
func (r *jobRunner) run(ctx context.Context) {
	for {
		after := r.covered
		if after.IsZero() {
			after = r.clock.Now()
		}
		at := r.cron.Next(after)
		if at.IsZero() {
			r.log.Warn("no tick comes within five years: the job rests", "cron", r.cron)
			return
		}
		if sleepUntil(ctx, r.clock, at) != nil {
			return
		}
		// More ticks may have come while the job ran, or while no scheduler did: they are one.
		if newest := r.cron.Floor(r.clock.Now()); newest.After(at) && at.After(r.single) {
			at = newest
		}
		r.settle(ctx, Tick{Job: r.Name, At: at, Interval: r.interval(at)})
		r.covered = at
	}
}

// interval is what the tick covers: all since the tick before it.
func (r *jobRunner) interval(at time.Time) Interval {
	if r.covered.IsZero() {
		return Interval{From: Beginning, To: at.UnixMicro()}
	}
	return Interval{From: r.covered.UnixMicro(), To: at.UnixMicro()}
}
