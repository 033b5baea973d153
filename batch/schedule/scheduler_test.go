package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// stage is a scheduler with one job, whose work the test does by hand: it takes each tick as it begins and answers it.
type stage struct {
	t      *testing.T
	clock  *fakeClock
	ledger *Ledger
	job    Job
	begun  chan Tick
	answer chan error
	stop   context.CancelFunc
	ended  chan error
}

// newStage has an hourly job at the time now. The scheduler does not run yet.
func newStage(t *testing.T, now string) *stage {
	s := &stage{t: t, clock: newClock(t, now), begun: make(chan Tick), answer: make(chan error)}
	s.ledger = openLedger(t, "", s.clock)
	s.job = Job{Name: "hourly", Cron: "@hourly", Pipeline: "p", PlanHash: "c0ffee", Reading: Truth, Work: s.work}
	return s
}

func (s *stage) work(ctx context.Context, tick Tick) (Result, error) {
	s.begun <- tick
	select {
	case err := <-s.answer:
		return Result{RowsRead: 7}, err
	case <-ctx.Done():
		return Result{RowsRead: 3}, ctx.Err()
	}
}

// run starts the scheduler; it is stopped when the test ends.
func (s *stage) run() {
	s.t.Helper()
	scheduler, err := New(s.ledger, slog.New(slog.DiscardHandler), s.job)
	check(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- scheduler.Run(ctx) }()
	s.ended, s.stop = ended, cancel
	s.t.Cleanup(func() {
		if s.stop != nil {
			s.halt()
		}
	})
}

// halt stops the scheduler and waits for it.
func (s *stage) halt() {
	s.t.Helper()
	s.stop()
	s.stop = nil
	if err := <-s.ended; err != nil {
		s.t.Errorf("the scheduler ended with %v", err)
	}
}

// goTo waits until the scheduler sleeps and moves the clock.
func (s *stage) goTo(now string) {
	s.t.Helper()
	s.clock.await(1)
	s.clock.set(at(s.t, now))
}

// begins takes the tick that begins and holds it against what is wanted.
func (s *stage) begins(from, to string, attempt int) Tick {
	s.t.Helper()
	tick := <-s.begun
	want := Interval{From: at(s.t, from).UnixMicro(), To: at(s.t, to).UnixMicro()}
	if tick.Job != s.job.Name || tick.Interval != want || !tick.At.Equal(at(s.t, to)) || tick.Attempt != attempt {
		s.t.Errorf("tick %+v of %v, want %v, attempt %d", tick, tick.Interval, want, attempt)
	}
	run := mustGet(s.t, s.ledger, tick.Run)
	if run.State != Running || run.Interval != want || !run.Tick.Equal(tick.At) || run.Job != s.job.Name ||
		run.Trigger != Scheduled || run.Attempt != attempt || run.Pipeline != s.job.Pipeline || run.Reading != s.job.Reading {
		s.t.Errorf("the ledger has %+v", run)
	}
	return tick
}

// rests checks that nothing is under way: the scheduler sleeps and the ledger has so many runs.
func (s *stage) rests(runs int) {
	s.t.Helper()
	s.clock.await(1)
	select {
	case tick := <-s.begun:
		s.t.Errorf("tick %+v begins", tick)
	default:
	}
	if list, err := s.ledger.List(context.Background(), "", 0); err != nil || len(list) != runs {
		s.t.Errorf("%d runs in the ledger, want %d; error %v", len(list), runs, err)
	}
}

// isState checks where the tick's run stands once the scheduler sleeps or has ended.
func (s *stage) isState(tick Tick, want State, text string) {
	s.t.Helper()
	run := mustGet(s.t, s.ledger, tick.Run)
	if run.State != want || !strings.Contains(run.Error, text) || (run.Error == "") != (text == "") {
		s.t.Errorf("run %+v, want it %s with error %q", run, want, text)
	}
}

