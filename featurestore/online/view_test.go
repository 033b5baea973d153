package online_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

// readingPlan counts a person's readings of the last hour, exactly and by tiles.
func readingPlan(tb testing.TB, o ...pipeline.SourceOption) *pipeline.Plan {
	tb.Helper()
	plan, err := pipeline.Define("readings", func(d *pipeline.Draft) {
		var r reading
		var s counts
		x := expr.Col(&r.X)
		src := pipeline.From(d, "readings", &r, o...)
		pipeline.Aggregate(src, &s, pipeline.EveryEvent(),
			pipeline.Feature(&s.Exact, agg.Count(), window.Last(time.Hour)),
			pipeline.Feature(&s.Tiled, agg.CountOf(x), window.Last(time.Hour).Tile(time.Minute)),
			pipeline.Feature(&s.Sum, agg.Sum(x), window.Last(time.Minute)))
	}).Plan()
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

type counts struct {
	Person string   `spill:"person,key"`
	Exact  int64    `spill:"exact"`
	Tiled  int64    `spill:"tiled"`
	Sum    *float64 `spill:"sum"`
}

// TestAsksBehind asks as far back as a view answers, beyond what the stream itself remembers: every answer is exact.
func TestAsksBehind(t *testing.T) {
	const late, ahead = 20 * time.Second, 2 * time.Hour
	plan := readingPlan(t, pipeline.Lateness(late), pipeline.Ahead(ahead), pipeline.OutOfOrder(10*time.Second))
	asked := 0
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		store := openStore(t, t.TempDir())
		f, err := newFollower(store, plan)
		if err != nil {
			t.Fatal(err)
		}
		log := disorderly(random, 300)
		for rest := log; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			if err := f.read(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		view, err := online.NewView(store, plan, online.ViewOptions{})
		if err != nil {
			t.Fatal(err)
		}
		oracle := pipelinetest.NewOracle(plan, log)
		earliest := oracle.Watermarks()[0].Time - (late + ahead).Microseconds()
		for range 50 {
			ask := pipelinetest.Ask{Key: fmt.Sprint("p", random.IntN(3)), After: len(log)}
			ask.Time = earliest + random.Int64N(int64(4*time.Hour/time.Microsecond))
			got, err := answer(view, ask)
			if err != nil {
				t.Fatal(err)
			}
			want := oracle.Answer(pipelinetest.Serving, []pipelinetest.Ask{ask})[0]
			if !slices.Equal(got.Values, want.Values) {
				t.Fatalf("seed %d, key %s at %d: got %v, want %v", seed, ask.Key, ask.Time, got.Values, want.Values)
			}
			asked++
		}
		_, err = answer(view, pipelinetest.Ask{Key: log[0].Values[0].S, Time: earliest - 1})
		var behind *online.BehindError
		if !errors.As(err, &behind) || behind.Earliest != earliest {
			t.Errorf("an ask before the earliest gives %v", err)
		}
	}
	t.Log(asked, "asks")
}

// disorderly makes readings of three people over half a day or so, with leaps, a few of them late.
func disorderly(random *rand.Rand, n int) (log pipelinetest.Log) {
	now := int64(1e15)
	for i := range n {
		now += random.Int64N(60e6)
		if random.IntN(20) == 0 {
			now += random.Int64N(5000e6)
		}
		at := now - random.Int64N(25e6)
		log = append(log, pipelinetest.Record{Offset: int64(i), Stamp: at / 1000 * 1000, Values: []expr.Datum{
			{S: fmt.Sprint("p", random.IntN(3))}, {I: at}, {F: float64(random.IntN(100)) / 8},
		}})
	}
	return log
}

// TestAnswersAreOfTheirFrontier asks while the store is written: the count is that of the frontier that comes with it.
func TestAnswersAreOfTheirFrontier(t *testing.T) {
	plan := readingPlan(t)
	store := openStore(t, t.TempDir())
	view, err := online.NewView(store, plan, online.ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const records, now = 2000, 10_000_000
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			var a online.Answer
			keys := [][]byte{[]byte("p"), []byte("nobody"), []byte("p")}
			for next := int64(0); next < records && !t.Failed(); {
				if err := view.Get(context.Background(), keys, nil, now, &a); err != nil {
					t.Error(err)
					return
				}
				for i, want := range []int64{a.Origins[0].Frontier.Next, 0, a.Origins[0].Frontier.Next} {
					if got := a.Column(0).I[i]; got != want || a.Column(1).I[i] != want {
						t.Errorf("key %d has the counts %d and %d at frontier %d", i, got, a.Column(1).I[i], want)
					}
				}
				next = a.Origins[0].Frontier.Next
			}
		})
	}
	f, err := newFollower(store, plan)
	if err != nil {
		t.Fatal(err)
	}
	for n := int64(0); n < records; n += 10 {
		var log pipelinetest.Log
		for i := n; i < n+10; i++ {
			log = append(log, pipelinetest.Record{Offset: i, Values: []expr.Datum{{S: "p"}, {I: i}, {F: 1}}})
		}
		if err := f.read(log); err != nil {
			t.Fatal(err)
		}
	}
	group.Wait()
}

