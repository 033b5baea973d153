package schedule

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// CatchUp says what becomes of the ticks that were missed while no scheduler ran: those after the job's last settled
// tick in the ledger. A job that the ledger does not know has missed nothing.
type CatchUp string

const (
	CatchUpNone CatchUp = ""     // They are left out: their intervals are not run.
	CatchUpLast CatchUp = "last" // One run at the newest of them, its interval reaching back over all of them.
	CatchUpAll  CatchUp = "all"  // One run each, oldest first.
)

// ParseCatchUp reads the word that a user writes; the error is a *fault.Error.
func ParseCatchUp(text string) (CatchUp, error) {
	switch text {
	case "none", "":
		return CatchUpNone, nil
	case "last", "all":
		return CatchUp(text), nil
	}
	return "", fault.New(fmt.Sprintf("catch-up %q", text), "is unknown", `use "none", "last" or "all"`)
}

// Tick is one turn of a job.
type Tick struct {
	Job      string
	At       time.Time // When it was due, UTC.
	Interval Interval  // From the tick before it to At.
	Attempt  int       // 1 for the first.
	Run      string    // The id of this attempt's run in the ledger.
}

// Work does the work of one tick. A stop of the scheduler and the job's timeout cancel the context, and the scheduler
// then waits until Work returns. A Result that comes with an error is kept with the failed run. Work tells the ledger
// itself (Ledger.Publish) when values went online.
type Work func(ctx context.Context, tick Tick) (Result, error)

// Job is work to be done again and again.
type Job struct {
	Name     string // Unique. The ledger knows the job by it: a renamed job has no past.
	Cron     string // As ParseCron reads it.
	Pipeline string
	PlanHash string // Hex.
	Reading  Reading
	Timeout  time.Duration // Of one attempt; 0 is no limit.
	Retries  int           // How often a tick that failed is tried again.
	Backoff  time.Duration // Before the first retry; doubled before each further one, up to an hour (or itself, if longer).
	CatchUp  CatchUp
	Work     Work
}

// longestBackoff bounds the doubling.
const longestBackoff = time.Hour

// backoff is how long to wait after the attempt failed.
func (j *Job) backoff(attempt int) time.Duration {
	wait := j.Backoff
	for range attempt - 1 {
		if wait >= longestBackoff {
			break
		}
		wait = min(2*wait, longestBackoff)
	}
	return wait
}

// spec is what the ledger is told of one attempt.
func (j *Job) spec(t Tick) Spec {
	return Spec{
		Pipeline: j.Pipeline, PlanHash: j.PlanHash, Reading: j.Reading, Interval: t.Interval,
		Trigger: Scheduled, Job: j.Name, Tick: t.At, Attempt: t.Attempt,
	}
}

// check adds all that is wrong with the job to the list, and reads its cron expression.
func (j *Job) check(list *fault.List) *Cron {
	thing := fmt.Sprintf("job %q", j.Name)
	wrong := func(is bool, fails, remedy string) {
		if is {
			list.Add(fault.New(thing, fails, remedy))
		}
	}
	wrong(j.Name == "", "has no name", "give it one: the ledger knows the job by it")
	wrong(j.Pipeline == "", "has no pipeline", "name the pipeline to run")
	hash, err := hex.DecodeString(j.PlanHash)
	wrong(err != nil || len(hash) == 0, fmt.Sprintf("has the plan hash %q, which is not hex", j.PlanHash),
		"give the hash of the pipeline's plan")
	wrong(j.Reading != Truth && j.Reading != Served, fmt.Sprintf("has the unknown reading %q", j.Reading),
		`use "truth" or "served"`)
	wrong(j.Timeout < 0, "has a timeout below zero", "give a duration such as 1h30m, or none")
	wrong(j.Retries < 0, "has retries below zero", "give how often to try again, or 0")
	wrong(j.Backoff < 0, "has a backoff below zero", "give a duration such as 30s, or none")
	wrong(j.CatchUp != CatchUpNone && j.CatchUp != CatchUpLast && j.CatchUp != CatchUpAll,
		fmt.Sprintf("has the unknown catch-up %q", j.CatchUp), `use "none", "last" or "all"`)
	wrong(j.Work == nil, "has no work", "set Work to the function that does it")
	cron, err := ParseCron(j.Cron)
	if err != nil {
		list.Add(fmt.Errorf("job %q: %w", j.Name, err))
	}
	return cron
}
