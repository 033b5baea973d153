package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

type event struct {
	ID   string    `spill:"id,id"`
	Key  string    `spill:"k,key"`
	At   time.Time `spill:"at,time"`
	X    float64   `spill:"x"`
	N    int64     `spill:"n"`
	Name string    `spill:"name"`
	Ok   bool      `spill:"ok"`
}

type result struct {
	Key   string   `spill:"k,key"`
	Count int64    `spill:"count"`
	Sum   *float64 `spill:"sum"`
	Mean  *float64 `spill:"mean"`
	Var   *float64 `spill:"var"`
	Slope *float64 `spill:"slope"`
	Min   *float64 `spill:"min"`
	Max   *int64   `spill:"max"`
	First *string  `spill:"first"`
	Last  *float64 `spill:"last"`
	Names int64    `spill:"names"`
	Ns    int64    `spill:"ns"`
	Share *float64 `spill:"share"`
	SumN  *int64   `spill:"sum_n"`
}

func define(grain pipeline.Grain, w1, w2, w3 window.Window, d, l time.Duration) *pipeline.Pipeline {
	return pipeline.Define("p", func(dr *pipeline.Draft) {
		var e event
		var r result
		s := pipeline.From(dr, "src", &e, pipeline.OutOfOrder(d), pipeline.Lateness(l))
		x, n := expr.Col(&e.X), expr.Col(&e.N)
		pipeline.Aggregate(s.Where(n.Ne(7)), &r, grain,
			pipeline.Feature(&r.Count, agg.Count(), w1),
			pipeline.Feature(&r.Sum, agg.Sum(x), w2),
			pipeline.Feature(&r.Mean, agg.Mean(x), w1),
			pipeline.Feature(&r.Var, agg.Variance(x), w3),
			pipeline.Feature(&r.Slope, agg.Slope(x, time.Second), w2),
			pipeline.Feature(&r.Min, agg.Min(x), w3),
			pipeline.Feature(&r.Max, agg.Max(n), w1),
			pipeline.Feature(&r.First, agg.First(expr.Col(&e.Name)), w3),
			pipeline.Feature(&r.Last, agg.Last(x).Where(expr.Col(&e.Ok)), w2),
			pipeline.Feature(&r.Names, agg.Distinct(expr.Col(&e.Name)), w3),
			pipeline.Feature(&r.Ns, agg.Distinct(n), w2),
			pipeline.Feature(&r.Share, agg.Share(x.Gt(2)), w2),
			pipeline.Feature(&r.SumN, agg.Sum(n), w3),
		)
	})
}

func randomLog(r *rand.Rand, n int) pipelinetest.Log {
	var log pipelinetest.Log
	now := int64(1000)
	off := int64(0)
	for i := range n {
		now += r.Int64N(8)
		if r.IntN(30) == 0 {
			now += r.Int64N(200)
		}
		at := now - r.Int64N(12)
		if r.IntN(10) == 0 {
			at -= r.Int64N(60)
		}
		off += 1 + r.Int64N(2)
		id := fmt.Sprint("i", i)
		if r.IntN(15) == 0 && i > 0 {
			id = fmt.Sprint("i", r.IntN(i))
		}
		maybe := func(d expr.Datum) expr.Datum {
			if r.IntN(6) == 0 {
				return expr.Datum{Null: true}
			}
			return d
		}
		log = append(log, pipelinetest.Record{Partition: 0, Offset: off, Stamp: (at + 100) * 1e6, Values: []expr.Datum{
			{S: id}, {S: fmt.Sprint("k", r.IntN(3))}, {I: at * 1e6},
			maybe(expr.Datum{F: float64(r.IntN(50)) / 10}), maybe(expr.Datum{I: r.Int64N(9)}),
			maybe(expr.Datum{S: fmt.Sprint("n", r.IntN(5))}), maybe(expr.Datum{I: r.Int64N(2)}),
		}})
	}
	return log
}

func rowsOf(p *kernel.Program, rows *kernel.Rows) []pipelinetest.Row {
	var out []pipelinetest.Row
	for i := range rows.Len() {
		row := pipelinetest.Row{Key: string(rows.Keys.At(i)), AskTime: rows.AskTime[i], Partition: rows.Partition[i], Offset: rows.Offset[i], Revision: rows.Revision[i]}
		if row.Offset < 0 {
			row.Partition = -1
		}
		for c := range rows.Columns {
			col := &rows.Columns[c]
			d := expr.Datum{Null: !col.Valid[i]}
			if col.Valid[i] {
				switch col.Kind {
				case schema.Float:
					d.F = col.F[i]
				case schema.Text:
					d.S = string(col.S.At(i))
				default:
					d.I = col.I[i]
				}
			}
			row.Values = append(row.Values, d)
		}
		out = append(out, row)
	}
	return out
}

func TestRandom(t *testing.T) {
	s := time.Second
	grains := []pipeline.Grain{pipeline.EveryEvent(), pipeline.Every(10 * s)}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		ws := make([]window.Window, 3)
		for i := range ws {
			ws[i] = window.Last(time.Duration(1+r.IntN(60)) * s)
			if r.IntN(3) == 0 {
				ws[i] = window.Last(time.Duration(20+r.IntN(60)) * s).Tile(time.Duration(1+r.IntN(20)) * s)
			}
		}
		def := define(grains[seed%2], ws[0], ws[1], ws[2], time.Duration(r.IntN(20))*s, time.Duration(r.IntN(40))*s)
		plan, err := def.Plan()
		if err != nil {
			t.Fatal(err)
		}
		log := randomLog(r, 150)
		o := pipelinetest.NewOracle(plan, log)
		prog, _ := kernel.Compile(plan, kernel.Live)
		task := kernel.NewTask(prog, 0)
		rows := prog.NewRows()
		for len(log) > 0 {
			n := 1 + r.IntN(len(log))
			rec := log[:n].Batch(memory.DefaultAllocator, plan.Source.Schema)
			if err := task.Push(rec, log[n-1].Offset+1, rows); err != nil {
				t.Fatal(err)
			}
			log = log[n:]
		}
		compareRows(t, fmt.Sprint("served ", seed), plan, rowsOf(prog, rows), o.Served())
		// truth
		var sorted pipelinetest.Log
		for _, e := range o.Events {
			sorted = append(sorted, *e.Record)
		}
		sorted = sorted.Sorted(&plan.Source)
		all, _ := kernel.Compile(plan, kernel.All)
		var got []pipelinetest.Row
		f := kernel.NewFold(all, func(p int32) (int64, bool) { return task.Watermark() }, func(rows *kernel.Rows) error {
			got = append(got, rowsOf(all, rows)...)
			return nil
		})
		for len(sorted) > 0 {
			n := 1 + r.IntN(len(sorted))
			if err := f.Push(sorted[:n].Batch(memory.DefaultAllocator, plan.Source.Schema)); err != nil {
				t.Fatal(err)
			}
			sorted = sorted[n:]
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		compareRows(t, fmt.Sprint("truth ", seed), plan, got, o.Truth())
	}
}

func compareRows(t *testing.T, what string, plan *pipeline.Plan, got, want []pipelinetest.Row) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "none", "none"
		if i < len(got) {
			g = fmt.Sprintf("%+v", got[i])
		}
		if i < len(want) {
			w = fmt.Sprintf("%+v", want[i])
		}
		if g != w {
			t.Fatalf("%s row %d of %d, %d\ngot  %s\nwant %s\n%s", what, i, len(got), len(want), g, w, plan.Text())
		}
	}
}
