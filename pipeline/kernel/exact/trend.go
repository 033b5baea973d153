package exact

import (
	"math"
	"math/bits"
)

// TrendWords is the length of a Trend in words.
const TrendWords = wordTimeSquares + timeSquaresWords

// With n ≤ 2^40 values, Σt stays below 2^103 and Σt² below 2^166 for any int64 times. Σtx has two words of fraction and
// three of integer: as a near value is below 2^87, it stays below 2^190 of the 2^191 that it reaches.
const (
	wordProducts     = wordNear + 4 // Σtx, signed, units of 2^-128
	productsWords    = 5
	wordTimes        = wordProducts + productsWords // Σt, signed
	timesWords       = 2
	wordTimeSquares  = wordTimes + timesWords // Σt²
	timeSquaresWords = 3
)

// Trend is the exact sums over points (t, x) that a least-squares line needs: for slopes. It is a view of words in an
// arena, as Sum is.
//
// Times are whole numbers of any unit and anchor, such as microseconds since 1970: a slope does not depend on the anchor,
// and nothing cancels in exact sums, so there is no need to centre them. Trends that are merged share unit and anchor.
type Trend [TrendWords]uint64

func (r *Trend) near() *near           { return (*near)(r[wordNear:]) }
func (r *Trend) products() []uint64    { return r[wordProducts:wordTimes] }
func (r *Trend) times() []uint64       { return r[wordTimes:wordTimeSquares] }
func (r *Trend) timeSquares() []uint64 { return r[wordTimeSquares:] }

// Count is how many points there are.
func (r *Trend) Count() uint64 { return r[wordCount] }

// Add adds the value x at time t.
func (r *Trend) Add(t int64, x float64, p *Pool) { r.update(t, math.Float64bits(x), 1, p) }

// Sub removes a point that was added.
func (r *Trend) Sub(t int64, x float64, p *Pool) { r.update(t, math.Float64bits(x), minusOne, p) }

func (r *Trend) update(t int64, b, delta uint64, p *Pool) {
	r.updateTime(t, delta)
	if b&^signBit == 0 {
		return
	}
	shift := exponent(b) - nearLow
	if shift >= nearSpan {
		r.updateFar(t, b, delta, p)
		return
	}
	m, neg := b&mantissaMask|hiddenBit, mask(b^delta)
	r.near().add(m, shift, neg)
	hi, lo := bits.Mul64(m, magnitude(t))
	addShifted(r.products(), hi, lo, shift, neg^mask(uint64(t)))
}

// updateTime adds what does not depend on the value: every point has a time, also one of a NaN.
func (r *Trend) updateTime(t int64, delta uint64) {
	r[wordCount] += delta
	a, neg := magnitude(t), mask(delta)
	hi, lo := bits.Mul64(a, a)
	addShifted(r.timeSquares(), hi, lo, 0, neg)

	neg ^= mask(uint64(t))
	sum := r.times()
	var c uint64
	sum[0], c = bits.Add64(sum[0], a^neg, neg&1)
	sum[1], _ = bits.Add64(sum[1], neg, c)
}

// updateFar takes the values that are not near.
func (r *Trend) updateFar(t int64, b, delta uint64, p *Pool) {
	f := p.hold(&r[wordFar])
	if f.count(b, delta, true) {
		f.add(b, delta)
		m, e := split(b)
		hi, lo := bits.Mul64(m, magnitude(t))
		addShifted(f.second, hi, lo, uint64(e-farUnit), mask(b^delta^uint64(t)))
	}
	p.settle(&r[wordFar])
}

// AddInt adds the integer x at time t; no bit of it is lost.
func (r *Trend) AddInt(t, x int64) { r.updateInt(t, x, 1) }

// SubInt removes a point of an integer that was added.
func (r *Trend) SubInt(t, x int64) { r.updateInt(t, x, minusOne) }

