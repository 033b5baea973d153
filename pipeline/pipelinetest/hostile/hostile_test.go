package hostile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
)

func compile(t *testing.T, p *fixture.Plan) *pipeline.Plan {
	t.Helper()
	defined, err := p.Pipeline()
	if err != nil {
		t.Fatalf("%v, of\n%s", err, p)
	}
	plan, err := defined.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestHostility counts what the logs hold, so that none of it gets lost, and checks that every plan and log is one that can
// be: valid, the same from the same seed, and the same once written down and read again.
func TestHostility(t *testing.T) {
	found := map[string]int{}
	for seed := range uint64(300) {
		p := Plan(rand.New(rand.NewPCG(seed, 1)))
		plan := compile(t, &p)
		log := Log(rand.New(rand.NewPCG(seed, 2)), &p, Options{})
		if err := p.Bind(log).Check(&plan.Source); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		text := fixture.FormatLog(log) + p.String()
		again := Plan(rand.New(rand.NewPCG(seed, 1)))
		if got := fixture.FormatLog(Log(rand.New(rand.NewPCG(seed, 2)), &again, Options{})) + again.String(); got != text {
			t.Fatalf("seed %d gives\n%s\nand\n%s", seed, text, got)
		}
		cases, err := fixture.Parse("", text)
		if err != nil {
			t.Fatalf("%v, of\n%s", err, text)
		}
		if got := fixture.FormatLog(cases[0].Log) + cases[0].Plan.String(); got != text {
			t.Fatalf("read again:\n%s\nas:\n%s", text, got)
		}
		countPlan(found, plan)
		countLog(found, pipelinetest.NewOracle(plan, p.Bind(log)))
	}
	for _, what := range []string{
		"dead null key", "dead null time", "dead null id", "dead zero time", "dead ahead", "dead overflow", "dead undecodable",
		"duplicate ", "too late ", "filtered ", "late ", "on time ", "tie", "NaN", "infinity", "-0", "subnormal", "huge",
		"before 1970", "off the second", "empty key", "empty text", "null", "gap", "long gap", "late copy", "other time copy",
		"historical", "tile", "tick", "event", "where", "without id",
	} {
		if found[what] < 5 {
			t.Errorf("%s: found %d times", what, found[what])
		}
	}
	t.Log(found)
}

func countPlan(found map[string]int, p *pipeline.Plan) {
	count := func(what string, is bool) {
		if is {
			found[what]++
		}
	}
	count("tick", p.Tick > 0)
	count("event", p.Tick == 0)
	count("where", p.Where != nil)
	count("without id", p.Source.ID < 0)
	for _, f := range p.Features {
		count("historical", f.Historical)
		count("tile", f.Window.Tail > 0)
		found["feature "+string(f.Agg.Op)]++
	}
}

func countLog(found map[string]int, o *pipelinetest.Oracle) {
	type place struct {
		key string
		at  int64
	}
	tied, named, ended := map[place]bool{}, map[[2]string]int64{}, map[int32]*pipelinetest.Event{}
	count := func(what string, is bool) {
		if is {
			found[what]++
		}
	}
	for _, e := range o.Events {
		found[e.Class.String()+" "+e.Reason]++
		if last := ended[e.Partition]; last != nil {
			count("gap", e.Offset > last.Offset+1)
			count("long gap", e.Class == pipelinetest.OnTime && last.After.Known && e.Time > last.After.Time+600*second)
		}
		ended[e.Partition] = e
		for _, v := range e.Values {
			count("null", v.Null)
			count("NaN", v.F != v.F)
			count("infinity", math.IsInf(v.F, 0))
			count("-0", v.F == 0 && math.Signbit(v.F))
			count("subnormal", v.F != 0 && math.Abs(v.F) < 0x1p-1022)
			count("huge", math.Abs(v.F) > 1e300 && !math.IsInf(v.F, 0))
			count("empty text", v == (expr.Datum{}))
		}
		if e.Class == pipelinetest.Dead {
			continue
		}
		count("before 1970", e.Time < 0)
		count("off the second", e.Time%second != 0)
		count("empty key", e.Key == "")
		count("tie", tied[place{e.Key, e.Time}])
		tied[place{e.Key, e.Time}] = true
		if e.ID == "" {
			continue // the source has no ids
		}
		at, again := named[[2]string{e.Key, e.ID}]
		count("late copy", again && e.Class == pipelinetest.Late)
		count("other time copy", again && at != e.Time)
		named[[2]string{e.Key, e.ID}] = e.Time
	}
}

func TestOptions(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := Plan(r)
		log := Log(r, &p, Options{Records: 30, Finite: true, NoCopies: true})
		if len(log) > 30 || !log.Finite() {
			t.Fatalf("%d records, finite: %v", len(log), log.Finite())
		}
		ids := map[string]bool{}
		for _, rec := range log {
			if rec.Values != nil && !rec.Values[0].Null {
				if ids[rec.Values[0].S] {
					t.Fatalf("id %s comes twice", rec.Values[0].S)
				}
				ids[rec.Values[0].S] = true
			}
		}
	}
}