func TestTicks(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	s.run()
	s.rests(0)
	s.goTo("2026-11-21T00:59:59.999999Z")
	s.rests(0)
	s.goTo("2026-11-21T01:00:00Z")
	first := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
	s.clock.set(at(t, "2026-11-21T01:07:00Z"))
	s.answer <- nil
	s.rests(1)
	s.isState(first, Succeeded, "")
	if run := mustGet(t, s.ledger, first.Run); run.Wall != 7*time.Minute || run.RowsRead != 7 {
		t.Errorf("%+v", run)
	}
	s.goTo("2026-11-21T02:00:03Z") // A little late: the tick keeps its time.
	second := s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 1)
	s.answer <- nil
	s.rests(2)
	s.isState(second, Succeeded, "")
	s.goTo("2026-11-20T12:00:00Z") // The clock is put back: what ran does not run again.
	s.goTo("2026-11-21T02:30:00Z")
	s.rests(2)
	s.goTo("2026-11-21T03:00:00Z")
	s.begins("2026-11-21T02:00:00Z", "2026-11-21T03:00:00Z", 1)
	s.answer <- nil
}

// seed enters a run of a past tick of the job.
func (s *stage) seed(tick string, attempt int, state State) {
	s.t.Helper()
	spec := s.job.spec(Tick{At: at(s.t, tick), Attempt: attempt, Interval: Interval{0, 1}})
	run := mustStart(s.t, s.ledger, spec)
	switch state {
	case Succeeded:
		check(s.t, s.ledger.Finish(context.Background(), run.ID, Result{}))
	case Failed:
		check(s.t, s.ledger.Fail(context.Background(), run.ID, Result{}, errors.New("broken")))
	case Abandoned:
		check(s.t, s.ledger.Abandon(context.Background(), run.ID, "stopped"))
	}
}

func TestCatchUp(t *testing.T) {
	hour := func(h int) string { return fmt.Sprintf("2026-11-21T%02d:00:00Z", h) }
	type past struct {
		hour, attempt int
		state         State
	}
	settled := []past{{3, 1, Succeeded}}
	for _, test := range []struct {
		name    string
		policy  CatchUp
		retries int
		past    []past
		want    [][2]int // The intervals that run at 06:30, in hours.
		then    [2]int   // The interval at 07:00.
	}{
		{"none", CatchUpNone, 0, settled, nil, [2]int{6, 7}},
		{"last", CatchUpLast, 0, settled, [][2]int{{3, 6}}, [2]int{6, 7}},
		{"all", CatchUpAll, 0, settled, [][2]int{{3, 4}, {4, 5}, {5, 6}}, [2]int{6, 7}},
		{"nothing missed", CatchUpAll, 0, []past{{6, 1, Succeeded}}, nil, [2]int{6, 7}},
		{"last without a past", CatchUpLast, 0, nil, nil, [2]int{6, 7}},
		{"all without a past", CatchUpAll, 0, nil, nil, [2]int{6, 7}},
		{
			"an abandoned tick is missed", CatchUpAll, 0,
			[]past{{4, 1, Succeeded}, {5, 1, Abandoned}},
			[][2]int{{4, 5}, {5, 6}},
			[2]int{6, 7},
		},
		{
			"a failed tick is settled", CatchUpAll, 0,
			[]past{{4, 1, Succeeded}, {5, 1, Failed}},
			[][2]int{{5, 6}},
			[2]int{6, 7},
		},
		{
			"unless attempts are left", CatchUpAll, 1,
			[]past{{4, 1, Succeeded}, {5, 1, Failed}},
			[][2]int{{4, 5}, {5, 6}},
			[2]int{6, 7},
		},
		{
			"or were taken", CatchUpAll, 1,
			[]past{{4, 1, Succeeded}, {5, 1, Failed}, {5, 2, Failed}},
			[][2]int{{5, 6}},
			[2]int{6, 7},
		},
		{"a tick ahead of the clock stays settled", CatchUpNone, 0, []past{{9, 1, Succeeded}}, nil, [2]int{9, 10}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, "2026-11-21T06:30:00Z")
			s.job.CatchUp, s.job.Retries = test.policy, test.retries
			for _, p := range test.past {
				s.seed(hour(p.hour), p.attempt, p.state)
			}
			other := s.job
			s.job.Name = "another"
			s.seed(hour(6), 1, Succeeded) // The past of another job says nothing.
			s.job = other
			s.run()
			for _, iv := range test.want {
				s.begins(hour(iv[0]), hour(iv[1]), 1)
				s.answer <- nil
			}
			s.rests(len(test.past) + 1 + len(test.want))
			s.goTo(hour(test.then[1]))
			s.begins(hour(test.then[0]), hour(test.then[1]), 1)
			s.answer <- nil
		})
	}
}

