package exact

import "math/bits"

// Numbers of several words are slices of uint64, least word first. Signed ones are two's complement; the comments say
// which. A mask is 0 or all ones: x^mask with a carry of mask&1 is x or −x without a branch.

// mask is all ones if the top bit of x is set, else 0.
func mask(x uint64) uint64 { return uint64(int64(x) >> 63) }

// addShifted adds ±(hi·2^64 + lo)·2^shift to the signed number x: it subtracts if neg is all ones and adds if neg is 0.
// x must have at least three words from word shift/64 on.
func addShifted(x []uint64, hi, lo, shift, neg uint64) {
	x = x[shift>>6:]
	_ = x[2]
	s := shift & 63
	var c uint64
	x[0], c = bits.Add64(x[0], lo<<s^neg, neg&1)
	x[1], c = bits.Add64(x[1], (hi<<s|lo>>1>>(63-s))^neg, c)
	x[2], c = bits.Add64(x[2], hi>>1>>(63-s)^neg, c)
	// The words above gain neg + c, which is nothing unless a carry or a borrow leaves word 2.
	for i := 3; i < len(x) && c != neg&1; i++ {
		x[i], c = bits.Add64(x[i], neg, c)
	}
}

// add adds the signed number y, no longer than x, to the signed number x.
func add(x, y []uint64) {
	var c uint64
	for i, w := range y {
		x[i], c = bits.Add64(x[i], w, c)
	}
	sign := mask(y[len(y)-1])
	for i := len(y); i < len(x); i++ {
		x[i], c = bits.Add64(x[i], sign, c)
	}
}

// sub subtracts the signed number y from the signed number x of the same length.
func sub(x, y []uint64) {
	var b uint64
	for i, w := range y {
		x[i], b = bits.Sub64(x[i], w, b)
	}
}

// negateIf negates x if neg is all ones and leaves it if neg is 0.
func negateIf(x []uint64, neg uint64) {
	c := neg & 1
	for i := range x {
		x[i], c = bits.Add64(x[i]^neg, 0, c)
	}
}

// abs replaces the signed number x by its magnitude and returns the mask of its sign.
func abs(x []uint64) (neg uint64) {
	neg = mask(x[len(x)-1])
	negateIf(x, neg)
	return neg
}

// mul sets z to the product of the magnitudes x and y. z has at least len(x)+len(y) words and overlaps neither.
func mul(z, x, y []uint64) {
	clear(z)
	for i, a := range x {
		if a == 0 {
			continue
		}
		z[i+len(y)] = mulAdd(z[i:i+len(y)], y, a)
	}
}

// mulAdd adds the product of the magnitude y and the word a to z, of the same length, and returns the word that z has no
// room for.
func mulAdd(z, y []uint64, a uint64) (carry uint64) {
	for j, b := range y {
		hi, lo := bits.Mul64(a, b)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		z[j], c = bits.Add64(z[j], lo, 0)
		carry = hi + c
	}
	return carry
}

// trim drops the zero words at the top of a magnitude, down to one word.
func trim(x []uint64) []uint64 {
	for len(x) > 1 && x[len(x)-1] == 0 {
		x = x[:len(x)-1]
	}
	return x
}

// isZero reports whether all words are zero.
func isZero(x []uint64) bool {
	for _, w := range x {
		if w != 0 {
			return false
		}
	}
	return true
}
