package exact

import "math"

// The words that every accumulator with a Pool begins with.
const (
	wordCount = iota // how many values it holds
	wordFar          // the reference of its entry in the Pool, or 0
	wordNear         // the near numbers, from here on
)

// SumWords is the length of a Sum in words.
const SumWords = wordNear + 4

// Sum is the exact sum of float64 values, and their number: for sums and means. It is a view of words in an arena,
//
//	s := (*exact.Sum)(arena[at : at+exact.SumWords])
//
// where words of zero are the sum of nothing.
type Sum [SumWords]uint64

func (s *Sum) near() *near { return (*near)(s[wordNear:]) }

// Count is how many values the sum holds.
func (s *Sum) Count() uint64 { return s[wordCount] }

// Add adds a value.
func (s *Sum) Add(x float64, p *Pool) { s.update(math.Float64bits(x), 1, p) }

// Sub removes a value that was added.
func (s *Sum) Sub(x float64, p *Pool) { s.update(math.Float64bits(x), minusOne, p) }

// minusOne is the delta of an update that removes a value, as 1 is that of one that adds it: counts wrap around, and the
// top bit is a sign that xor puts on a float64.
const minusOne = 1<<64 - 1

func (s *Sum) update(b, delta uint64, p *Pool) {
	shift := exponent(b) - nearLow
	if shift >= nearSpan {
		s.updateFar(b, delta, p)
		return
	}
	s[wordCount] += delta
	s.near().add(b&mantissaMask|hiddenBit, shift, mask(b^delta))
}

// updateFar takes the values that are not near, and zeros, which only count.
func (s *Sum) updateFar(b, delta uint64, p *Pool) {
	s[wordCount] += delta
	if b&^signBit == 0 {
		return
	}
	f := p.hold(&s[wordFar])
	if f.count(b, delta, false) {
		f.add(b, delta)
	}
	p.settle(&s[wordFar])
}

// AddInt adds an integer, of which no bit is lost.
func (s *Sum) AddInt(x int64) {
	s[wordCount]++
	s.near().addInt(x, 1)
}

// SubInt removes an integer that was added.
func (s *Sum) SubInt(x int64) {
	s[wordCount]--
	s.near().addInt(x, minusOne)
}

// Merge adds all the values of another sum, which keeps them.
func (s *Sum) Merge(o *Sum, p *Pool) {
	s[wordCount] += o[wordCount]
	s.near().merge(o.near())
	if o[wordFar] != 0 {
		p.merge(&s[wordFar], o[wordFar], 1)
	}
}

// Unmerge removes all the values of another sum, which keeps them and all of which were added or merged.
func (s *Sum) Unmerge(o *Sum, p *Pool) {
	s[wordCount] -= o[wordCount]
	s.near().unmerge(o.near())
	if o[wordFar] != 0 {
		p.merge(&s[wordFar], o[wordFar], minusOne)
	}
}

// Reset makes the sum one of nothing and gives its entry back to the pool: before its words are used for something else.
func (s *Sum) Reset(p *Pool) {
	p.drop(&s[wordFar])
	*s = Sum{}
}

// Value is the sum rounded once. That of nothing is 0; whether that should be null is for the caller to say.
func (s *Sum) Value(p *Pool) float64 { return s.near().over(1, p.find(s[wordFar])) }

// Mean is the sum divided by the number of values, rounded once. It reports false for nothing.
func (s *Sum) Mean(p *Pool) (mean float64, ok bool) {
	if s[wordCount] == 0 {
		return 0, false
	}
	return s.near().over(s[wordCount], p.find(s[wordFar])), true
}