func TestRetries(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	s.job.Retries, s.job.Backoff = 2, 5*time.Minute
	s.run()
	s.goTo("2026-11-21T01:00:00Z")
	var ticks []Tick
	fail := func(attempt int) {
		t.Helper()
		ticks = append(ticks, s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", attempt))
		s.answer <- fmt.Errorf("broken at attempt %d", attempt)
	}
	fail(1)
	s.goTo("2026-11-21T01:04:59Z")
	s.rests(1)
	s.goTo("2026-11-21T01:05:00Z")
	fail(2)
	s.goTo("2026-11-21T01:14:59Z") // The second wait is twice the first.
	s.rests(2)
	s.goTo("2026-11-21T01:15:00Z")
	fail(3)
	s.rests(3) // No attempt is left.
	for i, tick := range ticks {
		s.isState(tick, Failed, fmt.Sprintf("broken at attempt %d", i+1))
		if run := mustGet(t, s.ledger, tick.Run); run.RowsRead != 7 {
			t.Errorf("the result of a failed run is lost: %+v", run)
		}
	}
	s.goTo("2026-11-21T02:00:00Z") // The next tick has attempts of its own.
	s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 1)
	s.answer <- errors.New("broken")
	s.goTo("2026-11-21T02:05:00Z")
	tick := s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 2)
	s.answer <- nil
	s.rests(5)
	s.isState(tick, Succeeded, "")
}

