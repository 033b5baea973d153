package batch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func TestRepeats(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var found repeats
	for range 50 {
		found.reset()
		count, in := map[uint64]int{}, map[uint64]bool{}
		for range 1 + r.IntN(5000) {
			// Numbers of a pass have low bits in common, and some differ in the highest only.
			n := r.Uint64N(4000) * 8 << (r.IntN(2) * 46) & (1<<numberBits - 1)
			if r.IntN(50) == 0 {
				n = []uint64{0, 1<<numberBits - 1}[r.IntN(2)]
			}
			inside := r.IntN(4) == 0
			found.add(n, inside)
			count[n]++
			in[n] = in[n] || inside
		}
		var want []int64
		for n, times := range count {
			if times > 1 && in[n] {
				want = append(want, int64(n))
			}
		}
		got := found.found()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%d numbers repeat, %d were found", len(want), len(got))
		}
	}
}

func TestCutKeys(t *testing.T) {
	text := func(rs []keyRange) string {
		var parts []string
		end := func(p *string) string {
			if p == nil {
				return "…"
			}
			return *p
		}
		for _, r := range rs {
			parts = append(parts, fmt.Sprintf("[%s,%s) %d", end(r.low), end(r.high), r.rows))
		}
		return strings.Join(parts, " ")
	}
	for _, c := range []struct {
		sample string
		limit  int64
		want   string
	}{
		{"a b c d e f g h i j", 300, "[…,d) 300 [d,g) 300 [g,j) 300 [j,…) 100"},
		{"a b b b b b b b b c", 300, "[…,b) 100 [b,c) 800 [c,…) 100"}, // a hot key is alone
		{"b b b b b b b b b b", 300, "[…,…) 1000"},
		{"a b b c c d d e e f", 1, "[…,b) 100 [b,c) 200 [c,d) 200 [d,e) 200 [e,f) 200 [f,…) 100"},
		{"", 300, "[…,…) 0"},
	} {
		if got := text(cutKeys(strings.Fields(c.sample), 1000, c.limit)); got != c.want {
			t.Errorf("%s by %d: %s, want %s", c.sample, c.limit, got, c.want)
		}
	}
}

const day = 86_400_000_000

