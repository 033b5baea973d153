package kernel

import (
	"math"
	"unsafe"

	"github.com/spillway-go/spillway/pipeline/kernel/exact"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// overlay reads the front of an accumulator's words as one of package exact's.
func overlay[T exact.Sum | exact.IntSum | exact.Moments | exact.Trend](acc []uint64) *T {
	var t *T
	_ = acc[unsafe.Sizeof(*t)/8-1]
	return (*T)(unsafe.Pointer(unsafe.SliceData(acc)))
}

// floatSum is the exact sum and the number of floats.
var floatSum = accumulator{
	words:  exact.SumWords,
	value:  true,
	ribbed: true,
	add: func(s *store, acc, row []uint64, c *component) {
		overlay[exact.Sum](acc).Add(math.Float64frombits(row[c.value]), &s.exact)
	},
	sub: func(s *store, acc, row []uint64, c *component) {
		overlay[exact.Sum](acc).Sub(math.Float64frombits(row[c.value]), &s.exact)
	},
	merge: func(s *store, acc, other []uint64) {
		overlay[exact.Sum](acc).Merge(overlay[exact.Sum](other), &s.exact)
	},
	unmerge: func(s *store, acc, other []uint64) {
		overlay[exact.Sum](acc).Unmerge(overlay[exact.Sum](other), &s.exact)
	},
	reset: func(s *store, acc []uint64) { overlay[exact.Sum](acc).Reset(&s.exact) },
	encode: func(s *store, dst []byte, acc []uint64) []byte {
		return overlay[exact.Sum](acc).Encode(dst, &s.exact)
	},
	decode: func(s *store, src []byte, acc []uint64) ([]byte, bool) {
		rest, err := overlay[exact.Sum](acc).Decode(src, &s.exact)
		return rest, err != nil
	},
}

// wholeSum is the sum and the number of whole numbers.
var wholeSum = accumulator{
	words:  exact.IntSumWords,
	value:  true,
	ribbed: true,
	add: func(_ *store, acc, row []uint64, c *component) {
		overlay[exact.IntSum](acc).Add(int64(row[c.value]))
	},
	sub: func(_ *store, acc, row []uint64, c *component) {
		overlay[exact.IntSum](acc).Sub(int64(row[c.value]))
	},
	merge:   func(_ *store, acc, other []uint64) { overlay[exact.IntSum](acc).Merge(overlay[exact.IntSum](other)) },
	unmerge: func(_ *store, acc, other []uint64) { overlay[exact.IntSum](acc).Unmerge(overlay[exact.IntSum](other)) },
	reset:   func(_ *store, acc []uint64) { overlay[exact.IntSum](acc).Reset() },
	encode: func(_ *store, dst []byte, acc []uint64) []byte {
		return overlay[exact.IntSum](acc).Encode(dst)
	},
	decode: func(_ *store, src []byte, acc []uint64) ([]byte, bool) {
		rest, err := overlay[exact.IntSum](acc).Decode(src)
		return rest, err != nil
	},
}

// moments makes the accumulator of sums and sums of squares, which differs for floats and whole numbers only in what it
// adds.
func moments(add, sub func(m *exact.Moments, v uint64, p *exact.Pool)) accumulator {
	return accumulator{
		words:  exact.MomentsWords,
		value:  true,
		ribbed: true,
		add: func(s *store, acc, row []uint64, c *component) {
			add(overlay[exact.Moments](acc), row[c.value], &s.exact)
		},
		sub: func(s *store, acc, row []uint64, c *component) {
			sub(overlay[exact.Moments](acc), row[c.value], &s.exact)
		},
		merge: func(s *store, acc, other []uint64) {
			overlay[exact.Moments](acc).Merge(overlay[exact.Moments](other), &s.exact)
		},
		unmerge: func(s *store, acc, other []uint64) {
			overlay[exact.Moments](acc).Unmerge(overlay[exact.Moments](other), &s.exact)
		},
		reset: func(s *store, acc []uint64) { overlay[exact.Moments](acc).Reset(&s.exact) },
		encode: func(s *store, dst []byte, acc []uint64) []byte {
			return overlay[exact.Moments](acc).Encode(dst, &s.exact)
		},
		decode: func(s *store, src []byte, acc []uint64) ([]byte, bool) {
			rest, err := overlay[exact.Moments](acc).Decode(src, &s.exact)
			return rest, err != nil
		},
	}
}

var floatMoments = moments(
	func(m *exact.Moments, v uint64, p *exact.Pool) { m.Add(math.Float64frombits(v), p) },
	func(m *exact.Moments, v uint64, p *exact.Pool) { m.Sub(math.Float64frombits(v), p) })

var wholeMoments = moments(
	func(m *exact.Moments, v uint64, _ *exact.Pool) { m.AddInt(int64(v)) },
	func(m *exact.Moments, v uint64, _ *exact.Pool) { m.SubInt(int64(v)) })

// trend makes the accumulator of a slope: the sums of times, values, their squares and products.
func trend(add, sub func(t *exact.Trend, at int64, v uint64, p *exact.Pool)) accumulator {
	return accumulator{
		words:  exact.TrendWords,
		value:  true,
		ribbed: true,
		add: func(s *store, acc, row []uint64, c *component) {
			add(overlay[exact.Trend](acc), int64(row[rowTime]), row[c.value], &s.exact)
		},
		sub: func(s *store, acc, row []uint64, c *component) {
			sub(overlay[exact.Trend](acc), int64(row[rowTime]), row[c.value], &s.exact)
		},
		merge: func(s *store, acc, other []uint64) {
			overlay[exact.Trend](acc).Merge(overlay[exact.Trend](other), &s.exact)
		},
		unmerge: func(s *store, acc, other []uint64) {
			overlay[exact.Trend](acc).Unmerge(overlay[exact.Trend](other), &s.exact)
		},
		reset: func(s *store, acc []uint64) { overlay[exact.Trend](acc).Reset(&s.exact) },
		encode: func(s *store, dst []byte, acc []uint64) []byte {
			return overlay[exact.Trend](acc).Encode(dst, &s.exact)
		},
		decode: func(s *store, src []byte, acc []uint64) ([]byte, bool) {
			rest, err := overlay[exact.Trend](acc).Decode(src, &s.exact)
			return rest, err != nil
		},
	}
}

var floatSlope = trend(
	func(t *exact.Trend, at int64, v uint64, p *exact.Pool) { t.Add(at, math.Float64frombits(v), p) },
	func(t *exact.Trend, at int64, v uint64, p *exact.Pool) { t.Sub(at, math.Float64frombits(v), p) })

var wholeSlope = trend(
	func(t *exact.Trend, at int64, v uint64, _ *exact.Pool) { t.AddInt(at, int64(v)) },
	func(t *exact.Trend, at int64, v uint64, _ *exact.Pool) { t.SubInt(at, int64(v)) })

// ofWhole tells whether the feature's argument is a whole number.
func (f *feature) ofWhole() bool { return f.plan.Agg.Arg.Kind == schema.Int }

func finishSum(s *store, f *feature, key []uint64, c *Column) bool {
	acc := key[f.parts[0]:]
	if !f.ofWhole() {
		sum := overlay[exact.Sum](acc)
		if sum.Count() == 0 {
			return c.nothing(f.plan)
		}
		return c.float(sum.Value(&s.exact))
	}
	sum := overlay[exact.IntSum](acc)
	if sum.Count() == 0 {
		return c.nothing(f.plan)
	}
	v, ok := sum.Value()
	return c.whole(v, f.plan) && ok
}

func finishMean(s *store, f *feature, key []uint64, c *Column) bool {
	var mean float64
	var ok bool
	if f.ofWhole() {
		mean, ok = overlay[exact.IntSum](key[f.parts[0]:]).Mean()
	} else {
		mean, ok = overlay[exact.Sum](key[f.parts[0]:]).Mean(&s.exact)
	}
	return c.maybe(mean, ok, f.plan)
}

func finishVariance(population, root bool) finish {
	return func(s *store, f *feature, key []uint64, c *Column) bool {
		m := overlay[exact.Moments](key[f.parts[0]:])
		var v float64
		var ok bool
		if population {
			v, ok = m.VariancePop(&s.exact)
		} else {
			v, ok = m.VarianceSample(&s.exact)
		}
		if root {
			v = math.Sqrt(v)
		}
		return c.maybe(v, ok, f.plan)
	}
}

func finishSlope(s *store, f *feature, key []uint64, c *Column) bool {
	v, ok := overlay[exact.Trend](key[f.parts[0]:]).Slope(uint64(f.plan.Agg.Per.Microseconds()), &s.exact)
	return c.maybe(v, ok, f.plan)
}
