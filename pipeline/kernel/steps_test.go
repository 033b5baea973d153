package kernel

import (
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
)

// traffic is the events of a few keys, a millisecond apart in all, every seventh of which is moved back.
type traffic struct {
	keys int
	back time.Duration
	n    int64
}

func (g *traffic) batch(t testing.TB, p *Program, rows int) arrow.RecordBatch {
	t.Helper()
	var log pipelinetest.Log
	for range rows {
		at := g.n * 1000
		if g.n%7 == 3 {
			at = max(0, at-g.back.Microseconds())
		}
		values := make([]expr.Datum, len(fixture.Fields))
		for c, f := range fixture.Fields {
			switch f.Name {
			case "id":
				values[c].S = fmt.Sprintf("p%09d", g.n)
			case "key":
				values[c].S = fmt.Sprintf("card %d", g.n%int64(g.keys))
			case "at":
				values[c].I = at
			case "x":
				values[c].F = float64(g.n%1000) / 100
			case "s":
				values[c].S = fmt.Sprintf("merchant %d", g.n%97)
			default:
				values[c].Null = true
			}
		}
		log = append(log, pipelinetest.Record{Offset: g.n, Stamp: max(0, at), Values: values})
		g.n++
	}
	return log.Batch(memory.DefaultAllocator, p.plan.Source.Schema)
}

func compiled(t testing.TB, text *fixture.Plan) *Program {
	t.Helper()
	defined, err := text.Pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := defined.Plan()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(plan, Live)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stepsOf is how often an event was added to a count, or taken away, for the last thousand events of a hot key, once its
// window holds so many.
func stepsOf(t *testing.T, held int, every, back time.Duration) int {
	n := 0
	whole := counting
	defer func() { counting = whole }()
	counting.add = func(s *store, acc, row []uint64, c *component) { n++; whole.add(s, acc, row, c) }
	counting.sub = func(s *store, acc, row []uint64, c *component) { n++; whole.sub(s, acc, row, c) }
	p := compiled(t, &fixture.Plan{
		OutOfOrder: back, Lateness: time.Second, Ahead: time.Hour, Every: every,
		Features: []string{fmt.Sprintf("count() last %dms", held)},
	})
	task, rows, g := NewTask(p, 0), p.NewRows(), &traffic{keys: 1, back: back}
	push := func(events int) {
		rows.Reset()
		if err := task.Push(g.batch(t, p, events), g.n, rows); err != nil {
			t.Fatal(err)
		}
	}
	push(held + 5000)
	n = 0
	push(1000)
	if rows.Len() == 0 {
		t.Error("nothing is answered")
	}
	return n
}

// TestStepsDoNotGrowWithTheWindow is invariant 5: what an event costs does not depend on how many its window holds, in
// order, out of order, and in ticks.
func TestStepsDoNotGrowWithTheWindow(t *testing.T) {
	for _, test := range []struct{ every, back time.Duration }{
		{0, 0},
		{0, 20 * time.Millisecond},
		{10 * time.Millisecond, 0},
		{10 * time.Millisecond, 20 * time.Millisecond},
	} {
		few, many := stepsOf(t, 1000, test.every, test.back), stepsOf(t, 30_000, test.every, test.back)
		if few < 1000 || many > few+few/100 {
			t.Errorf("every %v, back %v: %d steps with 1,000 events in the window, %d with 30,000", test.every, test.back, few, many)
		}
	}
}

// TestSteadyStateDoesNotAllocate is invariant 6: what a batch allocates does not grow with its events.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const batchRows = 4096
	for _, every := range []time.Duration{0, 100 * time.Millisecond} {
		p := compiled(t, &fixture.Plan{
			OutOfOrder: time.Second, Lateness: 2 * time.Second, Ahead: time.Hour, Every: every, Where: "x >= 0",
			Features: []string{"distinct(s) last 3s", "mean(x) last 2s", "max(x) else 0 last 3s tile 1s"},
		})
		g := &traffic{keys: 50, back: 500 * time.Millisecond}
		var batches []arrow.RecordBatch
		for range 30 {
			batches = append(batches, g.batch(t, p, batchRows))
		}
		task, rows, at := NewTask(p, 0), p.NewRows(), 0
		push := func() {
			rows.Reset()
			if err := task.Push(batches[at], int64(at+1)*batchRows, rows); err != nil {
				t.Fatal(err)
			}
			at++
		}
		for range 18 {
			push()
		}
		if got := testing.AllocsPerRun(10, push); got > batchRows/100 {
			t.Errorf("every %v: %v allocations for a batch of %d events", every, got, batchRows)
		} else {
			t.Logf("every %v: %v allocations for a batch of %d events", every, got, batchRows)
		}
	}
}
