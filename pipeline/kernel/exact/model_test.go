package exact

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// accumulators are one of each kind that takes floats, fed alike.
type accumulators struct {
	sum     Sum
	moments Moments
	trend   Trend
}

func (a *accumulators) add(p point, pool *Pool) {
	if p.int != nil {
		a.sum.AddInt(*p.int)
		a.moments.AddInt(*p.int)
		a.trend.AddInt(p.t, *p.int)
		return
	}
	a.sum.Add(p.x, pool)
	a.moments.Add(p.x, pool)
	a.trend.Add(p.t, p.x, pool)
}

func (a *accumulators) sub(p point, pool *Pool) {
	if p.int != nil {
		a.sum.SubInt(*p.int)
		a.moments.SubInt(*p.int)
		a.trend.SubInt(p.t, *p.int)
		return
	}
	a.sum.Sub(p.x, pool)
	a.moments.Sub(p.x, pool)
	a.trend.Sub(p.t, p.x, pool)
}

func (a *accumulators) merge(o *accumulators, pool *Pool) {
	a.sum.Merge(&o.sum, pool)
	a.moments.Merge(&o.moments, pool)
	a.trend.Merge(&o.trend, pool)
}

func (a *accumulators) unmerge(o *accumulators, pool *Pool) {
	a.sum.Unmerge(&o.sum, pool)
	a.moments.Unmerge(&o.moments, pool)
	a.trend.Unmerge(&o.trend, pool)
}

func (a *accumulators) reset(pool *Pool) {
	a.sum.Reset(pool)
	a.moments.Reset(pool)
	a.trend.Reset(pool)
}

func (a *accumulators) encode(pool *Pool) []byte {
	return a.trend.Encode(a.moments.Encode(a.sum.Encode(nil, pool), pool), pool)
}

func (a *accumulators) decode(t *testing.T, b []byte, pool *Pool) {
	t.Helper()
	b, err := a.sum.Decode(b, pool)
	if err == nil {
		b, err = a.moments.Decode(b, pool)
	}
	if err == nil {
		b, err = a.trend.Decode(b, pool)
	}
	if err != nil || len(b) != 0 {
		t.Fatalf("decoding what was encoded left %d bytes, error %v", len(b), err)
	}
}

// check compares every answer with the oracle's, to the bit.
func (a *accumulators) check(t *testing.T, want oracle, unit uint64, pool *Pool) {
	t.Helper()
	for name, n := range map[string]uint64{
		"Sum": a.sum.Count(), "Moments": a.moments.Count(), "Trend": a.trend.Count(),
	} {
		if n != uint64(len(want)) {
			t.Fatalf("%s.Count = %d, want %d", name, n, len(want))
		}
	}
	same(t, "Sum.Value", want, result(a.sum.Value(pool), true), result(want.sum(), true))
	same(t, "Moments.Value", want, result(a.moments.Value(pool), true), result(want.sum(), true))
	same(t, "Sum.Mean", want, result(a.sum.Mean(pool)), result(want.mean()))
	same(t, "Moments.Mean", want, result(a.moments.Mean(pool)), result(want.mean()))
	same(t, "VarianceSample", want, result(a.moments.VarianceSample(pool)), result(want.variance(1)))
	same(t, "VariancePop", want, result(a.moments.VariancePop(pool)), result(want.variance(0)))
	same(t, "Slope", want, result(a.trend.Slope(unit, pool)), result(want.slope(unit)))
}

// An answer is a number, or none.
type answer struct {
	bits uint64
	ok   bool
}

func result(x float64, ok bool) answer {
	if !ok {
		return answer{}
	}
	return answer{math.Float64bits(x), true}
}

func (a answer) String() string {
	if !a.ok {
		return "none"
	}
	return fmt.Sprintf("%v (%#x)", math.Float64frombits(a.bits), a.bits)
}

func same(t *testing.T, name string, of oracle, got, want answer) {
	t.Helper()
	if got != want {
		t.Fatalf("%s = %v, want %v, of %v", name, got, want, of)
	}
}

// edges are the values where something changes: a sign, a sort, a rounding, near to far.
var edges = []float64{
	0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1),
	math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
	0x1p-1022, 0x1.fffffffffffffp-1022, 0x0.fffffffffffffp-1022, 1e308, -1e308, 1e-308, 5e-309, 0x1p1023, 0x1p970,
	0x1p87, 0x1.fffffffffffffp86, 0x1p-76, 0x1.fffffffffffffp-77, -0x1.fffffffffffffp-76, // near to a Sum
	0x1p75, 0x1.fffffffffffffp74, 0x1p-44, 0x1.fffffffffffffp-45, -0x1.fffffffffffffp-44, // near to Moments
	0x1p-12, 0x1.fffffffffffffp-12, 0x1p52, 0x1.fffffffffffffp51, // the words of a near number
	1, -1, 0.1, 1e16, -1e16, 0x1p53, 0x1p-53, 0x1.0000000000001p0, 0x1.8p-53, 0x1p63, -0x1p63,
}