func TestLongLogs(t *testing.T) {
	hot := 0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 6))
		p := Plan(r)
		log := Log(r, &p, Options{Long: true})
		if err := p.Bind(log).Check(&compile(t, &p).Source); err != nil {
			t.Fatal(err)
		}
		keys := map[string]int{}
		for _, rec := range log {
			if rec.Values != nil && !rec.Values[1].Null {
				keys[rec.Values[1].S]++
			}
		}
		if len(log) < 1500 || len(log) > 3500 || len(keys) < 20 {
			t.Errorf("seed %d: %d records of %d keys", seed, len(log), len(keys))
		}
		for _, n := range keys {
			hot = max(hot, n)
		}
	}
	if hot < 300 {
		t.Errorf("the hottest key has %d records", hot)
	}
}

// TestAsks holds serving's asks to those that a stream must answer.
func TestAsks(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		p := Plan(r)
		plan := compile(t, &p)
		o := pipelinetest.NewOracle(plan, p.Bind(Log(r, &p, Options{})))
		home := map[string]int32{}
		for _, e := range o.Events {
			if e.Values != nil && !e.Values[plan.Source.Key].Null {
				home[e.Key] = e.Partition
			}
		}
		for _, a := range Asks(r, plan, o, pipelinetest.Serving, 50) {
			for _, e := range o.Events[:a.After] {
				if p, ok := home[a.Key]; ok && p == e.Partition && e.After.Passed(a.Time+plan.Source.Lateness) {
					t.Fatalf("an ask of %q at %d, when W is %v", a.Key, a.Time, e.After)
				}
			}
		}
	}
}

// TestShrink makes a log small that fails as long as it holds a certain pair of records and a certain feature.
func TestShrink(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	p := Plan(r)
	p.Where = "b"
	p.Features = []string{"count() last 1s", "sum(x) last 1s", "min(n) last 1s"}
	log := Log(r, &p, Options{})
	for len(log) < 50 {
		log = Log(r, &p, Options{})
	}
	a, b := log[7], log[40]
	holds := func(l pipelinetest.Log, r pipelinetest.Record) bool {
		return slices.ContainsFunc(l, func(x pipelinetest.Record) bool { return x.Partition == r.Partition && x.Offset == r.Offset })
	}
	tries := 0
	fails := func(q fixture.Plan, l pipelinetest.Log) bool {
		tries++
		return holds(l, a) && holds(l, b) && strings.Contains(fmt.Sprint(q.Features), "sum(x)")
	}
	small, left := Shrink(p, log, 400, fails)
	if len(left) != 2 || len(small.Features) != 1 || small.Where != "" {
		t.Errorf("%d records are left, and the plan\n%s", len(left), small.String())
	}
	tries = 0
	if Shrink(p, log, 3, fails); tries != 3 {
		t.Errorf("%d tries, of 3", tries)
	}
	two, _ := Shrink(p, log, 400, func(q fixture.Plan, l pipelinetest.Log) bool {
		return strings.Contains(fmt.Sprint(q.Features), "sum(x)") && strings.Contains(fmt.Sprint(q.Features), "count()")
	})
	if len(two.Features) != 2 {
		t.Errorf("the features left are %q", two.Features)
	}
}
