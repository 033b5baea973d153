package exact

import (
	"math"
	"math/big"
	"testing"
)

var inf, nan = math.Inf(1), math.NaN()

func TestSumAndMeanOfKnownValues(t *testing.T) {
	const least, most = math.SmallestNonzeroFloat64, math.MaxFloat64
	tenth := []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}
	for _, c := range []struct {
		name      string
		values    []float64
		sum, mean float64
	}{
		{"cancellation", []float64{1e16, 1, -1e16}, 1, 1.0 / 3},
		{"ten tenths", tenth, 1, 0.1},
		{"negative zeros", []float64{math.Copysign(0, -1), math.Copysign(0, -1)}, 0, 0},
		{"opposites", []float64{1e-300, 7, -7, -1e-300}, 0, 0},
		{"far and near", []float64{1e308, 1e-308, 1, -1e308, -1e-308}, 1, 0.2},
		{"tie to even, down", []float64{1, 0x1p-53}, 1, 0.5},
		{"tie to even, up", []float64{0x1.0000000000001p0, 0x1p-53}, 0x1.0000000000002p0, 0x1.0000000000002p-1},
		{"more than a tie", []float64{1, 0x1p-53, least}, 0x1.0000000000001p0, 0x1.5555555555556p-2},
		{"less than a tie", []float64{0x1.0000000000001p0, 0x1p-53, -least}, 0x1.0000000000001p0, 0x1.5555555555557p-2},
		{"negative tie", []float64{-1, -0x1p-53}, -1, -0.5},
		{"carry to a power of two", []float64{0x1.fffffffffffffp0, 0x1p-53}, 2, 1},
		{"too large", []float64{most, most}, inf, most},
		{"too large for a while", []float64{most, most, -most}, most, most / 3},
		{"half a unit above the largest", []float64{most, 0x1p970}, inf, 0x1p1023},
		{"just less than half a unit", []float64{most, 0x1.fffffffffffffp969}, most, most / 2},
		{"subnormal", []float64{least, least, least}, 3 * least, least},
		{"subnormal tie, down", []float64{least, 0}, least, 0},
		{"subnormal tie, up", []float64{3 * least, 0}, 3 * least, 2 * least},
		{"subnormal up to normal", []float64{0x1p-1022, 0x0.fffffffffffffp-1022}, 0x1.fffffffffffffp-1022, 0x1p-1022},
		{"a NaN", []float64{1, nan, inf}, nan, nan},
		{"an infinity", []float64{inf, 1, inf}, inf, inf},
		{"a negative infinity", []float64{-inf, 1e300}, -inf, -inf},
		{"both infinities", []float64{inf, -inf}, nan, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Sum
			var p Pool
			var o oracle
			for _, x := range c.values {
				s.Add(x, &p)
				o = append(o, point{x: x})
			}
			same(t, "Value", o, result(s.Value(&p), true), result(c.sum, true))
			same(t, "Mean", o, result(s.Mean(&p)), result(c.mean, true))
			same(t, "the oracle's sum", o, result(o.sum(), true), result(c.sum, true))
			same(t, "the oracle's mean", o, result(o.mean()), result(c.mean, true))
		})
	}
}

func TestNothing(t *testing.T) {
	var a accumulators
	var p Pool
	a.check(t, nil, 1, &p)
	var s IntSum
	if v, ok := s.Value(); v != 0 || !ok {
		t.Errorf("IntSum.Value of nothing = %d, %t, want 0, true", v, ok)
	}
	if _, ok := s.Mean(); ok {
		t.Error("IntSum.Mean of nothing is not none")
	}
}

// A window that held a NaN and lost it has a number again (S4), and the pool its entry.
func TestSpecialValuesLeaveNoTrace(t *testing.T) {
	for _, x := range []float64{nan, inf, -inf, 1e308, 1e-308} {
		var a accumulators
		var p Pool
		a.add(point{t: 1, x: 1}, &p)
		a.add(point{t: 2, x: 2}, &p)
		before := a
		a.add(point{t: 3, x: x}, &p)
		if p.Len() != 3 {
			t.Errorf("%v: %d entries in use, want one for each accumulator", x, p.Len())
		}
		a.check(t, oracle{{t: 1, x: 1}, {t: 2, x: 2}, {t: 3, x: x}}, 1, &p)
		a.sub(point{t: 3, x: x}, &p)
		if a != before || p.Len() != 0 {
			t.Errorf("%v: left %v, %d entries; want %v, 0", x, a, p.Len(), before)
		}
	}
}

// An entry that one kind of accumulator gave back serves another.
func TestPoolReusesEntries(t *testing.T) {
	var p Pool
	var m Moments
	m.Add(1e300, &p)
	m.Add(nan, &p)
	m.Reset(&p)
	if m != (Moments{}) || p.Len() != 0 {
		t.Fatalf("after Reset: %v, %d entries in use", m, p.Len())
	}
	var s Sum
	s.Add(1e-300, &p)
	if got := s.Value(&p); got != 1e-300 {
		t.Errorf("Value = %v, want 1e-300", got)
	}
	if len(p.entries) != 1 {
		t.Errorf("%d entries, want the one that was free", len(p.entries))
	}
	var fresh Sum
	var other Pool
	fresh.Add(1e-300, &other)
	if got, want := s.Encode(nil, &p), fresh.Encode(nil, &other); string(got) != string(want) {
		t.Errorf("the encoding shows the entry's former use: %x, want %x", got, want)
	}
}

