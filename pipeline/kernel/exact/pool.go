package exact

import "math"

// A far entry has one or two signed numbers. The unit of a sum, and of a sum of products with an int64, is 2^-1088; that
// of a sum of squares is 2^-2176. Both cover every float64, in 2^40 additions, and their units lie a whole number of words
// below those of the near numbers, which are then added to them without a shift.
const (
	farUnit        = -1088
	farSquaresUnit = 2 * farUnit

	farSumWords    = 35
	farSecondWords = 67

	nearAboveFar               = (nearUnit - farUnit) / 64
	nearSquaresAboveFarSquares = (squaresUnit - farSquaresUnit) / 64
)

// Pool holds what the words of accumulators cannot: the values that are not near. An accumulator has an entry only while
// it holds such values, and refers to it by a word. An entry that is given back keeps its room, at most 900 bytes, for the
// next accumulator that needs one.
//
// The zero Pool is ready to use. A Pool and the accumulators that use it belong to one goroutine at a time.
type Pool struct {
	entries []far
	free    []uint64 // references of the entries that nobody uses
}

// far is the part of one accumulator that is not near.
type far struct {
	finite, nan, posInf, negInf uint64 // how many values of each sort

	sum    []uint64 // of the finite values; nil or farSumWords
	second []uint64 // of their squares or products; nil or farSecondWords
}

// Len is the number of accumulators that hold values which are not near.
func (p *Pool) Len() int { return len(p.entries) - len(p.free) }

// at returns the entry of a reference that is not 0. Entries move when the pool grows.
func (p *Pool) at(ref uint64) *far { return &p.entries[ref-1] }

// hold returns the entry that *ref refers to, and gives it one if it has none.
func (p *Pool) hold(ref *uint64) *far {
	if *ref == 0 {
		if n := len(p.free); n > 0 {
			*ref = p.free[n-1]
			p.free = p.free[:n-1]
		} else {
			p.entries = append(p.entries, far{})
			*ref = uint64(len(p.entries))
		}
	}
	return p.at(*ref)
}

// settle takes the entry back if it holds nothing any more. Its numbers are zero then, as the next user expects them.
func (p *Pool) settle(ref *uint64) {
	f := p.at(*ref)
	if f.finite|f.nan|f.posInf|f.negInf == 0 && isZero(f.sum) && isZero(f.second) {
		p.free = append(p.free, *ref)
		*ref = 0
	}
}

// drop takes the entry back, if there is one, whatever it holds.
func (p *Pool) drop(ref *uint64) {
	if *ref == 0 {
		return
	}
	f := p.at(*ref)
	clear(f.sum)
	clear(f.second)
	*f = far{sum: f.sum, second: f.second}
	p.settle(ref)
}

// merge adds the entry of the reference other, which is not 0, to that of *ref, or subtracts it if delta is −1.
func (p *Pool) merge(ref *uint64, other, delta uint64) {
	f := p.hold(ref)
	o := p.at(other)
	f.finite += delta * o.finite
	f.nan += delta * o.nan
	f.posInf += delta * o.posInf
	f.negInf += delta * o.negInf
	f.grow(o.sum != nil, o.second != nil)
	combine := add
	if mask(delta) != 0 {
		combine = sub
	}
	if o.sum != nil {
		combine(f.sum, o.sum)
	}
	if o.second != nil {
		combine(f.second, o.second)
	}
	p.settle(ref)
}

// grow gives the entry the numbers that it is to have and has not.
func (f *far) grow(sum, second bool) {
	if sum && f.sum == nil {
		f.sum = make([]uint64, farSumWords)
	}
	if second && f.second == nil {
		f.second = make([]uint64, farSecondWords)
	}
}

// count adds delta values with the given bits to the counts. It reports whether they are finite, and has made room for
// the numbers that the caller is to add them to.
func (f *far) count(b, delta uint64, second bool) (finite bool) {
	x := math.Float64frombits(b)
	switch {
	case math.IsNaN(x):
		f.nan += delta
	case math.IsInf(x, 1):
		f.posInf += delta
	case math.IsInf(x, -1):
		f.negInf += delta
	default:
		f.finite += delta
		f.grow(true, second)
		return true
	}
	return false
}

// special returns the sum of the entry's values if it is not a finite number.
func (f *far) special() (sum float64, ok bool) {
	switch {
	case f.nan != 0 || f.posInf != 0 && f.negInf != 0:
		return math.NaN(), true
	case f.posInf != 0:
		return math.Inf(1), true
	case f.negInf != 0:
		return math.Inf(-1), true
	}
	return 0, false
}

// find returns the entry of a reference, or nil for the reference 0.
func (p *Pool) find(ref uint64) *far {
	if ref == 0 {
		return nil
	}
	return p.at(ref)
}

// add adds the finite value with the bits b to the sum, or subtracts it if delta is −1.
func (f *far) add(b, delta uint64) {
	m, e := split(b)
	addShifted(f.sum, 0, m, uint64(e-farUnit), mask(b^delta))
}

// total returns the sum of the entry and a near number, in far units.
func (f *far) total(n *near) (sum [farSumWords]uint64) {
	copy(sum[:], f.sum)
	add(sum[nearAboveFar:], n[:])
	return sum
}

// over returns the sum of the entry and a near number divided by a whole number that is not 0, rounded once.
func (f *far) over(divisor uint64, n *near) float64 {
	if sum, ok := f.special(); ok {
		return sum
	}
	sum := f.total(n)
	neg := abs(sum[:])
	return divideWord(sum[:], divisor, farUnit, neg)
}
