package hostile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/schema"
)

const second int64 = 1_000_000

// Options say what a log may hold.
type Options struct {
	Records  int  // at most; 0 is 200, and seldom 1000
	Long     bool // between 1,500 and 3,500 records, of many keys
	Finite   bool // no NaN and no infinity, which JSON cannot carry
	NoCopies bool // every id once
}

// generator makes one log. What it draws for the whole log (how wild, how dense) is drawn first, so that some logs are calm
// but for one thing.
type generator struct {
	*rand.Rand
	opts      Options
	plan      *fixture.Plan
	keys      []string
	parts     int
	cursor    []int64 // by partition: where event time stands
	offset    []int64
	made      []pipelinetest.Record // what copies are made of
	step      int64
	disorder  int64
	nulls     float64 // the chance that a value is null
	extreme   float64 // the chance that a number is an extreme one
	mischief  float64 // the chance that a record is not an ordinary event
	offGrid   float64 // the chance that a time is not a whole second
	lastDelay int64   // between event and arrival
}

// Log makes a log of fixture.Event at random, whose times suit the plan's.
func Log(r *rand.Rand, plan *fixture.Plan, opts Options) pipelinetest.Log {
	if opts.Records == 0 {
		opts.Records = 200
		if r.IntN(150) == 0 {
			opts.Records = 1000
		}
	}
	g := &generator{Rand: r, opts: opts, plan: plan, parts: one(r, 1, 1, 2, 3)}
	g.keys = []string{"k", "", "é", "k ", "日本", "\x00", "K", "a\"b\\", "😀"}[:1+r.IntN(9)]
	users := 0
	if r.IntN(8) == 0 {
		users = 100
	}
	if opts.Long {
		users = one(r, 20, 100, 400)
	}
	for i := range users { // most of them soon idle
		g.keys = append(g.keys, fmt.Sprintf("user %d", i))
	}
	d, l := plan.OutOfOrder.Microseconds(), plan.Lateness.Microseconds()
	g.step = one(r, 0, second, 2*second, 10*second)
	g.disorder = one(r, 0, d, d+second, d+l, 2*(d+l)+5*second)
	g.nulls = one(r, 0.0, 0.1, 0.5)
	g.extreme = one(r, 0.0, 0.02, 0.3)
	g.mischief = one(r, 0.0, 0.05, 0.3)
	g.offGrid = one(r, 0.0, 0.1, 0.5)
	g.lastDelay = one(r, 0, 2*second, 3600*second)
	g.offset = make([]int64, g.parts)
	g.cursor = make([]int64, g.parts)
	base := one(r, 0, -60*second, 1_700_000_000*second, -2_000_000_000*second, 86_400*second)
	for p := range g.cursor {
		g.cursor[p] = base
	}
	records := 1 + r.IntN(opts.Records)
	if opts.Long {
		records = 1500 + r.IntN(2001)
	}
	var log pipelinetest.Log
	for range records {
		log = append(log, g.record())
	}
	return log
}

func (g *generator) record() pipelinetest.Record {
	k := int(float64(len(g.keys)) * g.Float64() * g.Float64()) // the first keys are hot
	p := k % g.parts
	if g.IntN(20) == 0 {
		g.offset[p] += 1 + g.Int64N(3) // a gap
	}
	if g.step > 0 {
		g.cursor[p] += g.Int64N(2*g.step/second+1) * second
	}
	if g.IntN(60) == 0 {
		g.cursor[p] += one(g.Rand, 100*second, 1_000_000*second)
	}
	r := pipelinetest.Record{Partition: int32(p), Offset: g.offset[p]}
	g.offset[p]++
	r.Values = g.values(g.keys[k], fmt.Sprintf("#%d/%d", r.Partition, r.Offset))
	r.Values[2] = expr.Datum{I: g.time(g.cursor[p])}
	r.Stamp = max(0, (r.Values[2].I+g.delay()+999)/1000*1000)
	if g.Float64() < g.mischief {
		g.spoil(&r)
	}
	g.made = append(g.made, r)
	return r
}

func (g *generator) delay() int64 {
	if g.lastDelay == 0 || g.IntN(2) == 0 {
		return 0
	}
	return g.Int64N(g.lastDelay)
}

// time is a time near the cursor: behind it by up to the disorder, on the second or beside it.
func (g *generator) time(t int64) int64 {
	if g.disorder > 0 && g.IntN(3) == 0 {
		t -= g.Int64N(g.disorder+second) / second * second
	}
	if g.Float64() < g.offGrid {
		t += one(g.Rand, -1, 1, 500_000, g.Int64N(second))
	}
	return t
}

