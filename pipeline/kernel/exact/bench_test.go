package exact

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The arena of a benchmark holds this many accumulators, visited in an order that is not sequential.
const benchKeys = 1 << 10

// columns are what benchmarks add: amounts, readings of both signs, and values whose sizes the branches cannot foresee.
func columns() map[string][]float64 {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 1 << 16
	amounts, signed, wild, far := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		amounts[i] = math.Round(r.ExpFloat64()*10000) / 100
		signed[i] = r.NormFloat64() * 100
		wild[i] = math.Ldexp(r.NormFloat64(), r.IntN(100)-40)
		far[i] = r.NormFloat64() * 1e-200
	}
	return map[string][]float64{"amounts": amounts, "signed": signed, "wild": wild, "far": far}
}

var columnNames = []string{"amounts", "signed", "wild", "far"}

// benchColumns runs op for every column; at is the place of the accumulator in an arena of accumulators of the given
// length, and x the next value.
func benchColumns(b *testing.B, words int, op func(arena []uint64, at, i int, x float64, p *Pool)) {
	data := columns()
	for _, name := range columnNames {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var p Pool
			arena := make([]uint64, words*benchKeys)
			values := data[name]
			for i := range 4 * benchKeys { // give every accumulator what it will need, the entry of the pool too
				op(arena, i%benchKeys*words, i, values[i], &p)
			}
			i := 0
			for b.Loop() {
				op(arena, i*7%benchKeys*words, i, values[i%len(values)], &p)
				i++
			}
		})
	}
}

func sumAt(arena []uint64, at int) *Sum         { return (*Sum)(arena[at : at+SumWords]) }
func momentsAt(arena []uint64, at int) *Moments { return (*Moments)(arena[at : at+MomentsWords]) }
func trendAt(arena []uint64, at int) *Trend     { return (*Trend)(arena[at : at+TrendWords]) }

// BenchmarkSumAdd is the addition alone: without the function that benchColumns calls, whose cost is like its own.
func BenchmarkSumAdd(b *testing.B) {
	data := columns()
	for _, name := range columnNames {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var p Pool
			arena := make([]uint64, SumWords*benchKeys)
			values := data[name]
			for i := range 4 * benchKeys {
				sumAt(arena, i%benchKeys*SumWords).Add(values[i], &p)
			}
			for i := 0; b.Loop(); i++ {
				sumAt(arena, i*7%benchKeys*SumWords).Add(values[i%len(values)], &p)
			}
		})
	}
}

func BenchmarkMomentsAdd(b *testing.B) {
	benchColumns(b, MomentsWords, func(arena []uint64, at, _ int, x float64, p *Pool) { momentsAt(arena, at).Add(x, p) })
}

func BenchmarkTrendAdd(b *testing.B) {
	benchColumns(b, TrendWords, func(arena []uint64, at, i int, x float64, p *Pool) {
		trendAt(arena, at).Add(1_700_000_000_000_000+int64(i)*1_000_000, x, p)
	})
}

// BenchmarkSumSlide adds a value and removes it, as a window does with each event.
func BenchmarkSumSlide(b *testing.B) {
	benchColumns(b, SumWords, func(arena []uint64, at, _ int, x float64, p *Pool) {
		s := sumAt(arena, at)
		s.Add(x, p)
		s.Sub(x, p)
	})
}

// benchFilled runs op over accumulators that hold eight values each.
func benchFilled(b *testing.B, words int, fill func(arena []uint64, at, i int, x float64, p *Pool),
	op func(arena []uint64, at, next int, p *Pool),
) {
	data := columns()
	for _, name := range columnNames {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var p Pool
			arena := make([]uint64, words*benchKeys)
			for i, x := range data[name][:8*benchKeys] {
				fill(arena, i%benchKeys*words, i, x, &p)
			}
			i := 0
			for b.Loop() {
				op(arena, i*7%benchKeys*words, (i*7+1)%benchKeys*words, &p)
				i++
			}
		})
	}
}

func fillSum(arena []uint64, at, _ int, x float64, p *Pool)     { sumAt(arena, at).Add(x, p) }
func fillMoments(arena []uint64, at, _ int, x float64, p *Pool) { momentsAt(arena, at).Add(x, p) }
func fillTrend(arena []uint64, at, i int, x float64, p *Pool) {
	trendAt(arena, at).Add(1_700_000_000_000_000+int64(i)*1_000_000, x, p)
}

var sink float64

func BenchmarkSumValue(b *testing.B) {
	benchFilled(b, SumWords, fillSum, func(arena []uint64, at, _ int, p *Pool) { sink = sumAt(arena, at).Value(p) })
}

func BenchmarkSumMean(b *testing.B) {
	benchFilled(b, SumWords, fillSum, func(arena []uint64, at, _ int, p *Pool) { sink, _ = sumAt(arena, at).Mean(p) })
}

func BenchmarkSumMerge(b *testing.B) {
	benchFilled(b, SumWords, fillSum, func(arena []uint64, at, next int, p *Pool) {
		sumAt(arena, at).Merge(sumAt(arena, next), p)
	})
}

func BenchmarkVariance(b *testing.B) {
	benchFilled(b, MomentsWords, fillMoments, func(arena []uint64, at, _ int, p *Pool) {
		sink, _ = momentsAt(arena, at).VarianceSample(p)
	})
}

func BenchmarkMomentsMerge(b *testing.B) {
	benchFilled(b, MomentsWords, fillMoments, func(arena []uint64, at, next int, p *Pool) {
		momentsAt(arena, at).Merge(momentsAt(arena, next), p)
	})
}

func BenchmarkSlope(b *testing.B) {
	benchFilled(b, TrendWords, fillTrend, func(arena []uint64, at, _ int, p *Pool) {
		sink, _ = trendAt(arena, at).Slope(60_000_000, p)
	})
}

func BenchmarkTrendMerge(b *testing.B) {
	benchFilled(b, TrendWords, fillTrend, func(arena []uint64, at, next int, p *Pool) {
		trendAt(arena, at).Merge(trendAt(arena, next), p)
	})
}

func BenchmarkIntSumAdd(b *testing.B) {
	b.ReportAllocs()
	arena := make([]uint64, IntSumWords*benchKeys)
	i := 0
	for b.Loop() {
		at := i * 7 % benchKeys * IntSumWords
		(*IntSum)(arena[at : at+IntSumWords]).Add(int64(i))
		i++
	}
}