// Removing may come before adding: only the whole counts.
func TestSubBeforeAdd(t *testing.T) {
	points := oracle{{t: 1, x: 1e301}, {t: 2, x: 3e300}, {t: 4, x: 2}}
	for _, x := range []float64{0, 3, 1e300, -1e-300, nan, inf} {
		var a accumulators
		var p Pool
		early := point{t: -5, x: x}
		a.sub(early, &p)
		a.add(points[0], &p)
		a.add(points[1], &p)
		a.add(points[2], &p)
		a.add(early, &p)
		a.check(t, points, 1, &p)
		for _, q := range points {
			a.sub(q, &p)
		}
		if a != (accumulators{}) || p.Len() != 0 {
			t.Errorf("%v: left %v, %d entries", x, a, p.Len())
		}
	}
}

// The usual values need no entry of the pool: that is what the documented ranges promise.
func TestNearRange(t *testing.T) {
	for _, c := range []struct {
		x            float64
		sum, moments bool // near to a Sum and a Trend, near to Moments
	}{
		{0, true, true},
		{math.Copysign(0, -1), true, true},
		{1, true, true},
		{-math.Pi, true, true},
		{0x1p-44, true, true},
		{0x1.fffffffffffffp-45, true, false},
		{-0x1.fffffffffffffp74, true, true},
		{0x1p75, true, false},
		{0x1p-76, true, false},
		{0x1.fffffffffffffp-77, false, false},
		{0x1.fffffffffffffp86, true, false},
		{-0x1p87, false, false},
		{math.SmallestNonzeroFloat64, false, false},
		{math.MaxFloat64, false, false},
		{nan, false, false},
	} {
		var p Pool
		var s Sum
		var m Moments
		var r Trend
		isNear := func() bool { n := p.Len(); p = Pool{}; return n == 0 }
		s.Add(c.x, &p)
		if got := isNear(); got != c.sum {
			t.Errorf("%v is near to a Sum: %t, want %t", c.x, got, c.sum)
		}
		m.Add(c.x, &p)
		if got := isNear(); got != c.moments {
			t.Errorf("%v is near to Moments: %t, want %t", c.x, got, c.moments)
		}
		r.Add(1, c.x, &p)
		if got := isNear(); got != c.sum {
			t.Errorf("%v is near to a Trend: %t, want %t", c.x, got, c.sum)
		}
	}
}

// MaxCount values of the largest size overflow nothing: two of them, doubled by merging to 2^40.
func TestNoOverflowUpToMaxCount(t *testing.T) {
	for _, v := range [][2]float64{
		{0x1.fffffffffffffp86, 0x1.fffffffffffffp86},
		{-0x1.fffffffffffffp86, -0x1.fffffffffffffp86},
		{0x1.fffffffffffffp74, -0x1.fffffffffffffp74},
		{0x1.fffffffffffffp74, 0x1.fffffffffffffp74},
		{0x1.fffffffffffffp87, 0x1.fffffffffffffp87}, // too large to be near
		{0x1.fffffffffffffp75, 0x1.fffffffffffffp75},
		{0x1.fffffffffffffp75, 0x1p-300},
		{0x1.fffffffffffffp74, 0x1p-300},
		{0x1p-76, 0x1.8p-76},
		{math.MaxFloat64, math.MaxFloat64},
		{-math.MaxFloat64, math.MaxFloat64},
		{-math.MaxFloat64, -math.SmallestNonzeroFloat64},
	} {
		two := oracle{{t: math.MinInt64, x: v[0]}, {t: math.MaxInt64, x: v[1]}}
		var a accumulators
		var p Pool
		a.add(two[0], &p)
		a.add(two[1], &p)
		for a.sum.Count() < MaxCount {
			a.merge(&a, &p)
		}
		if got := a.sum.Count(); got != MaxCount {
			t.Fatalf("Count = %d", got)
		}
		sum := new(big.Rat).Add(two.rat(0), two.rat(1))
		sum.Mul(sum, new(big.Rat).SetInt64(MaxCount/2))
		same(t, "Sum.Value", two, result(a.sum.Value(&p), true), result(nearest(sum), true))
		// Neither the mean nor the variance nor the slope depends on how often each point is there.
		same(t, "Sum.Mean", two, result(a.sum.Mean(&p)), result(two.mean()))
		same(t, "Moments.Mean", two, result(a.moments.Mean(&p)), result(two.mean()))
		same(t, "VariancePop", two, result(a.moments.VariancePop(&p)), result(two.variance(0)))
		for _, unit := range []uint64{1, math.MaxUint64} {
			same(t, "Slope", two, result(a.trend.Slope(unit, &p)), result(two.slope(unit)))
		}
		// The divisor of the sample is n − 1: with n = 2^40, Σ(x − mean)² = n·VariancePop.
		pop, _ := two.variance(0)
		if sample, ok := a.moments.VarianceSample(&p); !ok || sample < pop {
			t.Errorf("VarianceSample = %v, %t, below VariancePop = %v", sample, ok, pop)
		}
	}
}

// Adding, removing, merging and answering allocate nothing once the pool has the entries that it needs.
func TestNoAllocation(t *testing.T) {
	var p Pool
	var a, o accumulators
	run := func() {
		for _, x := range []float64{1.5, 1e300, 1e-300, nan} {
			a.add(point{t: 1, x: x}, &p)
			a.merge(&o, &p)
			for range 2 {
				sink = a.sum.Value(&p)
				sink, _ = a.sum.Mean(&p)
				sink, _ = a.moments.StdDevSample(&p)
				sink, _ = a.moments.VariancePop(&p)
				sink, _ = a.trend.Slope(1, &p)
			}
			a.unmerge(&o, &p)
			a.sub(point{t: 1, x: x}, &p)
		}
	}
	for i, x := range []float64{3, -1e300, 2e-300} {
		o.add(point{t: int64(i), x: x}, &p)
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
