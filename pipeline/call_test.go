package pipeline_test

import (
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// An int32 function of a sum that is no int32 must make its record invalid (package expr, invariant 3), also behind a
// Select, in the oracle and in the kernel alike.
func TestFunctionsNeverSeeHalfANumber(t *testing.T) {
	plan := planOf(t, pipeline.Define("small", func(d *pipeline.Draft) {
		var e struct {
			Key string    `spill:"key,key"`
			At  time.Time `spill:"at,time"`
			N   int32     `spill:"n"`
		}
		var next struct {
			N int32 `spill:"next"`
		}
		var r struct {
			Key  string `spill:"key,key"`
			Last *int32 `spill:"last"`
		}
		events := pipeline.From(d, "events", &e)
		events = pipeline.Select(events, &next, pipeline.Set(&next.N, expr.Add(expr.Col(&e.N), expr.Lit[int32](1))))
		same := expr.Call("same/v1", func(n int32) int32 { return n }, expr.Col(&next.N))
		pipeline.Aggregate(events, &r, pipeline.EveryEvent(), pipeline.Feature(&r.Last, agg.Last(same), minute))
	}))
	var log pipelinetest.Log
	for i, n := range []int64{math.MaxInt32 - 1, math.MaxInt32, math.MinInt32} {
		at := int64(i)
		log = append(log, pipelinetest.Record{Offset: at, Stamp: 1000 * at, Values: []expr.Datum{{S: "a"}, {I: at}, {I: n}}})
	}
	want := []kernel.Class{kernel.OnTime, kernel.Dead, kernel.OnTime}
	for i, e := range pipelinetest.NewOracle(plan, log).Events {
		if e.Class != pipelinetest.Class(want[i]) {
			t.Errorf("oracle: record %d is %v", i, e.Class)
		}
	}
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	task, rows := kernel.NewTask(prog, 0), prog.NewRows()
	if err := task.Push(log.Batch(memory.DefaultAllocator, plan.Source.Schema), 3, rows); err != nil {
		t.Fatal(err)
	}
	for i, c := range task.Classes() {
		if c != want[i] {
			t.Errorf("kernel: record %d is %v", i, c)
		}
	}
	if got := rows.Columns[0]; got.Kind != schema.Int || len(got.I) != 2 || got.I[0] != math.MaxInt32 || got.I[1] != math.MinInt32+1 {
		t.Errorf("the answers are %v", got.I)
	}
}