// TestParts cuts time so that each part is short, no time is in two, and each sees all that its asks do.
func TestParts(t *testing.T) {
	file := func(from, to int64) lakehouse.File { return lakehouse.File{Times: lakehouse.Range{From: from, To: to}} }
	for _, c := range []struct {
		name  string
		grain pipeline.Grain
		files []lakehouse.File
		asks  lakehouse.Range
		want  string // of asks, in days
	}{
		{"one", pipeline.EveryEvent(), []lakehouse.File{file(0, day), file(day, 2*day)}, lakehouse.Everything, "0-2"},
		{"a gap of years", pipeline.EveryEvent(), []lakehouse.File{file(-9000*day, -8999*day), file(0, day)}, lakehouse.Everything, "-9000--8999 0-1"},
		{"long", pipeline.EveryEvent(), []lakehouse.File{file(0, 130*day), file(5*day, 131*day)}, lakehouse.Everything, "0-60 60-120 120-131"},
		{"an interval", pipeline.EveryEvent(), []lakehouse.File{file(0, 130*day)}, lakehouse.Range{From: 50 * day, To: 55 * day}, "50-55"},
		{"beside it", pipeline.EveryEvent(), []lakehouse.File{file(0, 5*day)}, lakehouse.Range{From: 50 * day, To: 55 * day}, ""},
		{"no times", pipeline.EveryEvent(), []lakehouse.File{file(0, 0), file(math.MaxInt64-1, math.MaxInt64)}, lakehouse.Everything, ""},
	} {
		plan := activityPlan(t, c.grain)
		h := &History{plan: plan, files: c.files, deps: Deps{limits: limits{partLength: partLength}}}
		parts, err := h.parts(t.Context(), c.asks)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range parts {
			got = append(got, fmt.Sprintf("%d-%d", p.asks.From/day, p.asks.To/day))
			if p.sees.From != p.asks.From-day || p.sees.To != p.asks.To {
				t.Errorf("%s: asks %v see %v", c.name, p.asks, p.sees)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// TestWatermarks finds W where the greatest time is that of a copy: one that is a duplicate does not count, one whose id
// was forgotten does, and neither do records that only the kernel knows to be dead.
func TestWatermarks(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	pay := func(p int32, offset int64, id string, minute int64, points int64) pipelinetest.Record {
		return pipelinetest.Record{
			Partition: p, Offset: offset, Stamp: 1 << 50 / 1000 * 1000,
			Values: []expr.Datum{{S: id}, {S: fmt.Sprint("card", p)}, {Null: true}, {F: 1}, {I: points}, {I: minute * 60_000_000}},
		}
	}
	log := pipelinetest.Log{
		pay(0, 0, "a", 10, 0), pay(0, 1, "b", 20, 0), // plain
		pay(1, 0, "a", 10, 0), pay(1, 1, "b", 20, 0), pay(1, 2, "b", 25, 0), // a duplicate
		pay(2, 0, "a", 10, 0), pay(2, 1, "b", 60, 0), pay(2, 2, "a", 70, 0), // forgotten
		pay(3, 0, "a", 10, 0), pay(3, 1, "b", 99, math.MaxInt64), // dead: points + 1 does not fit
		pay(4, 0, "a", 10, 0), pay(4, 1, "a", 10, 0), // the same twice
		pay(5, 0, "a", 10, math.MaxInt64), // nothing raises W
	}
	b := newBench(t)
	if err := b.archive(t.Context(), plan, log, 1); err != nil {
		t.Fatal(err)
	}
	replayed := int64(0)
	b.deps.Progress = func(p Progress) { replayed = max(replayed, p.Rows) }
	h, err := Open(t.Context(), plan, 0, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	got, err := h.Watermarks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for p, w := range pipelinetest.NewOracle(plan, log).Watermarks() {
		if have, ok := got[p]; ok != w.Known || ok && have != w.Time {
			t.Errorf("partition %d: %d %v, want %v", p, have, ok, w)
		}
	}
	if replayed != 3+3+2+1 {
		t.Errorf("%d records were replayed, want those of four partitions", replayed)
	}
}

// TestWhere prints what SQL judges as the kernel does, and leaves the rest out.
func TestWhere(t *testing.T) {
	plan := *activityPlan(t, pipeline.EveryEvent())
	col := func(c int) *expr.Node {
		return &expr.Node{Op: expr.OpColumn, Kind: plan.Source.Schema.Fields[c].Kind, Column: c}
	}
	lit := func(k schema.Kind, d expr.Datum) *expr.Node { return &expr.Node{Op: expr.OpLiteral, Kind: k, Lit: d} }
	op := func(o expr.Op, args ...*expr.Node) *expr.Node {
		return &expr.Node{Op: o, Kind: schema.Bool, Args: args}
	}
	amount := op(expr.OpGt, col(3), lit(schema.Float, expr.Datum{F: math.Inf(-1)}))
	sum := op(expr.OpLt, &expr.Node{Op: expr.OpAdd, Kind: schema.Int, Args: []*expr.Node{col(4), col(4)}}, lit(schema.Int, expr.Datum{I: math.MinInt64}))
	for _, c := range []struct {
		where *expr.Node
		want  string
	}{
		{nil, ""},
		{amount, `("amount" > '-inf'::DOUBLE)`},
		{sum, ""},
		{op(expr.OpAnd, sum, op(expr.OpAnd, amount, op(expr.OpIsNull, col(2)))), `("amount" > '-inf'::DOUBLE) AND ("merchant" IS NULL)`},
		{op(expr.OpOr, amount, sum), ""},
		{
			op(expr.OpNot, op(expr.OpAnd, amount, op(expr.OpEq, col(2), lit(schema.Text, expr.Datum{S: "it's"})))),
			`(NOT (("amount" > '-inf'::DOUBLE) AND ("merchant" = 'it''s')))`,
		},
		{op(expr.OpNe, col(3), lit(schema.Float, expr.Datum{F: math.NaN()})), `("amount" <> 'nan'::DOUBLE)`},
		{op(expr.OpGe, col(5), lit(schema.Time, expr.Datum{I: -1})), `("at" >= TIMESTAMPTZ '1969-12-31 23:59:59.999999+00')`},
		{op(expr.OpGe, col(5), lit(schema.Time, expr.Datum{I: math.MaxInt64})), ""},
		{op(expr.OpEq, col(4), lit(schema.Int, expr.Datum{Null: true})), ""},
	} {
		plan.Where = c.where
		if got := and((&History{plan: &plan}).where()); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// TestPublishing takes the values from the part whose events their windows hold: a later one may not reach back so far.
func TestPublishing(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	h := &History{plan: plan, deps: Deps{limits: limits{partLength: partLength}}}
	asks := []lakehouse.Range{{From: 10 * day, To: 20 * day}, {From: 40 * day, To: 50 * day}}
	for _, c := range []struct {
		asOf int64
		want string
	}{
		{50 * day, "10-20 40-50!"},
		{40 * day, "10-20 40-50!"},
		{40*day - 1, "10-20! 40-50"},
		{30 * day, "10-20! 40-50"},
		{5 * day, "5-5! 10-20 40-50"},
	} {
		var got []string
		for _, p := range h.publishing([]part{h.part(asks[0]), h.part(asks[1])}, c.asOf) {
			mark := map[bool]string{true: "!"}[p.publishes]
			got = append(got, fmt.Sprintf("%d-%d%s", p.asks.From/day, p.asks.To/day, mark))
			if p.publishes && p.sees.From > c.asOf-day {
				t.Errorf("as of %d: the part sees events from %d", c.asOf, p.sees.From)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("as of day %d: %v, want %s", c.asOf/day, got, c.want)
		}
	}
}

// TestFirstElsewhere runs an interval that holds a copy whose first record happened, by its own time, on another day.
func TestFirstElsewhere(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	pay := func(offset int64, id string, at int64) pipelinetest.Record {
		return pipelinetest.Record{
			Offset: offset, Stamp: 20 * day,
			Values: []expr.Datum{{S: id}, {S: "card"}, {S: "m"}, {F: 1}, {I: 1}, {I: at}},
		}
	}
	log := pipelinetest.Log{pay(0, "a", 9*day), pay(1, "a", day), pay(2, "b", day+1), pay(3, "b", 9*day+1), pay(4, "c", -5*day), pay(5, "c", day+2)}
	b := newBench(t)
	if err := b.archive(t.Context(), plan, log, 1); err != nil {
		t.Fatal(err)
	}
	_, report, err := b.run(t.Context(), plan, schedule.Truth, schedule.Interval{From: day, To: 2 * day})
	if err != nil {
		t.Fatal(err)
	}
	rows := b.lines(t, plan, "truth")
	if len(rows) != 1 || !strings.HasPrefix(rows[0], fmt.Sprintf("card %d 2 0: 1 ", day+1)) || report.Copies < 2 {
		t.Errorf("rows %v, %d copies", rows, report.Copies)
	}
}
