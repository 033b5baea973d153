package exact

import "math/bits"

// IntSumWords is the length of an IntSum in words.
const IntSumWords = 3

// IntSum is the exact sum of int64 values, in 128 bits, and their number: for sums and means of integers. It is a view of
// words in an arena, as Sum is, but needs no Pool.
type IntSum [IntSumWords]uint64

// Count is how many values the sum holds.
func (s *IntSum) Count() uint64 { return s[0] }

// Add adds a value.
func (s *IntSum) Add(x int64) {
	s[0]++
	var c uint64
	s[1], c = bits.Add64(s[1], uint64(x), 0)
	s[2], _ = bits.Add64(s[2], mask(uint64(x)), c)
}

// Sub removes a value that was added.
func (s *IntSum) Sub(x int64) {
	s[0]--
	var b uint64
	s[1], b = bits.Sub64(s[1], uint64(x), 0)
	s[2], _ = bits.Sub64(s[2], mask(uint64(x)), b)
}

// Merge adds all the values of another sum, which keeps them.
func (s *IntSum) Merge(o *IntSum) {
	s[0] += o[0]
	var c uint64
	s[1], c = bits.Add64(s[1], o[1], 0)
	s[2], _ = bits.Add64(s[2], o[2], c)
}

// Unmerge removes all the values of another sum, which keeps them and all of which were added or merged.
func (s *IntSum) Unmerge(o *IntSum) {
	s[0] -= o[0]
	var b uint64
	s[1], b = bits.Sub64(s[1], o[1], 0)
	s[2], _ = bits.Sub64(s[2], o[2], b)
}

// Reset makes the sum one of nothing.
func (s *IntSum) Reset() { *s = IntSum{} }

// Value is the sum. It reports false if the sum does not fit an int64.
func (s *IntSum) Value() (sum int64, ok bool) { return int64(s[1]), s[2] == mask(s[1]) }

// Mean is the sum divided by the number of values, rounded once. It reports false for nothing.
func (s *IntSum) Mean() (mean float64, ok bool) {
	if s[0] == 0 {
		return 0, false
	}
	x := [2]uint64(s[1:])
	neg := abs(x[:])
	return divideWord(x[:], s[0], 0, neg), true
}

// magnitude returns |x|, also of the least int64.
func magnitude(x int64) uint64 {
	neg := mask(uint64(x))
	return (uint64(x) ^ neg) - neg
}