// countingStore counts the slices that are written.
type countingStore struct {
	online.Store
	writes, slices, bytes int
}

func (s *countingStore) Apply(ctx context.Context, space online.Space, w *online.Write) (bool, error) {
	s.writes++
	for _, k := range w.Keys {
		s.slices += len(k.Slices)
		for _, slice := range k.Slices {
			s.bytes += len(slice.Rows)
			if slice.Offset != w.Frontier.Next-1 {
				return false, fmt.Errorf("a slice of offset %d in a write up to %d", slice.Offset, w.Frontier.Next)
			}
		}
	}
	return s.Store.Apply(ctx, space, w)
}

// TestHotKey writes 20,000 readings of one person within five minutes, a hundred at a time: each write touches a slice or
// two, whatever the windows hold.
func TestHotKey(t *testing.T) {
	plan := readingPlan(t)
	store := &countingStore{Store: openStore(t, t.TempDir())}
	f, err := newFollower(store, plan)
	if err != nil {
		t.Fatal(err)
	}
	const events, each = 20_000, 100
	gap := (5 * time.Minute).Microseconds() / events
	for n := int64(0); n < events; n += each {
		var log pipelinetest.Log
		for i := n; i < n+each; i++ {
			log = append(log, pipelinetest.Record{Offset: i, Values: []expr.Datum{{S: "hot"}, {I: i * gap}, {F: 1}}})
		}
		if err := f.read(log); err != nil {
			t.Fatal(err)
		}
	}
	if store.slices > 2*store.writes {
		t.Errorf("%d slices in %d writes", store.slices, store.writes)
	}
	width := f.prog.SliceWidth()
	perSlice := int(width/gap) + 1
	if most := store.slices * perSlice * 16; store.bytes > most {
		t.Errorf("%d bytes written, want at most %d", store.bytes, most)
	}
	t.Logf("%d writes, %d slices, %d bytes a write", store.writes, store.slices, store.bytes/store.writes)
}

// TestReplay reads a log again onto a store that has it: nothing is written until the frontier is passed.
func TestReplay(t *testing.T) {
	plan := readingPlan(t)
	store := &countingStore{Store: openStore(t, t.TempDir())}
	log := disorderly(rand.New(rand.NewPCG(1, 1)), 100)
	f, err := newFollower(store, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.read(log[:60]); err != nil {
		t.Fatal(err)
	}
	if f, err = newFollower(store, plan); err != nil {
		t.Fatal(err)
	}
	store.writes = 0
	for _, part := range []pipelinetest.Log{log[:20], log[20:60]} {
		if err := f.read(part); err != nil {
			t.Fatal(err)
		}
	}
	if store.writes != 0 {
		t.Errorf("the replay wrote %d times", store.writes)
	}
	if err := f.read(log[60:]); err != nil {
		t.Fatal(err)
	}
	if store.writes != 1 {
		t.Errorf("%d writes behind the replay, want 1", store.writes)
	}
}

// TestPublishRefuses holds rows to the plan.
func TestPublishRefuses(t *testing.T) {
	store := openStore(t, t.TempDir())
	run := online.Run{ID: "1", AsOf: 1}
	if _, err := online.Publish(t.Context(), store, readingPlan(t), run, nil); err == nil {
		t.Error("values are published of a plan without historical features")
	}
	plan := cardPlan(t)
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	rows := func(yield func(*kernel.Rows, error) bool) { yield(prog.NewRows(), nil) }
	if _, err := online.Publish(t.Context(), store, plan, run, rows); err == nil {
		t.Error("rows of other features are published")
	}
	if _, ok, err := store.Published(t.Context(), online.SpaceOf(prog)); ok || err != nil {
		t.Errorf("a run stands: %v, %v", ok, err)
	}
}
