package replay

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkNext gives one record an operation. At scale 1,000 the people no longer fit the processor's cache.
func BenchmarkNext(b *testing.B) {
	for _, scale := range []int{1, 1000} {
		b.Run(fmt.Sprintf("scale=%d", scale), func(b *testing.B) {
			r := mustOpen(b, Options{Seed: demoSeed, Scale: scale})
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := r.Next(); !ok {
					b.StopTimer()
					r = mustOpen(b, Options{Seed: demoSeed, Scale: scale})
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkWriteJSONLines writes the whole of scale 1 an operation, opening included.
func BenchmarkWriteJSONLines(b *testing.B) {
	var lines int64
	for b.Loop() {
		n, err := mustOpen(b, Options{Seed: demoSeed, Partitions: 4}).WriteJSONLines(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		lines += n
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "records/s")
}

func mustOpen(tb testing.TB, o Options) *Replay {
	tb.Helper()
	r, err := Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
