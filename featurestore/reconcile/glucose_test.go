package reconcile

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

type reading struct {
	ID     string    `spill:"id,id"`
	Person string    `spill:"person,key"`
	MgDl   float64   `spill:"mg_dl"`
	At     time.Time `spill:"at,time"`
}

type control struct {
	Person  string   `spill:"person,key"`
	Rate    *float64 `spill:"rate_15m"`
	InRange *float64 `spill:"in_range_30m"`
	Count   int64    `spill:"readings_1h"`
	Mean    *float64 `spill:"mean_14d"`
}

var glucose = pipeline.Define("glucose_control", func(d *pipeline.Draft) {
	var r reading
	s := pipeline.From(d, "readings", &r, pipeline.OutOfOrder(2*time.Minute), pipeline.Lateness(time.Hour))
	x := expr.Col(&r.MgDl)
	var c control
	pipeline.Aggregate(s, &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Rate, agg.Slope(x, time.Minute), window.Last(15*time.Minute)),
		pipeline.Feature(&c.InRange, agg.Share(x.Between(70, 180)), window.Last(30*time.Minute)),
		pipeline.Feature(&c.Count, agg.Count(), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean, agg.Mean(x), window.Last(14*window.Day).Tile(window.Day)).Historical(),
	)
})

// glucoseWorld is readings of people every five minutes, most of which arrive within seconds; now and then a phone is off
// line for up to two hours, and some readings come twice. Keys are the people.
func glucoseWorld(t testing.TB, people []string, readings int) *world {
	t.Helper()
	plan, err := glucose.Plan()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 2))
	var sent pipelinetest.Log
	send := func(rec pipelinetest.Record, stamp int64) {
		rec.Stamp = stamp / 1000 * 1000
		sent = append(sent, rec)
	}
	base := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	const second, minute = 1_000_000, 60_000_000
	for p, name := range people {
		offline, level := int64(0), 120.0
		for i := range readings {
			at := base + int64(i)*5*minute + r.Int64N(20*second)
			level = max(40, min(350, level+r.NormFloat64()*8-(level-130)*.02))
			stamp := at + 2*second + r.Int64N(8*second)
			if r.IntN(150) == 0 {
				offline = 3 + r.Int64N(20)
			}
			if offline > 0 {
				offline--
				stamp += offline * 5 * minute
			}
			id := fmt.Sprintf("r%d-%05d", p+1, i)
			rec := pipelinetest.Record{Partition: int32(p % 3), Values: []expr.Datum{{S: id}, {S: name}, {F: float64(int(level))}, {I: at}}}
			send(rec, stamp)
			if r.IntN(300) == 0 {
				send(rec, stamp+30*second)
			}
		}
	}
	slices.SortStableFunc(sent, func(a, b pipelinetest.Record) int { return cmp.Compare(a.Stamp, b.Stamp) })
	w := newWorld(t, plan, sent.Dense())
	w.batch = 4096
	return w
}

func persons(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("Subject %d", i+1))
	}
	return names
}

func TestGlucose(t *testing.T) {
	w := glucoseWorld(t, persons(6), 500)
	r := w.run(t, Options{})
	if r.Verdict.Outcome != Agrees || r.count(Late) == 0 || r.count(TooLate) == 0 || r.Unproved != (Unproved{}) {
		t.Errorf("%s\n%+v", brief(r), r.Unproved)
	}
	if r.Lateness.Examined != r.Lateness.Differences() || r.Lateness.Share <= 0 || r.Lateness.Share >= 1 {
		t.Errorf("%+v", r.Lateness)
	}
	for _, e := range r.Examples {
		if !e.Minimal || len(e.Explaining) == 0 || len(e.Timeline.Events) == 0 {
			t.Errorf("%+v", e)
		}
	}
}
