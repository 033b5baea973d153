package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// ledgerWait is the time between two tries to write to a ledger that refuses: another runner is at work on the same
// pipeline and reading, or the file is in trouble.
const ledgerWait = 15 * time.Second

var errTimeout = errors.New("timeout")

// settle runs the tick until it succeeds, has used up its attempts, or the context ends.
func (r *jobRunner) settle(ctx context.Context, tick Tick) {
	for tick.Attempt = 1; ; tick.Attempt++ {
		if r.attempt(ctx, tick) || tick.Attempt > r.Retries {
			return
		}
		if sleepUntil(ctx, r.clock, r.clock.Now().Add(r.backoff(tick.Attempt))) != nil {
			return
		}
	}
}

// attempt runs the tick once, from its start in the ledger to its end there. It says whether the tick needs no further
// attempt: it succeeded, or the scheduler stops.
func (r *jobRunner) attempt(ctx context.Context, tick Tick) (done bool) {
	log := r.log.With("tick", tick.At, "attempt", tick.Attempt)
	var run Run
	err := r.insist(ctx, "start the run", func(ctx context.Context) (err error) {
		run, err = r.ledger.Start(ctx, r.spec(tick))
		return err
	})
	if err != nil {
		return ctx.Err() != nil
	}
	tick.Run = run.ID
	log = log.With("run", run.ID)
	log.Info("run started", "pipeline", r.Pipeline, "reading", r.Reading, "interval", tick.Interval)

	workCtx, cancel := withTimeout(ctx, r.clock, r.Timeout)
	result, err := r.Work(workCtx, tick)
	timedOut := errors.Is(context.Cause(workCtx), errTimeout)
	cancel()

	// The end is recorded also when the scheduler stops.
	if err == nil {
		log.Info("run succeeded", "rows_read", result.RowsRead, "rows_written", result.RowsWritten)
		r.insist(ctx, "record the success", func(ctx context.Context) error {
			return r.ledger.Finish(ctx, run.ID, result)
		})
		return true
	}
	if ctx.Err() != nil {
		log.Warn("run abandoned: the scheduler stops", "error", err)
		r.insist(ctx, "record the stop", func(ctx context.Context) error {
			return r.ledger.Abandon(ctx, run.ID, fmt.Sprintf("the scheduler was stopped (%v)", err))
		})
		return true
	}
	if timedOut {
		err = fault.Wrap(err, fmt.Sprintf("job %q", r.Name), fmt.Sprintf("was cancelled after its timeout of %v", r.Timeout),
			"raise the timeout, or let it do less at a time")
	}
	log.Error("run failed", "error", err, "attempts_left", r.Retries+1-tick.Attempt)
	r.insist(ctx, "record the failure", func(ctx context.Context) error {
		return r.ledger.Fail(ctx, run.ID, result, err)
	})
	return false
}

// insist writes to the ledger, again and again while another runner is in the way or the file is in trouble. It gives up
// when the context has ended, but not before one try, and at an error that no waiting mends.
func (r *jobRunner) insist(ctx context.Context, what string, write func(context.Context) error) error {
	for {
		err := write(context.WithoutCancel(ctx))
		if err == nil {
			return nil
		}
		var running *RunningError
		if errors.As(err, &running) {
			r.log.Info("waiting for another run", "error", err)
		} else {
			r.log.Error("the ledger refuses: "+what, "error", err)
			if !isTrouble(err) {
				return err
			}
		}
		if stopped := sleepUntil(ctx, r.clock, r.clock.Now().Add(ledgerWait)); stopped != nil {
			return err
		}
	}
}