var edgeInts = []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1, -(1<<53 + 1), 1e18, 1_700_000_000_000_000}

// script reads the steps of a test from bytes, so that a fuzzer can write them. At its end it reads zeros.
type script struct{ b []byte }

func (s *script) done() bool { return len(s.b) == 0 }

func (s *script) next() int {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return int(c)
}

func (s *script) word() uint64 {
	var w [8]byte
	for i := range w {
		w[i] = byte(s.next())
	}
	return binary.LittleEndian.Uint64(w[:])
}

// value makes a float, often one related to the values that are there: its negative, half a unit of its last place.
func (s *script) value(there oracle) float64 {
	switch kind := s.next() % 8; {
	case kind == 0:
		return float64(s.next()%9 - 4)
	case kind == 1:
		return float64(s.next()) / 10
	case kind == 2:
		return math.Float64frombits(s.word())
	case kind == 3:
		return math.Ldexp(float64(int32(s.word())), s.next()-128)
	case kind <= 5 && len(there) > 0:
		x := there[s.next()%len(there)].x
		if kind == 4 {
			return -x
		}
		return (math.Nextafter(x, math.Inf(1)) - x) / 2
	}
	return edges[s.next()%len(edges)]
}

func (s *script) point(there oracle) point {
	var p point
	switch s.next() % 4 {
	case 0:
		p.t = int64(s.next() % 3)
	case 1:
		p.t = edgeInts[s.next()%len(edgeInts)]
	case 2:
		p.t = 1_700_000_000_000_000 + int64(s.word()%100_000_000)
	default:
		p.t = int64(s.word())
	}
	switch s.next() % 8 {
	case 0:
		v := edgeInts[s.next()%len(edgeInts)]
		p.int = &v
	case 1:
		v := int64(s.word()) >> (s.next() % 64)
		p.int = &v
	default:
		p.x = s.value(there)
	}
	return p
}

// play adds, removes, merges, encodes and decodes as the script says, on two sets of accumulators with one pool, and
// checks every answer after every step.
func play(t *testing.T, b []byte) {
	s := &script{b}
	var pool Pool
	var sets [2]accumulators
	var want [2]oracle
	for !s.done() {
		i := s.next() % 2
		set := &sets[i]
		unit := uint64(1)
		switch op := s.next() % 8; {
		case op == 0 && len(want[i]) > 0:
			// Remove some values one by one, the first ones first, as a sliding window does.
			n := s.next()%len(want[i]) + 1
			for _, p := range want[i][:n] {
				set.sub(p, &pool)
			}
			want[i] = append(oracle(nil), want[i][n:]...)
		case op == 1 && len(want[i]) > 0:
			// Remove some values at once, as tiles do.
			n := s.next()%len(want[i]) + 1
			var tile accumulators
			for _, p := range want[i][:n] {
				tile.add(p, &pool)
			}
			set.unmerge(&tile, &pool)
			tile.reset(&pool)
			want[i] = append(oracle(nil), want[i][n:]...)
		case op == 2 && len(want[0])+len(want[1]) <= 12:
			set.merge(&sets[1-i], &pool)
			want[i] = append(want[i], want[1-i]...)
		case op == 3:
			set.decode(t, set.encode(&pool), &pool)
			unit = s.word()
		case len(want[i]) < 12:
			p := s.point(want[i])
			set.add(p, &pool)
			want[i] = append(want[i], p)
			unit = 60_000_000
		}
		set.check(t, want[i], unit, &pool)
		checkCanonical(t, set, want[i], &pool)
	}
	sets[0].reset(&pool)
	sets[1].reset(&pool)
	if pool.Len() != 0 {
		t.Fatalf("%d entries of the pool are still in use after all was reset", pool.Len())
	}
}

// checkCanonical compares the encoding with that of the same values added in the opposite order with a pool of their own.
func checkCanonical(t *testing.T, got *accumulators, values oracle, pool *Pool) {
	t.Helper()
	var fresh accumulators
	var other Pool
	for i := range values {
		fresh.add(values[len(values)-1-i], &other)
	}
	if !bytes.Equal(got.encode(pool), fresh.encode(&other)) {
		t.Fatalf("the encoding depends on how the accumulators came to hold %v", values)
	}
	if len(values) == 0 && *got != (accumulators{}) {
		t.Fatal("accumulators of nothing are not all zero")
	}
}

func TestAgainstOracle(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 150
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		b := make([]byte, 20+r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		play(t, b)
	}
}

func FuzzAgainstOracle(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		b := make([]byte, 100)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 400 {
			t.Skip("longer scripts only repeat themselves")
		}
		play(t, b)
	})
}
