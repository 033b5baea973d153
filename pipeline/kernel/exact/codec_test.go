package exact

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestDecodeRefusesShortInput(t *testing.T) {
	for _, x := range []float64{1, 1e300, nan} {
		var a accumulators
		var p Pool
		a.add(point{x: x}, &p)
		for name, c := range map[string]struct {
			b      []byte
			decode func([]byte) ([]byte, error)
			zero   func() bool
		}{
			"Sum": {
				a.sum.Encode(nil, &p), func(b []byte) ([]byte, error) { return a.sum.Decode(b, &p) },
				func() bool { return a.sum == Sum{} },
			},
			"Moments": {
				a.moments.Encode(nil, &p), func(b []byte) ([]byte, error) { return a.moments.Decode(b, &p) },
				func() bool { return a.moments == Moments{} },
			},
			"Trend": {
				a.trend.Encode(nil, &p), func(b []byte) ([]byte, error) { return a.trend.Decode(b, &p) },
				func() bool { return a.trend == Trend{} },
			},
		} {
			for n := range c.b {
				if _, err := c.decode(c.b[:n]); !errors.Is(err, ErrCorrupt) || !c.zero() {
					t.Fatalf("%s of %v, %d of %d bytes: error %v", name, x, n, len(c.b), err)
				}
			}
		}
		if p.Len() != 0 {
			t.Errorf("%v: %d entries are in use after failures", x, p.Len())
		}
	}
	var s IntSum
	if _, err := s.Decode(make([]byte, 8*IntSumWords-1)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("IntSum: error %v", err)
	}
}

func TestDecodeRefusesWhatEncodeNeverWrites(t *testing.T) {
	near := []uint64{3, 0, 0, 0, 1, 0}
	for name, words := range map[string][]uint64{
		"too many values":         {MaxCount + 1, 0, 0, 0, 1, 0},
		"something of nothing":    {0, 0, 0, 0, 1, 0},
		"a strange mark":          {3, 2, 0, 0, 1, 0},
		"an entry of nothing":     {3, 1, 0, 0, 1, 0, 0, 0, 0, 0},
		"more far values than n":  {3, 1, 0, 0, 1, 0, 0, 2, 2, 0},
		"counts that wrap around": {3, 1, 0, 0, 1, 0, 0, 1, 1<<64 - 1, 1},
	} {
		var s Sum
		var p Pool
		if _, err := s.Decode(appendWords(nil, words), &p); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: error %v", name, err)
		}
		if s != (Sum{}) || p.Len() != 0 {
			t.Errorf("%s: left %v, %d entries", name, s, p.Len())
		}
	}
	var s Sum
	var p Pool
	if _, err := s.Decode(appendWords(nil, near), &p); err != nil {
		t.Errorf("what the others differ from: error %v", err)
	}
	var i IntSum
	if _, err := i.Decode(appendWords(nil, []uint64{0, 1, 0})); !errors.Is(err, ErrCorrupt) || i != (IntSum{}) {
		t.Errorf("IntSum: error %v, left %v", err, i)
	}
}

// The bytes stay as they are, for snapshots outlive the program that wrote them.
func TestEncodingIsStable(t *testing.T) {
	var s Sum
	var p Pool
	s.Add(1, &p)
	s.Add(-0x1p-64, &p)
	s.Add(nan, &p)
	le := binary.LittleEndian
	var want []byte
	for _, w := range []uint64{3, 1, 0, 1<<64 - 1, 0, 0, 0, 1, 0, 0} {
		want = le.AppendUint64(want, w)
	}
	if got := s.Encode(nil, &p); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// FuzzDecode feeds bytes that nobody wrote: they are refused, or answer every question without a panic and encode as
// they came.
func FuzzDecode(f *testing.F) {
	for _, x := range []float64{1, -1e300, 1e-300, nan} {
		var a accumulators
		var p Pool
		a.add(point{t: 7, x: x}, &p)
		a.add(point{t: 8, x: 2}, &p)
		f.Add(a.encode(&p))
		f.Add(a.moments.Encode(nil, &p))
		f.Add(a.trend.Encode(nil, &p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a accumulators
		var p Pool
		if rest, err := a.sum.Decode(b, &p); err == nil {
			a.sum.Value(&p)
			a.sum.Mean(&p)
			if !bytes.HasPrefix(b, a.sum.Encode(nil, &p)) {
				t.Errorf("a sum changes in decoding %x, %d bytes left", b, len(rest))
			}
		}
		if rest, err := a.moments.Decode(b, &p); err == nil {
			a.moments.Value(&p)
			a.moments.StdDevSample(&p)
			a.moments.StdDevPop(&p)
			if !bytes.HasPrefix(b, a.moments.Encode(nil, &p)) {
				t.Errorf("moments change in decoding %x, %d bytes left", b, len(rest))
			}
		}
		if rest, err := a.trend.Decode(b, &p); err == nil {
			a.trend.Slope(1<<40, &p)
			if !bytes.HasPrefix(b, a.trend.Encode(nil, &p)) {
				t.Errorf("a trend changes in decoding %x, %d bytes left", b, len(rest))
			}
		}
		a.reset(&p)
		if p.Len() != 0 {
			t.Errorf("%d entries are in use after Reset", p.Len())
		}
	})
}
