package reconcile

import (
	"context"
	"fmt"
	"testing"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// BenchmarkIdentity compares two equal sides: what every row costs when all is well.
func BenchmarkIdentity(b *testing.B) {
	w := glucoseWorld(b, persons(3), 10)
	rows := compiled(b, w.plan, kernel.Live).NewRows()
	const n = 1 << 20
	for i := range n {
		rows.Keys.Append(fmt.Appendf(nil, "c%06d", i/100))
		copyRow(rows, w.served, 1)
		rows.AskTime[i], rows.Offset[i] = int64(i), int64(i)
	}
	w.batch = 1 << 14
	w.served, w.stream = rows, rows
	in := w.input()
	b.ReportAllocs()
	for b.Loop() {
		id, err := identity(context.Background(), in)
		if err != nil || id.Agreed != n {
			b.Fatal(err, id)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRun reconciles readings of which a twentieth is answered otherwise than truth does.
func BenchmarkRun(b *testing.B) {
	w := glucoseWorld(b, persons(20), 2000)
	in := w.input()
	b.ReportAllocs()
	for b.Loop() {
		r, err := Run(context.Background(), in, Options{})
		if err != nil || r.Verdict.Outcome != Agrees {
			b.Fatal(err, r.Verdict)
		}
	}
	b.ReportMetric(float64(w.served.Len()*b.N)/b.Elapsed().Seconds(), "rows/s")
}
