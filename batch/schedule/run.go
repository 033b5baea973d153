package schedule

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// Reading says which of the two questions a run answers.
type Reading string

const (
	Truth  Reading = "truth"  // All valid events of the history, whenever they arrived.
	Served Reading = "served" // Exactly what the stream answered.
)

// ParseReading reads the word that a user writes; the error is a *fault.Error.
func ParseReading(text string) (Reading, error) {
	switch r := Reading(text); r {
	case Truth, Served:
		return r, nil
	}
	return "", fault.New(fmt.Sprintf("reading %q", text), "is unknown", `use "truth" or "served"`)
}

// Trigger says who asked for a run.
type Trigger string

const (
	Scheduled Trigger = "schedule" // The scheduler, at a tick of a job.
	Manual    Trigger = "manual"   // A person or another program.
)

// State is where a run stands.
type State string

const (
	Running   State = "running"   // Its runner works on it, or died and nobody has noticed yet.
	Succeeded State = "succeeded" // Its output is complete.
	Failed    State = "failed"    // The work ended with an error.
	Abandoned State = "abandoned" // Its runner was stopped or died before it ended.
)

// Spec says what a run is to do: all that is known when it starts.
type Spec struct {
	Pipeline string
	PlanHash string // The hash of the canonical plan, in hex.
	Reading  Reading
	Interval Interval
	Trigger  Trigger
	Job      string    // The job's name; "" for a manual run.
	Tick     time.Time // When the run was due; zero for a manual run.
	Attempt  int       // 1 for the first.
}

// Result is what a run did. A run that failed may have one too, as far as it came.
type Result struct {
	InputSnapshot  int64 // The lake snapshot that was read; 0 is none.
	OutputSnapshot int64 // The lake snapshot that was committed; 0 is none.
	RowsRead       int64
	RowsWritten    int64
	CPU            time.Duration // User and system time.
	PeakMemory     int64         // Bytes resident.
	Frontier       string        // The frontier of the input, as JSON; "" is none.
}

// Run is one row of the ledger.
type Run struct {
	ID string // Sorts by the order of Start.
	Spec
	State State
	Result
	Started   time.Time
	Finished  time.Time     // When it ended, or was found abandoned; zero while it runs.
	Wall      time.Duration // From Started to Finished; zero while it runs and for an abandoned run.
	Published time.Time     // When its historical values were online; zero if they never were.
	Error     string        // Why it failed or was abandoned.
	PID       int           // The process that runs it,
	Host      string        // and its host.
}

// idLayout makes ids of one length that sort as their times do.
const idLayout = "20060102T150405.000000Z"

// nextID is the id of a run that starts now, later than the id of the last run (or "").
func nextID(last string, now time.Time) string {
	t := now.UTC().Truncate(time.Microsecond)
	if l, err := time.Parse(idLayout, last); err == nil && !t.After(l) {
		t = l.Add(time.Microsecond)
	}
	return t.Format(idLayout)
}

// check says what is wrong with the specification. Only its interval and reading come from users.
func (s *Spec) check() error {
	thing := fmt.Sprintf("run of pipeline %q", s.Pipeline)
	if _, err := ParseReading(string(s.Reading)); err != nil {
		return err
	}
	if _, err := hex.DecodeString(s.PlanHash); err != nil || s.PlanHash == "" {
		return fmt.Errorf("%s: plan hash %q is not hex", thing, s.PlanHash)
	}
	switch {
	case s.Pipeline == "":
		return errors.New("run without a pipeline")
	case s.Interval.From >= s.Interval.To:
		return fault.New(thing, fmt.Sprintf("its interval %v is empty", s.Interval), "let it start before it ends")
	case s.Trigger != Scheduled && s.Trigger != Manual:
		return fmt.Errorf("%s: unknown trigger %q", thing, s.Trigger)
	case (s.Trigger == Scheduled) != (s.Job != "") || (s.Job == "") != s.Tick.IsZero():
		return fmt.Errorf("%s: a scheduled run has a job and a tick, a manual one neither", thing)
	case s.Attempt < 1:
		return fmt.Errorf("%s: attempt %d", thing, s.Attempt)
	}
	return nil
}

// RunningError refuses a Start because another run of the same pipeline and reading is running.
type RunningError struct {
	Run Run // The run that is in the way.
}

// Error names the run and its runner.
func (e *RunningError) Error() string { return e.Unwrap().Error() }

// Unwrap gives the three parts, as a *fault.Error.
func (e *RunningError) Unwrap() error {
	r := &e.Run
	return fault.New(fmt.Sprintf("pipeline %q, reading %s", r.Pipeline, r.Reading),
		fmt.Sprintf("run %s is still running (process %d on host %q, since %s)",
			r.ID, r.PID, r.Host, r.Started.Format(time.RFC3339)),
		"wait until it ends or stop that process; if its host is gone for good, mark the run as abandoned")
}

// ErrEnded is beneath the error of a transition of a run that has already ended.
var ErrEnded = errors.New("a run ends once")