func (r *Trend) updateInt(t, x int64, delta uint64) {
	r.updateTime(t, delta)
	r.near().addInt(x, delta)
	hi, lo := bits.Mul64(magnitude(t), magnitude(x))
	addShifted(r.products(), hi, lo, -nearUnit, mask(delta^uint64(t)^uint64(x)))
}

// Merge adds all the points of another trend, which keeps them.
func (r *Trend) Merge(o *Trend, p *Pool) {
	r[wordCount] += o[wordCount]
	r.near().merge(o.near())
	add(r.products(), o.products())
	add(r.times(), o.times())
	add(r.timeSquares(), o.timeSquares())
	if o[wordFar] != 0 {
		p.merge(&r[wordFar], o[wordFar], 1)
	}
}

// Unmerge removes all the points of another trend, which keeps them and all of which were added or merged.
func (r *Trend) Unmerge(o *Trend, p *Pool) {
	r[wordCount] -= o[wordCount]
	r.near().unmerge(o.near())
	sub(r.products(), o.products())
	sub(r.times(), o.times())
	sub(r.timeSquares(), o.timeSquares())
	if o[wordFar] != 0 {
		p.merge(&r[wordFar], o[wordFar], minusOne)
	}
}

// Reset makes the trend that of nothing and gives its entry back to the pool: before its words are used for something
// else.
func (r *Trend) Reset(p *Pool) {
	p.drop(&r[wordFar])
	*r = Trend{}
}

// Slope is unit·(nΣtx − ΣtΣx)/(nΣt² − (Σt)²) rounded once: the rise of the least-squares line within unit of the times'
// own units, such as 60,000,000 for a rise per minute over microseconds. It reports false below two distinct times, and is
// NaN while there is a NaN or an infinity.
func (r *Trend) Slope(unit uint64, p *Pool) (slope float64, ok bool) {
	n := r[wordCount]
	times := [timesWords]uint64(r.times())
	timesNeg := abs(times[:])

	// nΣt² is at least (Σt)², and equal only if all the times are.
	var denominator, square [4]uint64
	denominator[3] = mulAdd(denominator[:3], r.timeSquares(), n)
	mul(square[:], times[:], times[:])
	sub(denominator[:], square[:])
	if isZero(denominator[:]) {
		return 0, false
	}

	sum, products := *r.near(), [productsWords]uint64(r.products())
	f := p.find(r[wordFar])
	if f == nil {
		var room [2][productsWords + 2]uint64
		rise, neg := rise(room[0][:], room[1][:], products[:], sum[:], times[:], timesNeg, n, unit)
		return divide(rise, denominator[:], nearUnit, neg), true
	}
	if _, special := f.special(); special {
		return math.NaN(), true
	}
	var farProducts [farSumWords]uint64
	copy(farProducts[:], f.second)
	add(farProducts[nearAboveFar:], products[:])
	farSum := f.total(r.near())
	var room [2][farSumWords + 2]uint64
	rise, neg := rise(room[0][:], room[1][:], farProducts[:], farSum[:], times[:], timesNeg, n, unit)
	return divide(rise, denominator[:], farUnit, neg), true
}

// rise returns unit·(nΣtx − ΣtΣx) as a magnitude and the mask of its sign. Σtx and Σx are signed, and used up; Σt is a
// magnitude and the mask of its sign; x and y are room for results, zero, and two words longer than Σtx: as n and Σt are
// below 2^40 and 2^103, the difference leaves the top word free for the unit.
func rise(x, y, products, sum, times []uint64, timesNeg, n, unit uint64) (rise []uint64, neg uint64) {
	neg = abs(products)
	x[len(products)] = mulAdd(x[:len(products)], products, n)
	negateIf(x, neg)

	neg = abs(sum) ^ timesNeg
	mul(y, times, sum)
	negateIf(y, neg)

	sub(x, y)
	neg = abs(x)
	clear(y)
	mulAdd(y, x, unit)
	return y, neg
}
