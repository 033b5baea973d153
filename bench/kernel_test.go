package bench

import (
	"syscall"
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
		name string
		def  *pipeline.Pipeline
		of   *payments.Generator
	}{
		{"card_activity/1%disorder", payments.Activity, payments.New(1, 10*time.Second, 0.01).Punctual()},
		{"card_activity/1%disorder+0.5%late", payments.Activity, payments.New(1, 10*time.Second, 0.01)},
		{"card_activity/disordered+0.5%late", payments.Activity, payments.Standard(1)},
		{"y1/disordered+0.5%late", payments.Y1, payments.Standard(1)},
		{"y2/disordered+0.5%late", payments.Y2, payments.Standard(1)},
	} {
		b.Run(bm.name, func(b *testing.B) { benchKernel(b, bm.def, bm.of) })
	}
}

const batchRows = 4096

var prepared = map[*payments.Generator][]arrow.RecordBatch{}

func benchKernel(b *testing.B, def *pipeline.Pipeline, g *payments.Generator) {
	plan, err := def.Plan()
	if err != nil {
		b.Fatal(err)
	}
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		b.Fatal(err)
	}
	if prepared[g] == nil {
		for i := range 1000 {
			prepared[g] = append(prepared[g], g.Record(plan.Source.Schema, batchRows, 0, int64(i*batchRows)))
		}
	}
	batches := prepared[g]
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
	before := cpuTime(b)
	n := 0
	for ; n < b.N; n += batchRows {
		push()
	}
	b.ReportMetric(float64(n)/(cpuTime(b)-before).Seconds()/1e6, "Mevents/cpu-s")
}

// cpuTime is what this process has spent so far, the collector's work included: unlike wall time it means the same on a
// machine that does something else beside it.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
