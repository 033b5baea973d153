package reconcile

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// TestRandom reconciles hostile logs, whose stream and batch are the kernel's: nothing may be unexplained.
func TestRandom(t *testing.T) {
	var seen [causes]int64
	var either, jointly int64
	for seed := range uint64(seeds()) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := hostile.Plan(r)
		l := hostile.Log(r, &p, hostile.Options{})
		w := newWorld(t, planOf(t, &p), p.Bind(l))
		w.batch = 1 + r.IntN(40)
		rep := w.run(t, Options{})
		if rep.count(Unexplained) > 0 || rep.Identity.Agreed != rep.Identity.ServedRows || rep.Identity.Agreed != rep.Identity.StreamRows {
			out, _ := json.MarshalIndent(rep, "", " ")
			t.Fatalf("seed %d: %s\n%s\n%s", seed, rep.Verdict.Sentence, p.String(), out)
		}
		if rep.Identity.Compared > 0 && rep.Verdict.Outcome != Agrees {
			t.Fatalf("seed %d: %+v\n%+v", seed, rep.Verdict, rep.Identity)
		}
		checkExamples(t, seed, w, rep)
		for _, c := range rep.Causes {
			seen[c.Cause] += c.Differences
			either += c.Either
			jointly += c.Jointly
		}
	}
	t.Logf("differences %v, either %d, jointly %d", seen, either, jointly)
	for c := range Unsettled {
		if seen[c] == 0 {
			t.Errorf("no difference was %s: the logs do not try it", c)
		}
	}
}

// TestRandomSpoilt spoils one row of a hostile stream: whatever it is, the verdict is a break.
func TestRandomSpoilt(t *testing.T) {
	spoilt := 0
	for seed := range uint64(seeds()) {
		r := rand.New(rand.NewPCG(seed, 8))
		p := hostile.Plan(r)
		w := newWorld(t, planOf(t, &p), p.Bind(hostile.Log(r, &p, hostile.Options{Records: 60})))
		n := w.stream.Len()
		if n == 0 {
			continue
		}
		program, i := compiled(t, w.plan, kernel.Live), r.IntN(n)
		order := make([]int, n)
		for k := range order {
			order[k] = k
		}
		switch r.IntN(4) {
		case 0:
			w.stream = pick(program, w.stream, slices.Delete(order, i, i+1))
		case 1:
			w.stream = pick(program, w.stream, slices.Insert(order, i, i))
		case 2:
			w.stream.Revision[i] += 1000
			w.stream = sortRows(program, w.stream)
		default:
			c := &w.stream.Columns[r.IntN(len(w.stream.Columns))]
			c.Valid[i] = !c.Valid[i]
		}
		spoilt++
		rep := w.run(t, Options{})
		id := &rep.Identity
		if rep.Verdict.Outcome != Breaks || id.Differing+id.Missing+id.Extra+id.Repeated == 0 || rep.count(Unexplained) > 0 {
			t.Fatalf("seed %d: %+v\n%s", seed, rep.Verdict, p.String())
		}
	}
	if spoilt < seeds()/2 {
		t.Errorf("only %d streams had rows", spoilt)
	}
}

// checkExamples holds the examples against the oracle, which knows nothing of this package: an event of a timeline is known
// to a side exactly when it is in that side's window, and what explains is known to one side only.
func checkExamples(t *testing.T, seed uint64, w *world, rep *Report) {
	t.Helper()
	if w.plan.Tick > 0 {
		return // The oracle's windows of ticks are those of a revision, not of the frontier.
	}
	o := pipelinetest.NewOracle(w.plan, w.log)
	for _, e := range rep.Examples {
		ask, err := time.Parse(time.RFC3339, e.AskTime)
		if err != nil {
			t.Fatal(err)
		}
		row := &pipelinetest.Row{Key: e.Key, AskTime: ask.UnixMicro(), Partition: *e.Partition, Offset: *e.Offset}
		stream, batch := offsetsIn(o, pipelinetest.AsServed, w.plan, row), offsetsIn(o, pipelinetest.Truth, w.plan, row)
		for _, x := range e.Timeline.Events {
			if stream[x.Offset] != x.Stream || batch[x.Offset] != x.Batch {
				t.Fatalf("seed %d: %+v: the oracle says stream %v, batch %v", seed, x, stream[x.Offset], batch[x.Offset])
			}
		}
		for _, x := range e.Explaining {
			if stream[x.Offset] == batch[x.Offset] {
				t.Fatalf("seed %d: %+v explains nothing", seed, x)
			}
		}
	}
}

func offsetsIn(o *pipelinetest.Oracle, r pipelinetest.Reading, plan *pipeline.Plan, row *pipelinetest.Row) map[int64]bool {
	in := map[int64]bool{}
	for _, f := range pipelinetest.AsServed.Features(plan) {
		for _, e := range o.Window(r, row, f) {
			in[e.Offset] = true
		}
	}
	return in
}

func seeds() int {
	if testing.Short() {
		return 40
	}
	return 200
}
