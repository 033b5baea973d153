package bench

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// BenchmarkKernel is the kernel alone, on one core: one op is one event. Offsets and times run on through the loops over
// the prepared batches, so that the state stays that of a running stream.
func BenchmarkKernel(b *testing.B) {
	for _, bm := range []struct {
		name  string
		def   *pipeline.Pipeline
		share float64
	}{
		{"card_activity/1%disorder", payments.Activity, 0.01},
		{"y1/disordered", payments.Y1, 1},
		{"y2/disordered", payments.Y2, 1},
	} {
		b.Run(bm.name, func(b *testing.B) { benchKernel(b, bm.def, payments.New(1, 10*time.Second, bm.share)) })
	}
}

const batchRows = 4096

var prepared = map[*pipeline.Pipeline][]arrow.RecordBatch{}

func benchKernel(b *testing.B, def *pipeline.Pipeline, g *payments.Generator) {
	plan, err := def.Plan()
	if err != nil {
		b.Fatal(err)
	}
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		b.Fatal(err)
	}
	if prepared[def] == nil {
		for i := range 1000 {
			prepared[def] = append(prepared[def], g.Record(plan.Source.Schema, batchRows, 0, int64(i*batchRows)))
		}
	}
	batches := prepared[def]
	task, rows := kernel.NewTask(prog, 0), prog.NewRows()
	at := 0
	push := func() {
		if at == len(batches) {
			b.StopTimer()
			at, task = 0, kernel.NewTask(prog, 0)
			b.StartTimer()
		}
		if err := task.Push(batches[at], int64(at+1)*batchRows, rows); err != nil {
			b.Fatal(err)
		}
		rows.Reset()
		at++
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batchRows {
		push()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mevents/s")
}
