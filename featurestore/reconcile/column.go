package reconcile

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// column is one feature's values in a page.
type column struct {
	kind   schema.Kind
	values arrow.Array
	nulls  bool
	i      []int64 // Int and Time
	f      []float64
	b      *array.Boolean
	s      *array.String
}

// newColumn views the array as values of the kind; false when it is of another type.
func newColumn(kind schema.Kind, a arrow.Array) (column, bool) {
	c := column{kind: kind, values: a, nulls: a.NullN() > 0}
	ok := false
	switch kind {
	case schema.Int:
		var v *array.Int64
		if v, ok = a.(*array.Int64); ok {
			c.i = v.Int64Values()
		}
	case schema.Time:
		c.i, ok = micros(a)
	case schema.Float:
		var v *array.Float64
		if v, ok = a.(*array.Float64); ok {
			c.f = v.Float64Values()
		}
	case schema.Bool:
		c.b, ok = a.(*array.Boolean)
	case schema.Text:
		c.s, ok = a.(*array.String)
	}
	return c, ok
}

// sameFloat compares to the bit, but all NaN are one value (S4).
func sameFloat(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// mark sets differs[k] where value i+k is not that of o at j+k, to the bit.
func (c *column) mark(i int, o *column, j int, differs []bool) {
	if c.nulls || o.nulls {
		for k := range differs {
			differs[k] = differs[k] || !c.same(i+k, o, j+k)
		}
		return
	}
	switch c.kind {
	case schema.Int, schema.Time:
		a, b := c.i[i:i+len(differs)], o.i[j:j+len(differs)]
		for k := range differs {
			differs[k] = differs[k] || a[k] != b[k]
		}
	case schema.Float:
		a, b := c.f[i:i+len(differs)], o.f[j:j+len(differs)]
		for k := range differs {
			differs[k] = differs[k] || !sameFloat(a[k], b[k])
		}
	default:
		for k := range differs {
			differs[k] = differs[k] || !c.same(i+k, o, j+k)
		}
	}
}

// same compares one value.
func (c *column) same(i int, o *column, j int) bool {
	a, b := !c.nulls || c.values.IsValid(i), !o.nulls || o.values.IsValid(j)
	switch {
	case !a || !b:
		return a == b
	case c.kind == schema.Float:
		return sameFloat(c.f[i], o.f[j])
	case c.kind == schema.Bool:
		return c.b.Value(i) == o.b.Value(j)
	case c.kind == schema.Text:
		return c.s.Value(i) == o.s.Value(j)
	}
	return c.i[i] == o.i[j]
}

// number is the value as a float, for measuring distances; false for nulls and what is no number.
func (c *column) number(i int) (float64, bool) {
	switch {
	case c.nulls && !c.values.IsValid(i):
		return 0, false
	case c.kind == schema.Float:
		return c.f[i], true
	case c.kind == schema.Int:
		return float64(c.i[i]), true
	}
	return 0, false
}

// appendTo copies value i.
func (c *column) appendTo(dst *kernel.Column, i int) {
	ok := c.values.IsValid(i)
	dst.Valid = append(dst.Valid, ok)
	switch c.kind {
	case schema.Float:
		dst.F = append(dst.F, c.f[i])
	case schema.Bool:
		v := int64(0)
		if c.b.Value(i) {
			v = 1
		}
		dst.I = append(dst.I, v)
	case schema.Text:
		dst.S.Bytes = append(dst.S.Bytes, c.s.Value(i)...)
		dst.S.End = append(dst.S.End, int32(len(dst.S.Bytes)))
	default:
		dst.I = append(dst.I, c.i[i])
	}
}

// sameValues tells whether row i and row j have the same features, to the bit.
func sameValues(a *kernel.Rows, i int, b *kernel.Rows, j int) bool {
	for c := range a.Columns {
		if !sameValue(&a.Columns[c], i, &b.Columns[c], j) {
			return false
		}
	}
	return true
}

func sameValue(a *kernel.Column, i int, b *kernel.Column, j int) bool {
	switch {
	case !a.Valid[i] || !b.Valid[j]:
		return a.Valid[i] == b.Valid[j]
	case a.Kind == schema.Float:
		return sameFloat(a.F[i], b.F[j])
	case a.Kind == schema.Text:
		return string(a.S.At(i)) == string(b.S.At(j))
	}
	return a.I[i] == b.I[j]
}

// copyRow appends row i of src, which answers the same features, but for its key.
func copyRow(dst, src *kernel.Rows, i int) {
	dst.AskTime = append(dst.AskTime, src.AskTime[i])
	dst.Partition = append(dst.Partition, src.Partition[i])
	dst.Offset = append(dst.Offset, src.Offset[i])
	dst.Revision = append(dst.Revision, src.Revision[i])
	for c := range src.Columns {
		from, to := &src.Columns[c], &dst.Columns[c]
		to.Valid = append(to.Valid, from.Valid[i])
		switch from.Kind {
		case schema.Float:
			to.F = append(to.F, from.F[i])
		case schema.Text:
			to.S.Append(from.S.At(i))
		default:
			to.I = append(to.I, from.I[i])
		}
	}
}
