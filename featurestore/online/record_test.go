package online

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func newColumns() []kernel.Column {
	return []kernel.Column{{Kind: schema.Int}, {Kind: schema.Float}, {Kind: schema.Text}, {Kind: schema.Time}, {Kind: schema.Bool}}
}

func TestValuesRoundTrip(t *testing.T) {
	c := newColumns()
	for i, v := range []int64{0, math.MinInt64, math.MaxInt64} {
		c[0].Valid, c[0].I = append(c[0].Valid, true), append(c[0].I, v)
		c[1].Valid, c[1].F = append(c[1].Valid, true), append(c[1].F, []float64{math.Inf(-1), math.NaN(), 0.1}[i])
		c[2].Valid = append(c[2].Valid, true)
		c[2].S.Append([]byte([]string{"", "\x00\xff", "日本"}[i]))
		c[3].Valid, c[3].I = append(c[3].Valid, true), append(c[3].I, v)
		c[4].Valid, c[4].I = append(c[4].Valid, true), append(c[4].I, v&1)
	}
	for i := range c {
		c[i].Append(null)
	}
	got := newColumns()
	for i := range 4 {
		encoded := appendValues(nil, c, i)
		if err := decodeValues(encoded, got); err != nil {
			t.Fatal(err)
		}
		for cut := range encoded {
			if err := decodeValues(encoded[:cut], newColumns()); err == nil {
				t.Errorf("row %d cut to %d bytes of %d is taken", i, cut, len(encoded))
			}
		}
		if err := decodeValues(append(encoded, 0), newColumns()); err == nil {
			t.Errorf("row %d with a byte behind it is taken", i)
		}
	}
	for i := range c {
		if !slices.Equal(got[i].Valid, c[i].Valid) || !slices.Equal(got[i].I, c[i].I) || !bytes.Equal(got[i].S.Bytes, c[i].S.Bytes) ||
			!slices.Equal(got[i].S.End, c[i].S.End) {
			t.Errorf("column %d: got %+v, want %+v", i, got[i], c[i])
		}
	}
	for i, f := range c[1].F {
		if math.Float64bits(got[1].F[i]) != math.Float64bits(f) {
			t.Errorf("float %d: %x, want %x", i, got[1].F[i], f)
		}
	}
}

// FuzzRecords decodes anything as each kind of record: it is taken or refused, and what is taken reads the same again.
func FuzzRecords(f *testing.F) {
	frontier := Frontier{Next: 5, Watermark: -7, Oldest: NoTime}
	f.Add(frontier.append(nil))
	own := entity{3, 9, -1}
	f.Add(own.append(nil))
	run := Run{ID: "r", AsOf: 1, Published: 2, Snapshot: 3}
	f.Add(run.append(nil, 4))
	f.Add([]byte{1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 'a', 0, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var fr, frAgain Frontier
		if fr.decode(b) == nil && (frAgain.decode(fr.append(nil)) != nil || frAgain != fr) {
			t.Errorf("frontier %+v became %+v", fr, frAgain)
		}
		var e, eAgain entity
		if e.decode(b) == nil && (eAgain.decode(e.append(nil)) != nil || eAgain != e) {
			t.Errorf("entity %+v became %+v", e, eAgain)
		}
		var r, rAgain Run
		if g, err := r.decode(b); err == nil {
			if again, err := rAgain.decode(r.append(nil, g)); err != nil || again != g || rAgain != r {
				t.Errorf("run %+v became %+v", r, rAgain)
			}
		}
		columns := newColumns()
		if decodeValues(b, columns) == nil {
			again := newColumns()
			if err := decodeValues(appendValues(nil, columns, 0), again); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzSplit holds split to what Pebble asks of one, on any keys: prefixes are in the order of their keys, and are prefixes
// of themselves.
func FuzzSplit(f *testing.F) {
	p := prefixOf(Space{"p", "q"})
	f.Add(appendStart(p.entity(nil, []byte("a")), 5), p.entity(nil, []byte("a\x00")))
	f.Add(append(p.entity(nil, nil), markEntity), p.entity(nil, []byte{0})[:headSize+1])
	f.Add(p.frontier(nil, 1), p.value(nil, 7, []byte("k")))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		prefixA, prefixB := a[:split(a)], b[:split(b)]
		if split(prefixA) != len(prefixA) {
			t.Errorf("the prefix %x of %x has another prefix", prefixA, a)
		}
		if order := bytes.Compare(prefixA, prefixB); order != 0 && order != bytes.Compare(a, b) {
			t.Errorf("%x and %x are not in the order of their prefixes", a, b)
		}
	})
}

func TestStartsSort(t *testing.T) {
	var last []byte
	for _, s := range []int64{math.MinInt64, -1 << 40, -1, 0, 1, 1 << 40, math.MaxInt64} {
		key := appendStart(nil, s)
		if got, ok := suffixStart(key); !ok || got != s {
			t.Errorf("start %d became %d", s, got)
		}
		if bytes.Compare(last, key) >= 0 {
			t.Errorf("%d does not sort behind the start before it", s)
		}
		last = key
	}
	if bytes.Compare(last, []byte{markEntity}) >= 0 {
		t.Error("slices do not come before their entity")
	}
}
