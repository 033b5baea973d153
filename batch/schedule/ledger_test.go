package schedule

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// openLedger opens the ledger at path, or a new one if path is "".
func openLedger(t testing.TB, path string, clock Clock) *Ledger {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "ledger.db")
	}
	l, err := Open(context.Background(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// manual is a run by hand of the pipeline's truth over all time.
func manual(pipeline string) Spec {
	return Spec{Pipeline: pipeline, PlanHash: "c0ffee", Reading: Truth, Interval: Always, Trigger: Manual, Attempt: 1}
}

func mustStart(t testing.TB, l *Ledger, spec Spec) Run {
	t.Helper()
	run, err := l.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func mustGet(t testing.TB, l *Ledger, id string) Run {
	t.Helper()
	run, err := l.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLedgerKeepsAllOfARun(t *testing.T) {
	ctx := context.Background()
	clock := newClock(t, "2026-11-21T02:00:00.000123456Z")
	l := openLedger(t, "", clock)
	tick := at(t, "2026-11-21T02:00:00Z")
	spec := Spec{
		Pipeline: "card_activity", PlanHash: "c0ffee", Reading: Served, Trigger: Scheduled, Job: "nightly",
		Tick: tick, Interval: Interval{From: tick.Add(-24 * time.Hour).UnixMicro(), To: tick.UnixMicro()}, Attempt: 3,
	}
	run := mustStart(t, l, spec)
	want := Run{
		ID: "20261121T020000.000123Z", Spec: spec, State: Running, Started: at(t, "2026-11-21T02:00:00.000123Z"),
		PID: l.self.pid, Host: l.self.host,
	}
	if !reflect.DeepEqual(run, want) {
		t.Fatalf("started\n%+v, want\n%+v", run, want)
	}
	if got := mustGet(t, l, run.ID); !reflect.DeepEqual(got, want) {
		t.Fatalf("read\n%+v, want\n%+v", got, want)
	}

	clock.set(at(t, "2026-11-21T02:00:07Z"))
	check(t, l.Publish(ctx, run.ID))
	clock.set(at(t, "2026-11-21T02:00:09.000123Z"))
	result := Result{
		InputSnapshot: 77, OutputSnapshot: 1<<63 - 1, RowsRead: 34890, RowsWritten: 12,
		CPU: 1500 * time.Millisecond, PeakMemory: 1 << 32, Frontier: `{"0":{"next":9}}`,
	}
	check(t, l.Finish(ctx, run.ID, result))
	want.State, want.Result = Succeeded, result
	want.Published, want.Finished = at(t, "2026-11-21T02:00:07Z"), at(t, "2026-11-21T02:00:09.000123Z")
	want.Wall = 9 * time.Second
	if got := mustGet(t, l, run.ID); !reflect.DeepEqual(got, want) {
		t.Fatalf("finished\n%+v, want\n%+v", got, want)
	}
}

func TestLedgerTransitions(t *testing.T) {
	ctx := context.Background()
	end := map[State]func(l *Ledger, id string) error{
		Succeeded: func(l *Ledger, id string) error { return l.Finish(ctx, id, Result{RowsRead: 1}) },
		Failed:    func(l *Ledger, id string) error { return l.Fail(ctx, id, Result{RowsRead: 2}, errors.New("broken")) },
		Abandoned: func(l *Ledger, id string) error { return l.Abandon(ctx, id, "stopped") },
	}
	for state, first := range end {
		clock := newClock(t, "2026-11-21T02:00:00Z")
		l := openLedger(t, "", clock)
		run := mustStart(t, l, manual("p"))
		clock.set(at(t, "2026-11-21T01:00:00Z")) // The clock steps back: a run never takes less than no time.
		check(t, first(l, run.ID))
		before := mustGet(t, l, run.ID)
		if before.State != state || before.Wall != 0 || before.Finished.IsZero() {
			t.Errorf("%s: %+v", state, before)
		}
		for again, second := range end {
			err := second(l, run.ID)
			if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), string(state)) {
				t.Errorf("%s after %s: error %v", again, state, err)
			}
		}
		if err := l.Publish(ctx, run.ID); (err == nil) != (state == Succeeded) {
			t.Errorf("publish after %s: error %v", state, err)
		}
		after := mustGet(t, l, run.ID)
		after.Published = time.Time{}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("a refused transition changed\n%+v to\n%+v", before, after)
		}
		mustStart(t, l, manual("p")) // The way is free.
	}
	l := openLedger(t, "", newClock(t, "2026-11-21T02:00:00Z"))
	for state, f := range end {
		if err := f(l, "20200101T000000.000000Z"); err == nil || errors.Is(err, ErrEnded) {
			t.Errorf("%s of an unknown run: error %v", state, err)
		}
	}
	if _, err := l.Get(ctx, "x"); !errors.As(err, new(*fault.Error)) {
		t.Errorf("get of an unknown run: error %v", err)
	}
}

func TestLedgerKeepsTheFirstPublication(t *testing.T) {
	ctx := context.Background()
	clock := newClock(t, "2026-11-21T02:00:00Z")
	l := openLedger(t, "", clock)
	run := mustStart(t, l, manual("p"))
	check(t, l.Publish(ctx, run.ID))
	clock.set(at(t, "2026-11-21T03:00:00Z"))
	check(t, l.Publish(ctx, run.ID))
	if got := mustGet(t, l, run.ID).Published; !got.Equal(at(t, "2026-11-21T02:00:00Z")) {
		t.Errorf("published %v", got)
	}
}

func TestStartRefusesASecondRunner(t *testing.T) {
	ctx := context.Background()
	clock := newClock(t, "2026-11-21T02:00:00Z")
	l := openLedger(t, "", clock)
	first := mustStart(t, l, manual("p"))

	_, err := l.Start(ctx, manual("p"))
	var running *RunningError
	if !errors.As(err, &running) || running.Run.ID != first.ID {
		t.Fatalf("second start: error %v", err)
	}
	var wrong *fault.Error
	if !errors.As(err, &wrong) || wrong.Remedy == "" || !strings.Contains(err.Error(), fmt.Sprint(l.self.pid)) {
		t.Errorf("the error does not say who is in the way and what to do: %v", err)
	}

	mustStart(t, l, manual("q")) // Another pipeline and
	other := manual("p")
	other.Reading = Served
	mustStart(t, l, other) // another reading are free.
}

func TestStartRefusesWrongSpecs(t *testing.T) {
	l := openLedger(t, "", newClock(t, "2026-11-21T02:00:00Z"))
	for name, spoil := range map[string]func(*Spec){
		"no pipeline":     func(s *Spec) { s.Pipeline = "" },
		"no hash":         func(s *Spec) { s.PlanHash = "" },
		"hash not hex":    func(s *Spec) { s.PlanHash = "coffee" },
		"reading":         func(s *Spec) { s.Reading = "truthy" },
		"no interval":     func(s *Spec) { s.Interval = Interval{} },
		"backward":        func(s *Spec) { s.Interval = Interval{From: 2, To: 1} },
		"trigger":         func(s *Spec) { s.Trigger = "chance" },
		"job of a manual": func(s *Spec) { s.Job = "j" },
		"job without tick": func(s *Spec) {
			s.Trigger, s.Job = Scheduled, "j"
		},
		"no attempt": func(s *Spec) { s.Attempt = 0 },
	} {
		spec := manual("p")
		spoil(&spec)
		if _, err := l.Start(context.Background(), spec); err == nil {
			t.Errorf("%s: started", name)
		}
	}
	if runs, err := l.List(context.Background(), "", 0); err != nil || len(runs) != 0 {
		t.Errorf("%d runs, error %v", len(runs), err)
	}
}

func TestIDsIncreaseThoughTheClockDoesNot(t *testing.T) {
	clock := newClock(t, "2026-11-21T02:00:00Z")
	l := openLedger(t, "", clock)
	last := ""
	for i, now := range []string{
		"2026-11-21T02:00:00Z", "2026-11-21T02:00:00Z", "2026-11-20T00:00:00Z",
		"2026-11-21T02:00:00.000002Z", "2026-11-21T03:00:00Z",
	} {
		clock.set(at(t, now))
		run := mustStart(t, l, manual(fmt.Sprint("p", i)))
		if run.ID <= last || !run.Started.Equal(at(t, now)) {
			t.Errorf("at %s: id %s after %s, started %v", now, run.ID, last, run.Started)
		}
		last = run.ID
	}
}

func TestQueries(t *testing.T) {
	ctx := context.Background()
	clock := newClock(t, "2026-11-21T00:00:00Z")
	l := openLedger(t, "", clock)
	if _, ok, err := l.Latest(ctx, "p", Truth); ok || err != nil {
		t.Fatalf("latest of an empty ledger: %v, error %v", ok, err)
	}
	if _, ok, err := l.LastInterval(ctx, "p", Truth); ok || err != nil {
		t.Fatalf("last interval of an empty ledger: %v, error %v", ok, err)
	}
	// Each run starts at the next full hour, is published 10 minutes later or never, and ends at once.
	var ids []string
	for hour, r := range []struct {
		pipeline string
		reading  Reading
		iv       Interval
		publish  bool
		end      State
	}{
		0: {"p", Truth, Interval{0, 100}, true, Succeeded},
		1: {"p", Truth, Interval{100, 300}, false, Succeeded},
		2: {"p", Truth, Interval{100, 200}, true, Succeeded},
		3: {"q", Truth, Always, true, Succeeded},
		4: {"p", Truth, Interval{300, 400}, true, Failed},
		5: {"p", Served, Interval{Beginning, 50}, false, Succeeded},
		6: {"p", Truth, Interval{200, 300}, false, Running},
		7: {"q", Truth, Interval{0, 10}, false, Succeeded},
	} {
		clock.set(at(t, "2026-11-21T00:00:00Z").Add(time.Duration(hour) * time.Hour))
		spec := manual(r.pipeline)
		spec.Reading, spec.Interval = r.reading, r.iv
		id := mustStart(t, l, spec).ID
		ids = append(ids, id)
		clock.set(clock.Now().Add(10 * time.Minute))
		if r.publish {
			check(t, l.Publish(ctx, id))
		}
		switch r.end {
		case Succeeded:
			check(t, l.Finish(ctx, id, Result{}))
		case Failed:
			check(t, l.Fail(ctx, id, Result{}, errors.New("broken")))
		}
	}

	list := func(pipeline string, limit int) (hours []int) {
		runs, err := l.List(ctx, pipeline, limit)
		check(t, err)
		for _, r := range runs {
			for hour, id := range ids {
				if id == r.ID {
					hours = append(hours, hour)
				}
			}
		}
		return hours
	}
	for _, test := range []struct {
		pipeline string
		limit    int
		want     []int
	}{
		{"", 0, []int{7, 6, 5, 4, 3, 2, 1, 0}},
		{"", 2, []int{7, 6}},
		{"q", 0, []int{7, 3}},
		{"p", 3, []int{6, 5, 4}},
		{"r", 0, nil},
	} {
		if got := list(test.pipeline, test.limit); !reflect.DeepEqual(got, test.want) {
			t.Errorf("list %q %d: %v, want %v", test.pipeline, test.limit, got, test.want)
		}
	}

	for _, test := range []struct {
		pipeline string
		reading  Reading
		latest   int
		last     Interval
	}{
		{"p", Truth, 2, Interval{100, 300}}, // The newest is a rerun of the past: the furthest stays.
		{"p", Served, 5, Interval{Beginning, 50}},
		{"q", Truth, 7, Always}, // Open above reaches further than anything.
	} {
		run, ok, err := l.Latest(ctx, test.pipeline, test.reading)
		if err != nil || !ok || run.ID != ids[test.latest] {
			t.Errorf("latest %s %s: %+v, %v, error %v", test.pipeline, test.reading, run, ok, err)
		}
		iv, ok, err := l.LastInterval(ctx, test.pipeline, test.reading)
		if err != nil || !ok || iv != test.last {
			t.Errorf("last interval %s %s: %v, %v, error %v", test.pipeline, test.reading, iv, ok, err)
		}
	}

	for _, test := range []struct {
		t    string
		want int
	}{{"00:09:59", -1}, {"00:10:00", 0}, {"02:09:59", 0}, {"02:10:00", 2}, {"04:10:00", 4}, {"23:00:00", 4}} {
		run, ok, err := l.PublishedAt(ctx, "p", at(t, "2026-11-21T"+test.t+"Z"))
		if err != nil || ok != (test.want >= 0) || ok && run.ID != ids[test.want] {
			t.Errorf("published at %s: %+v, %v, error %v", test.t, run, ok, err)
		}
	}
}

// TestConcurrentStart has many starters, through two openings of one file, want the same turn.
func TestConcurrentStart(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	clock := newClock(t, "2026-11-21T02:00:00Z")
	ledgers := []*Ledger{openLedger(t, path, clock), openLedger(t, path, clock)}
	for range 10 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		var won []string
		for i := range 8 {
			wg.Go(func() {
				run, err := ledgers[i%2].Start(ctx, manual("p"))
				var running *RunningError
				switch {
				case err == nil:
					mu.Lock()
					won = append(won, run.ID)
					mu.Unlock()
				case !errors.As(err, &running):
					t.Errorf("start: %v", err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d starts went through", len(won))
		}
		check(t, ledgers[0].Finish(ctx, won[0], Result{}))
	}
}

func TestLongErrorsAreShortened(t *testing.T) {
	l := openLedger(t, "", newClock(t, "2026-11-21T02:00:00Z"))
	run := mustStart(t, l, manual("p"))
	check(t, l.Fail(context.Background(), run.ID, Result{}, errors.New("x"+strings.Repeat("é", longestError))))
	got := mustGet(t, l, run.ID).Error
	want := "x" + strings.Repeat("é", 2047) + "… (4098 bytes more)"
	if got != want {
		t.Errorf("kept %d bytes, ending in %q", len(got), got[len(got)-40:])
	}
}

func TestIntervalString(t *testing.T) {
	for iv, want := range map[Interval]string{
		Always:              "[…, …)",
		{From: 0, To: 1}:    "[1970-01-01T00:00:00Z, 1970-01-01T00:00:00.000001Z)",
		{From: -1, To: End}: "[1969-12-31T23:59:59.999999Z, …)",
	} {
		if got := iv.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