// values are those of an ordinary event, but for its time. Their order is that of fixture.Event.
func (g *generator) values(key, id string) []expr.Datum {
	v := []expr.Datum{{S: id}, {S: key}, {}}
	v = append(v, g.maybe(expr.Datum{F: g.float()}), g.maybe(expr.Datum{F: g.float()}))
	v = append(v, g.maybe(expr.Datum{I: g.whole()}), g.maybe(expr.Datum{I: g.small()}))
	v = append(v, g.maybe(expr.Datum{S: one(g.Rand, "", "a", "b", "b", "é", "e\u0301", "日本", " b", "\x7f", "zz top")}))
	v = append(v, g.maybe(expr.Datum{I: int64(g.IntN(2))}))
	return append(v, g.maybe(expr.Datum{I: g.Int64N(20)*second/2 - 5*second}))
}

func (g *generator) maybe(d expr.Datum) expr.Datum {
	if g.Float64() < g.nulls {
		return expr.Datum{Null: true}
	}
	return d
}

func (g *generator) float() float64 {
	if g.Float64() >= g.extreme {
		return one(g.Rand, float64(g.IntN(5)), float64(g.IntN(200)-100)/10, g.NormFloat64(), g.NormFloat64()*1e6)
	}
	x := one(g.Rand, 0, math.MaxFloat64, 1e308, 5e-324, 2.2250738585072014e-308, 1e16, 9007199254740993, 0x1p-537, 0x1p511,
		math.NaN(), math.Inf(1), math.Ldexp(g.Float64(), g.IntN(2098)-1074))
	if g.opts.Finite && (math.IsNaN(x) || math.IsInf(x, 0)) {
		x = 0
	}
	return math.Copysign(x, one(g.Rand, -1.0, 1.0)) // −0 too
}

func (g *generator) whole() int64 {
	if g.Float64() >= g.extreme {
		return g.Int64N(9) - 3
	}
	return one[int64](g.Rand, math.MaxInt64, math.MinInt64, math.MaxInt64-1, 1<<53+1, -1<<53-1, 1<<32, math.MaxInt64/2+1)
}

func (g *generator) small() int64 {
	if g.Float64() >= g.extreme {
		return g.Int64N(9) - 3
	}
	return one[int64](g.Rand, math.MaxInt32, math.MinInt32, 1<<30)
}

// raws are payloads that no decoder of fixture.Event or fixture.Nameless may take.
var raws = []string{
	"", "{", "null", "[]", "\xff", `{"id":"a"`, `{"key":1}`, `{"n":12.5}`, `{"n":"12"}`, `{"n":9223372036854775808}`,
	`{"m":2147483648}`, `{"x":"1"}`, `{"b":1}`, `{"u":"yesterday"}`, `{"s":true}`, `{} {}`,
}

// spoil makes the record something else than an ordinary event.
func (g *generator) spoil(r *pipelinetest.Record) {
	at := &r.Values[2]
	switch g.IntN(12) {
	case 0:
		r.Fault, r.Raw, r.Values = "undecodable", []byte(one(g.Rand, raws...)), nil
	case 1:
		r.Values[g.IntN(3)] = expr.Datum{Null: true} // the id, the key or the time
	case 2:
		at.I = schema.Micros(time.Time{})
	case 3, 4: // as far ahead as may be, or beyond
		at.I = r.Stamp + g.plan.Ahead.Microseconds() + one(g.Rand, -1, 0, 0, 1, 1, 3600*second, 1_000_000_000*second)
	case 5:
		at.I -= one(g.Rand, 20*second, 100*second, 3600*second, 1_000_000_000*second)
	case 6: // on the edge of late, and of too late
		edge := g.cursor[r.Partition] - g.plan.OutOfOrder.Microseconds()
		at.I = edge - one(g.Rand, 0, g.plan.Lateness.Microseconds()) + one[int64](g.Rand, -1, 0, 1)
	default:
		g.copy(r)
	}
}

// copy makes the record a second one of an id: the same, or with another time, or with another content. It may be a copy
// under another key, which is none.
func (g *generator) copy(r *pipelinetest.Record) {
	if g.opts.NoCopies || len(g.made) == 0 {
		return
	}
	of := g.made[max(0, len(g.made)-1-g.IntN(30))]
	if of.Values == nil || of.Partition != r.Partition {
		return
	}
	switch g.IntN(4) {
	case 0: // the same id, and all else anew
		r.Values[0], r.Values[1] = of.Values[0], of.Values[1]
	case 1: // another key's
		r.Values[0] = of.Values[0]
	case 2: // the same but for the time
		at := r.Values[2]
		r.Values = append([]expr.Datum{}, of.Values...)
		r.Values[2] = at
	default:
		r.Values = of.Values
		r.Stamp = of.Stamp
	}
}