func TestBackoff(t *testing.T) {
	for _, test := range []struct {
		backoff time.Duration
		attempt int
		want    time.Duration
	}{
		{0, 9, 0},
		{time.Minute, 1, time.Minute},
		{time.Minute, 3, 4 * time.Minute},
		{time.Minute, 7, time.Hour},
		{time.Minute, 1 << 40, time.Hour},
		{2 * time.Hour, 5, 2 * time.Hour},
		{45 * time.Minute, 2, time.Hour},
	} {
		if got := (&Job{Backoff: test.backoff}).backoff(test.attempt); got != test.want {
			t.Errorf("backoff %v, attempt %d: %v, want %v", test.backoff, test.attempt, got, test.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	s.job.Timeout = 20 * time.Minute
	s.run()
	s.goTo("2026-11-21T01:00:00Z")
	tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
	s.goTo("2026-11-21T01:19:59Z")
	s.clock.await(1)
	s.isState(tick, Running, "")
	s.goTo("2026-11-21T01:20:00Z")
	s.rests(1)
	s.isState(tick, Failed, "was cancelled after its timeout of 20m0s")
	if run := mustGet(t, s.ledger, tick.Run); run.RowsRead != 3 || run.Wall != 20*time.Minute {
		t.Errorf("%+v", run)
	}
	s.goTo("2026-11-21T02:00:00Z")
	tick = s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 1)
	s.answer <- nil // In time.
	s.clock.set(at(t, "2026-11-21T03:00:00Z"))
	s.begins("2026-11-21T02:00:00Z", "2026-11-21T03:00:00Z", 1)
	s.isState(tick, Succeeded, "")
	s.halt()
	s.clock.await(0) // No timer outlives its work.
}

func TestTicksWhileTheJobRunsAreOne(t *testing.T) {
	for _, policy := range []CatchUp{CatchUpNone, CatchUpLast, CatchUpAll} {
		s := newStage(t, "2026-11-21T00:30:00Z")
		s.job.CatchUp = policy
		s.run()
		s.goTo("2026-11-21T01:00:00Z")
		s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.clock.set(at(t, "2026-11-21T04:30:00Z"))
		s.answer <- nil
		s.begins("2026-11-21T01:00:00Z", "2026-11-21T04:00:00Z", 1) // No hole is left.
		s.answer <- nil
		s.rests(2)
		s.goTo("2026-11-21T05:00:00Z")
		s.begins("2026-11-21T04:00:00Z", "2026-11-21T05:00:00Z", 1)
		s.halt()
	}
}

func TestStop(t *testing.T) {
	t.Run("cancels the work and runs it again", func(t *testing.T) {
		s := newStage(t, "2026-11-21T00:30:00Z")
		s.job.CatchUp = CatchUpLast
		s.seed("2026-11-21T00:00:00Z", 1, Succeeded)
		s.run()
		s.goTo("2026-11-21T01:00:00Z")
		tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.halt()
		s.isState(tick, Abandoned, "the scheduler was stopped")
		s.run()
		s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.answer <- nil
		s.rests(3)
	})
	t.Run("waits for work that succeeds nonetheless", func(t *testing.T) {
		s := newStage(t, "2026-11-21T00:30:00Z")
		s.job.Work = func(ctx context.Context, tick Tick) (Result, error) {
			s.begun <- tick
			<-ctx.Done()
			return Result{RowsWritten: 5}, nil
		}
		s.run()
		s.goTo("2026-11-21T01:00:00Z")
		tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.halt()
		s.isState(tick, Succeeded, "")
	})
	t.Run("while it waits for another run", func(t *testing.T) {
		s := newStage(t, "2026-11-21T00:30:00Z")
		byHand := mustStart(t, s.ledger, manual("p"))
		s.run()
		s.goTo("2026-11-21T01:00:00Z")
		s.rests(1)
		s.halt()
		s.isState(Tick{Run: byHand.ID}, Running, "")
	})
	t.Run("between attempts", func(t *testing.T) {
		s := newStage(t, "2026-11-21T00:30:00Z")
		s.job.Retries, s.job.Backoff, s.job.CatchUp = 1, time.Minute, CatchUpAll
		s.seed("2026-11-21T00:00:00Z", 1, Succeeded)
		s.run()
		s.goTo("2026-11-21T01:00:00Z")
		tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.answer <- errors.New("broken")
		s.rests(2)
		s.halt()
		s.isState(tick, Failed, "broken")
		s.run()
		s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
		s.answer <- nil
		s.rests(3)
	})
}

// TestCrashedScheduler leaves a running run behind, as kill -9 does; the next scheduler finds it.
func TestCrashedScheduler(t *testing.T) {
	s := newStage(t, "2026-11-21T02:30:00Z")
	s.job.CatchUp = CatchUpAll
	s.seed("2026-11-21T01:00:00Z", 1, Succeeded)
	dead := openLedger(t, s.ledger.path, s.clock)
	dead.self.born, dead.self.pid = "an earlier process", 1<<30
	crashed := mustStart(t, dead, s.job.spec(Tick{At: at(t, "2026-11-21T02:00:00Z"), Attempt: 1, Interval: Interval{0, 1}}))
	s.run()
	s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 1)
	s.isState(Tick{Run: crashed.ID}, Abandoned, "died before the run ended")
	s.answer <- nil
	s.rests(3)
}

func TestWaitsForAManualRun(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	byHand := mustStart(t, s.ledger, manual("p"))
	s.run()
	s.goTo("2026-11-21T01:00:00Z")
	s.rests(1)
	s.goTo("2026-11-21T01:00:15Z")
	s.rests(1)
	check(t, s.ledger.Finish(context.Background(), byHand.ID, Result{}))
	s.goTo("2026-11-21T01:00:30Z")
	s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1) // Waiting takes no attempt.
	s.answer <- nil
	s.rests(2)
}

// TestLedgerInTrouble lets the ledger refuse while a run begins and while it ends: neither is lost.
func TestLedgerInTrouble(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	s.run()
	s.clock.await(1)
	spoilWrites(t, s.ledger, "query_only = 1")
	s.goTo("2026-11-21T01:00:00Z")
	s.rests(0)
	spoilWrites(t, s.ledger, "query_only = 0")
	s.goTo("2026-11-21T01:00:15Z")
	tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
	spoilWrites(t, s.ledger, "query_only = 1")
	s.answer <- nil
	s.rests(1)
	s.isState(tick, Running, "")
	spoilWrites(t, s.ledger, "query_only = 0")
	s.goTo("2026-11-21T01:00:30Z")
	s.rests(1)
	s.isState(tick, Succeeded, "")
}

