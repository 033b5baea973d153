package exact

import (
	"math"
	"math/bits"
)

// MomentsWords is the length of Moments in words.
const MomentsWords = wordSquares + squaresWords

// The sum of squares has three words of fraction and three of integer: units of 2^-192. A value is near to Moments if the
// 53 bits of its mantissa lie between 2^-96 and 2^75: its square then lies between 2^-192 and 2^150, and 2^40 of them stay
// below the 2^191 that six words reach.
const (
	wordSquares  = wordNear + 4
	squaresWords = 6
	squaresUnit  = -192

	momentsLow  = squaresUnit/2 + 1075 // the least exponent of a near value
	momentsSpan = 119                  // the number of exponents: 2^-44 ≤ |x| < 2^75
)

// Moments is the number of values, their exact sum and the exact sum of their squares: for variances and standard
// deviations, and for the sum and the mean beside them. It is a view of words in an arena, as Sum is.
type Moments [MomentsWords]uint64

func (m *Moments) near() *near       { return (*near)(m[wordNear:]) }
func (m *Moments) squares() []uint64 { return m[wordSquares:] }

// Count is how many values there are.
func (m *Moments) Count() uint64 { return m[wordCount] }

// Add adds a value.
func (m *Moments) Add(x float64, p *Pool) { m.update(math.Float64bits(x), 1, p) }

// Sub removes a value that was added.
func (m *Moments) Sub(x float64, p *Pool) { m.update(math.Float64bits(x), minusOne, p) }

func (m *Moments) update(b, delta uint64, p *Pool) {
	e := exponent(b) - momentsLow
	if e >= momentsSpan {
		m.updateFar(b, delta, p)
		return
	}
	m[wordCount] += delta
	mantissa := b&mantissaMask | hiddenBit
	m.near().add(mantissa, e+momentsLow-nearLow, mask(b^delta))
	hi, lo := bits.Mul64(mantissa, mantissa)
	addShifted(m.squares(), hi, lo, 2*e, mask(delta))
}

// updateFar takes the values that are not near, and zeros, which only count.
func (m *Moments) updateFar(b, delta uint64, p *Pool) {
	m[wordCount] += delta
	if b&^signBit == 0 {
		return
	}
	f := p.hold(&m[wordFar])
	if f.count(b, delta, true) {
		f.add(b, delta)
		mantissa, e := split(b)
		hi, lo := bits.Mul64(mantissa, mantissa)
		addShifted(f.second, hi, lo, uint64(2*e-farSquaresUnit), mask(delta))
	}
	p.settle(&m[wordFar])
}

// AddInt adds an integer, of which no bit is lost.
func (m *Moments) AddInt(x int64) { m.updateInt(x, 1) }

// SubInt removes an integer that was added.
func (m *Moments) SubInt(x int64) { m.updateInt(x, minusOne) }

func (m *Moments) updateInt(x int64, delta uint64) {
	m[wordCount] += delta
	m.near().addInt(x, delta)
	a := magnitude(x)
	hi, lo := bits.Mul64(a, a)
	addShifted(m.squares(), hi, lo, -squaresUnit, mask(delta))
}

// Merge adds all the values of other moments, which keep them.
func (m *Moments) Merge(o *Moments, p *Pool) {
	m[wordCount] += o[wordCount]
	m.near().merge(o.near())
	add(m.squares(), o.squares())
	if o[wordFar] != 0 {
		p.merge(&m[wordFar], o[wordFar], 1)
	}
}

// Unmerge removes all the values of other moments, which keep them and all of which were added or merged.
func (m *Moments) Unmerge(o *Moments, p *Pool) {
	m[wordCount] -= o[wordCount]
	m.near().unmerge(o.near())
	sub(m.squares(), o.squares())
	if o[wordFar] != 0 {
		p.merge(&m[wordFar], o[wordFar], minusOne)
	}
}

// Reset makes the moments those of nothing and gives their entry back to the pool: before their words are used for
// something else.
func (m *Moments) Reset(p *Pool) {
	p.drop(&m[wordFar])
	*m = Moments{}
}

// Value is the sum of the values rounded once, as that of a Sum.
func (m *Moments) Value(p *Pool) float64 { return m.near().over(1, p.find(m[wordFar])) }

// Mean is the mean of the values rounded once, as that of a Sum.
func (m *Moments) Mean(p *Pool) (mean float64, ok bool) {
	if m[wordCount] == 0 {
		return 0, false
	}
	return m.near().over(m[wordCount], p.find(m[wordFar])), true
}

// VarianceSample is (nΣx² − (Σx)²)/(n(n−1)) rounded once. It reports false below two values, and is NaN while there is a
// NaN or an infinity.
func (m *Moments) VarianceSample(p *Pool) (variance float64, ok bool) {
	if m[wordCount] < 2 {
		return 0, false
	}
	return m.variance(m[wordCount]-1, p), true
}

// VariancePop is (nΣx² − (Σx)²)/n² rounded once. It reports false for nothing, and is NaN while there is a NaN or an
// infinity.
func (m *Moments) VariancePop(p *Pool) (variance float64, ok bool) {
	if m[wordCount] == 0 {
		return 0, false
	}
	return m.variance(m[wordCount], p), true
}

// StdDevSample is the square root of VarianceSample, and rounded again.
func (m *Moments) StdDevSample(p *Pool) (deviation float64, ok bool) {
	v, ok := m.VarianceSample(p)
	return math.Sqrt(v), ok
}

// StdDevPop is the square root of VariancePop, and rounded again.
func (m *Moments) StdDevPop(p *Pool) (deviation float64, ok bool) {
	v, ok := m.VariancePop(p)
	return math.Sqrt(v), ok
}

// variance returns (nΣx² − (Σx)²)/(n·freedom) rounded once.
func (m *Moments) variance(freedom uint64, p *Pool) float64 {
	n := m[wordCount]
	if f := p.find(m[wordFar]); f != nil {
		return f.variance(n, freedom, m)
	}
	// (Σx)² has units of 2^-256, one word below those of Σx².
	var numerator, square [8]uint64
	numerator[7] = mulAdd(numerator[1:7], m.squares(), n)
	x := *m.near()
	abs(x[:])
	mul(square[:], x[:], x[:])
	sub(numerator[:], square[:])
	return overProduct(numerator[:], n, freedom, 2*nearUnit)
}

// overProduct returns x/(a·b)·2^exp rounded once.
func overProduct(x []uint64, a, b uint64, exp int) float64 {
	hi, lo := bits.Mul64(a, b)
	return divide(x, []uint64{lo, hi}, exp, 0)
}

// variance is that of the near values of m and those of the entry together.
func (f *far) variance(n, freedom uint64, m *Moments) float64 {
	if _, special := f.special(); special {
		return math.NaN()
	}
	sum := f.total(m.near())
	abs(sum[:])
	var squares [farSecondWords]uint64
	copy(squares[:], f.second)
	add(squares[nearSquaresAboveFarSquares:], m.squares())

	// Both products have the unit of the far squares. They are below 2^2128, which leaves their top words a sign.
	var numerator [farSecondWords + 1]uint64
	var square [2 * farSumWords]uint64
	numerator[farSecondWords] = mulAdd(numerator[:farSecondWords], squares[:], n)
	mul(square[:], sum[:], sum[:])
	sub(numerator[:], square[:len(numerator)])
	return overProduct(numerator[:], n, freedom, farSquaresUnit)
}
