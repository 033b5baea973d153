package exact

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is what Decode returns for bytes that Encode did not write.
var ErrCorrupt = errors.New("exact: not the encoding of an accumulator")

// Encode appends the sum to b and returns the longer slice. Sums of the same values encode to the same bytes, whatever
// way and in whatever pool they came about.
func (s *Sum) Encode(b []byte, p *Pool) []byte { return encode(b, s[:], false, p) }

// Decode replaces the sum, as Reset does, by the one at the start of b, and returns the bytes after it. If they are not
// an encoding of a Sum, it returns an error that wraps ErrCorrupt and leaves the sum of nothing.
func (s *Sum) Decode(b []byte, p *Pool) (rest []byte, err error) {
	s.Reset(p)
	return decode(b, s[:], false, p)
}

// Encode appends the moments to b, as that of a Sum.
func (m *Moments) Encode(b []byte, p *Pool) []byte { return encode(b, m[:], true, p) }

// Decode replaces the moments by those at the start of b, as that of a Sum.
func (m *Moments) Decode(b []byte, p *Pool) (rest []byte, err error) {
	m.Reset(p)
	return decode(b, m[:], true, p)
}

// Encode appends the trend to b, as that of a Sum.
func (r *Trend) Encode(b []byte, p *Pool) []byte { return encode(b, r[:], true, p) }

// Decode replaces the trend by that at the start of b, as that of a Sum.
func (r *Trend) Decode(b []byte, p *Pool) (rest []byte, err error) {
	r.Reset(p)
	return decode(b, r[:], true, p)
}

// Encode appends the sum to b, as that of a Sum.
func (s *IntSum) Encode(b []byte) []byte { return appendWords(b, s[:]) }

// Decode replaces the sum by the one at the start of b, as that of a Sum.
func (s *IntSum) Decode(b []byte) (rest []byte, err error) {
	if rest, err = readWords(s[:], b); err == nil {
		err = check(s[:])
	}
	if err != nil {
		s.Reset()
		return nil, err
	}
	return rest, nil
}

// encode appends the words, with 1 for the reference of an entry, and then the entry: its counts and, if it holds finite
// values, its sum and, if the accumulator uses it, its second number.
func encode(b []byte, words []uint64, second bool, p *Pool) []byte {
	f := p.find(words[wordFar])
	if f == nil {
		return appendWords(b, words)
	}
	b = appendWords(b, words[:wordFar])
	b = appendWords(b, []uint64{1})
	b = appendWords(b, words[wordNear:])
	b = appendWords(b, []uint64{f.finite, f.nan, f.posInf, f.negInf})
	if f.finite == 0 {
		return b
	}
	b = appendWords(b, f.sum)
	if second {
		b = appendWords(b, f.second)
	}
	return b
}

// decode reads what encode wrote into words of zero.
func decode(b []byte, words []uint64, second bool, p *Pool) (rest []byte, err error) {
	rest, err = readWords(words, b)
	hasFar := words[wordFar]
	words[wordFar] = 0
	if err == nil {
		err = check(words)
	}
	if err == nil && hasFar > 1 {
		err = fmt.Errorf("%w: its mark of far values is %#x, not 0 or 1", ErrCorrupt, hasFar)
	}
	if err == nil && hasFar == 1 {
		rest, err = p.hold(&words[wordFar]).decode(rest, second, words[wordCount])
	}
	if err != nil {
		p.drop(&words[wordFar])
		clear(words)
		return nil, err
	}
	return rest, nil
}

// decode reads the entry of an accumulator of n values.
func (f *far) decode(b []byte, second bool, n uint64) (rest []byte, err error) {
	var counts [4]uint64
	if rest, err = readWords(counts[:], b); err != nil {
		return nil, err
	}
	var total uint64
	for _, c := range counts {
		if c > n-total {
			return nil, fmt.Errorf("%w: more far values than its %d values", ErrCorrupt, n)
		}
		total += c
	}
	if total == 0 {
		return nil, fmt.Errorf("%w: marked to have far values, but has none", ErrCorrupt)
	}
	f.finite, f.nan, f.posInf, f.negInf = counts[0], counts[1], counts[2], counts[3]
	if f.finite == 0 {
		return rest, nil
	}
	f.grow(true, second)
	if rest, err = readWords(f.sum, rest); err == nil && second {
		rest, err = readWords(f.second, rest)
	}
	return rest, err
}

// check refuses words that no accumulator of near values has.
func check(words []uint64) error {
	n := words[wordCount]
	if n > MaxCount {
		return fmt.Errorf("%w: a count of %d, more than %d", ErrCorrupt, n, uint64(MaxCount))
	}
	if n == 0 && !isZero(words) {
		return fmt.Errorf("%w: a sum of no values that is not zero", ErrCorrupt)
	}
	return nil
}

func appendWords(b []byte, words []uint64) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func readWords(words []uint64, b []byte) (rest []byte, err error) {
	if len(b) < 8*len(words) {
		return nil, fmt.Errorf("%w: it ends after %d of %d bytes", ErrCorrupt, len(b), 8*len(words))
	}
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return b[8*len(words):], nil
}
