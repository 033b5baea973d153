package exact

import (
	"math"
	"math/bits"
)

// A normalised mantissa is a uint64 whose top bit is set. What lies below its lowest bit enters as a sticky bit, or-ed
// into that lowest bit: rounding drops eleven bits or more, so the lowest can only tell a tie from more than a tie.

// sticky is 1 if x is not zero, else 0.
func sticky(x uint64) uint64 { return (x | -x) >> 63 }

// pack returns ±m·2^exp as the nearest float64, ties to even. m is a normalised mantissa with its sticky bit, neg the
// mask of the sign.
func pack(m uint64, exp int, neg uint64) float64 {
	const bias, infinite = 1023, 2047
	biased := exp + 63 + bias
	if biased >= infinite {
		return math.Float64frombits(neg&signBit | infinite<<52)
	}
	if biased <= 0 {
		// A subnormal has the exponent of the least normal number and no leading bit. A shift of 64 or more leaves
		// the sticky bit alone, which rounds to zero.
		s := 1 - biased
		m = m>>s | sticky(m&(1<<s-1))
		biased = 1
	}
	kept, dropped := m>>11, m&(1<<11-1)
	kept += (dropped + 1<<10 - 1 + kept&1) >> 11
	// The leading bit of a normal number is bit 52 of kept, which adds one to the exponent; so does a carry out of the
	// rounding, up to infinity.
	return math.Float64frombits(neg&signBit | (uint64(biased-1)<<52 + kept))
}

// leading returns the top 128 bits of the magnitude x, normalised, and a rest that is nonzero if and only if a bit below
// them is set: x = (hi·2^64 + lo + less than 1)·2^exp. If x is zero, so is hi.
func leading(x []uint64) (hi, lo, rest uint64, exp int) {
	x = trim(x)
	top := len(x) - 1
	s := bits.LeadingZeros64(x[top]) & 63
	var below [2]uint64
	if top > 0 {
		below[0] = x[top-1]
	}
	if top > 1 {
		below[1] = x[top-2]
		for _, w := range x[:top-2] {
			rest |= w
		}
	}
	hi = x[top]<<s | below[0]>>1>>(63-s)
	lo = below[0]<<s | below[1]>>1>>(63-s)
	rest |= below[1] << s
	return hi, lo, rest, 64*(top-1) - s
}

// round returns ±x·2^exp as the nearest float64, ties to even. x is a magnitude, neg the mask of the sign.
func round(x []uint64, exp int, neg uint64) float64 {
	hi, lo, rest, e := leading(x)
	if hi == 0 {
		return 0
	}
	return pack(hi|sticky(lo|rest), exp+e+64, neg)
}

// divide returns ±x/y·2^exp as the nearest float64, ties to even. x and y are magnitudes, neg the mask of the sign; y is
// not zero and has at most four words that matter.
//
// One step of long division is enough: a quotient of 63 bits or more, with the question whether anything remains, settles
// the rounding. The low words of x that the step does not see may be cut off first and enter the sticky bit, because
// floor(floor(x)/y) = floor(x/y) for every whole y.
func divide(x, y []uint64, exp int, neg uint64) float64 {
	x, y = trim(x), trim(y)
	if len(y) == 1 {
		return divideWord(x, y[0], exp, neg)
	}
	if x[len(x)-1] == 0 {
		return 0
	}
	n := len(y)
	var divisor [4]uint64
	var dividend [5]uint64
	d, r := divisor[:n], dividend[:n+1]
	ed, _ := align(d, y, 0)
	er, rest := align(r, x, 1)

	// The dividend is below 2^(64n+63) and the divisor at least 2^(64n-1), so the quotient fits a word; and as the
	// divisor's top bit is set, the estimate from the leading words is at most two too large (Knuth, 4.3.1, theorem B).
	q, _ := bits.Div64(r[n], r[n-1], d[n-1])
	var carry uint64
	for i, w := range d {
		hi, lo := bits.Mul64(q, w)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		r[i], c = bits.Sub64(r[i], lo, 0)
		carry = hi + c
	}
	r[n] -= carry
	for mask(r[n]) != 0 {
		q--
		var c uint64
		for i, w := range d {
			r[i], c = bits.Add64(r[i], w, c)
		}
		r[n] += c
	}
	for _, w := range r {
		rest |= w
	}
	s := bits.LeadingZeros64(q)
	return pack(q<<s|sticky(rest), exp+er-ed-s, neg)
}

// divideWord is divide for a divisor of one word, which is not zero.
func divideWord(x []uint64, y uint64, exp int, neg uint64) float64 {
	hi, lo, rest, e := leading(x)
	if hi == 0 {
		return 0
	}
	sy := bits.LeadingZeros64(y)
	q, r := bits.Div64(hi>>1, hi<<63|lo>>1, y<<sy)
	s := bits.LeadingZeros64(q)
	return pack(q<<s|sticky(r|lo<<63|rest), exp+e+1+sy-s, neg)
}

// align sets z to the top bits of the magnitude x, which is not zero, so that z has the given number of leading zero
// bits: x = (z + less than 1)·2^exp. rest is nonzero if and only if z lacks bits of x.
func align(z, x []uint64, zeros int) (exp int, rest uint64) {
	x = trim(x)
	exp = 64*len(x) - bits.LeadingZeros64(x[len(x)-1]) - (64*len(z) - zeros)
	for i := range z {
		z[i] = wordAt(x, exp+64*i)
	}
	if exp > 0 {
		for _, w := range x[:exp>>6] {
			rest |= w
		}
		rest |= x[exp>>6] & (1<<(exp&63) - 1)
	}
	return exp, rest
}

// wordAt returns the 64 bits of the magnitude x from the given bit on; bits outside of x are 0.
func wordAt(x []uint64, bit int) (w uint64) {
	i, s := bit>>6, uint(bit&63)
	if 0 <= i && i < len(x) {
		w = x[i] >> s
	}
	if -1 <= i && i+1 < len(x) {
		w |= x[i+1] << 1 << (63 - s)
	}
	return w
}