// TestRunAbandonedByHand goes on after somebody has ended its run behind its back.
func TestRunAbandonedByHand(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	s.run()
	s.goTo("2026-11-21T01:00:00Z")
	tick := s.begins("2026-11-21T00:00:00Z", "2026-11-21T01:00:00Z", 1)
	check(t, s.ledger.Abandon(context.Background(), tick.Run, "by hand"))
	s.answer <- nil
	s.rests(1)
	s.isState(tick, Abandoned, "by hand")
	s.goTo("2026-11-21T02:00:00Z")
	s.begins("2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z", 1)
	s.answer <- nil
}

// TestTicksAcrossClockChanges runs a nightly job over Berlin's two changes of 2026; the intervals join.
func TestTicksAcrossClockChanges(t *testing.T) {
	for _, test := range []struct {
		cron  string
		ticks []string
	}{
		{"CRON_TZ=Europe/Berlin @daily", []string{
			"2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z",
			"2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z",
		}},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", []string{
			"2026-03-27T01:30:00Z", "2026-03-28T01:30:00Z",
			"2026-03-30T00:30:00Z",
		}},
		{"CRON_TZ=Europe/Berlin @daily", []string{
			"2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z",
			"2026-10-25T23:00:00Z",
		}},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", []string{
			"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z",
			"2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z",
		}},
		{"30 2 * * *", []string{"2026-03-28T02:30:00Z", "2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"}},
	} {
		s := newStage(t, test.ticks[0])
		s.job.Cron = test.cron
		s.run()
		for i, tick := range test.ticks[1:] {
			s.clock.await(1)
			s.clock.set(at(t, tick).Add(-time.Second))
			s.rests(i)
			s.goTo(tick)
			s.begins(test.ticks[i], tick, 1)
			s.answer <- nil
		}
		s.halt()
	}
}

// TestJobsRunBesideEachOther holds one job's work while another's begins.
func TestJobsRunBesideEachOther(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	other := s.job
	other.Name, other.Pipeline = "other", "q"
	scheduler, err := New(s.ledger, nil, s.job, other)
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- scheduler.Run(ctx) }()
	s.clock.await(2)
	s.clock.set(at(t, "2026-11-21T01:00:00Z"))
	if a, b := <-s.begun, <-s.begun; a.Job == b.Job {
		t.Errorf("job %s began twice", a.Job)
	}
	s.answer <- nil
	s.answer <- nil
	s.clock.await(2)
	cancel()
	check(t, <-ended)
}

func TestRunWithoutALedger(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	l, err := Open(context.Background(), s.ledger.path, s.clock)
	check(t, err)
	scheduler, err := New(l, nil, s.job)
	check(t, err)
	check(t, l.Close())
	if err := scheduler.Run(context.Background()); err == nil {
		t.Error("ran with a closed ledger")
	}
}

func TestNewReportsAllThatIsWrong(t *testing.T) {
	s := newStage(t, "2026-11-21T00:30:00Z")
	good := s.job
	spoilt := Job{Cron: "61 * * * *", Reading: "truthy", Timeout: -1, Retries: -1, Backoff: -1, CatchUp: "some"}
	_, err := New(s.ledger, nil, good, spoilt, good)
	if err == nil {
		t.Fatal("made")
	}
	for _, want := range []string{
		"no name", "no pipeline", "plan hash", "reading", "timeout", "retries", "backoff", "catch-up",
		"no work", `"61 * * * *"`, `job "hourly": is there twice; give each job a name of its own`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %q:\n%v", want, err)
		}
	}
	if _, err := New(s.ledger, nil); !errors.As(err, new(*fault.Error)) {
		t.Errorf("no jobs: error %v", err)
	}
}

func TestParseWords(t *testing.T) {
	for text, want := range map[string]CatchUp{"": CatchUpNone, "none": CatchUpNone, "last": CatchUpLast, "all": CatchUpAll} {
		if got, err := ParseCatchUp(text); got != want || err != nil {
			t.Errorf("catch-up %q: %q, error %v", text, got, err)
		}
	}
	if _, err := ParseCatchUp("some"); !errors.As(err, new(*fault.Error)) {
		t.Errorf("catch-up: error %v", err)
	}
	if r, err := ParseReading("served"); r != Served || err != nil {
		t.Errorf("reading: %q, error %v", r, err)
	}
	if _, err := ParseReading("Truth"); !errors.As(err, new(*fault.Error)) {
		t.Errorf("reading: error %v", err)
	}
}
