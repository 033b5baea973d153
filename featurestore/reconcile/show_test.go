package reconcile

import (
	"fmt"
	"math/rand/v2"
	"os"
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
	Person string   `spill:"person,key"`
	Rate   *float64 `spill:"rate_15m"`
	In     *float64 `spill:"in_range_30m"`
	Low    *float64 `spill:"low_30m"`
	N      int64    `spill:"readings_1h"`
	Mean   *float64 `spill:"mean_14d"`
}

var glucose = pipeline.Define("glucose_control", func(d *pipeline.Draft) {
	var r reading
	s := pipeline.From(d, "readings", &r, pipeline.OutOfOrder(2*time.Minute), pipeline.Lateness(time.Hour))
	x := expr.Col(&r.MgDl)
	var c control
	pipeline.Aggregate(s, &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Rate, agg.Slope(x, time.Minute), window.Last(15*time.Minute)),
		pipeline.Feature(&c.In, agg.Share(x.Between(70, 180)), window.Last(30*time.Minute)),
		pipeline.Feature(&c.Low, agg.Share(x.Lt(70)), window.Last(30*time.Minute)),
		pipeline.Feature(&c.N, agg.Count(), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean, agg.Mean(x), window.Last(14*window.Day).Tile(window.Day)).Historical(),
	)
})

func glucoseLog(people, n int) pipelinetest.Log {
	r := rand.New(rand.NewPCG(4, 2))
	type sent struct {
		rec     pipelinetest.Record
		arrival int64
	}
	var all []sent
	base := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	for p := range people {
		name := fmt.Sprintf("Subject %d", p+1)
		if p == 2 { name = `<script>alert("x")</script> & ünïcode 日本語` }
		if p == 5 { for len(name) < 10000 { name += " long" } }
		off := int64(0)
		g := 120.0
		for i := range n {
			at := base + int64(i)*300e6 + r.Int64N(20e6)
			g = max(40, min(350, g+r.NormFloat64()*8-(g-130)*.02))
			delay := 2e6 + r.Int64N(8e6)
			if r.IntN(150) == 0 { off = int64(3+r.IntN(20)) }
			if off > 0 { off--; delay += off*300e6 }
			rec := pipelinetest.Record{Partition: int32(p % 3), Values: []expr.Datum{{S: fmt.Sprintf("r%d-%05d", p+1, i)}, {S: name}, {F: float64(int(g))}, {I: at}}}
			all = append(all, sent{rec, at + delay})
			if r.IntN(300) == 0 { all = append(all, sent{rec, at + delay + 30e6}) }
			if r.IntN(900) == 0 { all = append(all, sent{rec, at + delay + 3*3600e6}) }
		}
	}
	slices.SortStableFunc(all, func(a, b sent) int { return int(min(1, max(-1, a.arrival-b.arrival))) })
	next := map[int32]int64{}
	var l pipelinetest.Log
	for _, s := range all {
		s.rec.Offset = next[s.rec.Partition]
		next[s.rec.Partition]++
		s.rec.Stamp = s.arrival / 1000 * 1000
		l = append(l, s.rec)
	}
	return l
}

func TestShow(t *testing.T) {
	plan, err := glucose.Plan()
	if err != nil { t.Fatal(err) }
	w := newWorld(t, plan, glucoseLog(12, 2000))
	w.batch = 4096
	start := time.Now()
	r := w.run(t, Options{Examples: 2})
	t.Log(time.Since(start))
	r.WriteText(os.Stdout, 100, false)
	f, _ := os.Create("/tmp/recon/report.html")
	if err := r.WriteHTML(f); err != nil { t.Fatal(err) }
	f.Close()
	w.stream.Columns[3].I[7]++
	r = w.run(t, Options{Examples: 1, MaxKeys: 3})
	f, _ = os.Create("/tmp/recon/breaks.html")
	r.WriteHTML(f)
	f.Close()
}
