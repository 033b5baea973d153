package exact

import "math/bits"

// MaxCount is how many values an accumulator may hold. Up to it, no sum can overflow.
const MaxCount = 1 << 40

// near is a signed fixed-point number of two words of fraction and two of integer, least word first, in units of 2^-128.
// A value is near to a Sum or a Trend if the 53 bits of its mantissa lie between 2^-128 and 2^87, which its exponent alone
// decides, so 2^40 of them stay below the 2^127 that a near number reaches. Moments draw a tighter line of their own.
type near [4]uint64

const (
	nearUnit = -128
	nearLow  = nearUnit + 1075 // the least exponent of a near value, whose mantissa counts units
	nearSpan = 163             // the number of exponents: 2^-76 ≤ |x| < 2^87
)

// add adds ±m·2^shift units: it subtracts if neg is all ones and adds if neg is 0. m is a mantissa, shift is below
// nearSpan. Values of one column seldom cross a word, so the branches below are foreseen, and cost less than doing
// without them.
func (n *near) add(m, shift, neg uint64) {
	lo := m << (shift & 63)
	hi := m >> 1 >> (63 - shift&63)
	var c uint64
	switch shift >> 6 {
	case 0:
		n[0], c = bits.Add64(n[0], lo^neg, neg&1)
		n[1], c = bits.Add64(n[1], hi^neg, c)
		n[2], c = bits.Add64(n[2], neg, c)
		n[3], _ = bits.Add64(n[3], neg, c)
	case 1:
		n[1], c = bits.Add64(n[1], lo^neg, neg&1)
		n[2], c = bits.Add64(n[2], hi^neg, c)
		n[3], _ = bits.Add64(n[3], neg, c)
	default:
		n[2], c = bits.Add64(n[2], lo^neg, neg&1)
		n[3], _ = bits.Add64(n[3], hi^neg, c)
	}
}

// addInt adds v if delta is 1 and subtracts it if delta is −1.
func (n *near) addInt(v int64, delta uint64) {
	neg := mask(delta)
	var c uint64
	n[2], c = bits.Add64(n[2], uint64(v)^neg, neg&1)
	n[3], _ = bits.Add64(n[3], mask(uint64(v))^neg, c)
}

// merge adds o.
func (n *near) merge(o *near) {
	var c uint64
	n[0], c = bits.Add64(n[0], o[0], 0)
	n[1], c = bits.Add64(n[1], o[1], c)
	n[2], c = bits.Add64(n[2], o[2], c)
	n[3], _ = bits.Add64(n[3], o[3], c)
}

// unmerge subtracts o.
func (n *near) unmerge(o *near) {
	var b uint64
	n[0], b = bits.Sub64(n[0], o[0], 0)
	n[1], b = bits.Sub64(n[1], o[1], b)
	n[2], b = bits.Sub64(n[2], o[2], b)
	n[3], _ = bits.Sub64(n[3], o[3], b)
}

// over returns the number divided by a whole number that is not 0, rounded once. far is the entry that holds the rest of
// the sum, or nil.
func (n *near) over(divisor uint64, f *far) float64 {
	if f != nil {
		return f.over(divisor, n)
	}
	x := *n
	neg := abs(x[:])
	if divisor == 1 {
		return round(x[:], nearUnit, neg)
	}
	return divideWord(x[:], divisor, nearUnit, neg)
}
