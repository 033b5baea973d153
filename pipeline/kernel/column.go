package kernel

import (
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The methods below append one value to a column and report whether it fits the feature's field.

func (c *Column) put(d expr.Datum) bool {
	c.Valid = append(c.Valid, !d.Null)
	switch c.Kind {
	case schema.Float:
		c.F = append(c.F, canonical(d.F))
	case schema.Text:
		c.S.Bytes = append(c.S.Bytes, d.S...)
		c.S.End = append(c.S.End, int32(len(c.S.Bytes)))
	default:
		c.I = append(c.I, d.I) // 0 for a null
	}
	return true
}

func (c *Column) float(v float64) bool {
	c.Valid = append(c.Valid, true)
	c.F = append(c.F, canonical(v))
	return true
}

func (c *Column) whole(v int64, f *pipeline.FeaturePlan) bool {
	c.Valid = append(c.Valid, true)
	c.I = append(c.I, v)
	return c.Kind != schema.Int || v >= f.Min && v <= f.Max
}

// nothing is the value of an aggregate that has nothing to work on: null, or what Or says.
func (c *Column) nothing(f *pipeline.FeaturePlan) bool {
	if f.Agg.Or != nil {
		return c.put(*f.Agg.Or)
	}
	return c.put(expr.Datum{Null: true})
}

func (c *Column) maybe(v float64, ok bool, f *pipeline.FeaturePlan) bool {
	if !ok {
		return c.nothing(f)
	}
	return c.float(v)
}

// misfit marks the last value as one that does not fit, which is like no other value and no null.
func (c *Column) misfit() {
	c.Valid[len(c.Valid)-1] = false
	c.I[len(c.I)-1] = 1
}

// cut takes the column back to n values.
func (c *Column) cut(n int) {
	if len(c.Valid) <= n {
		return
	}
	c.Valid = c.Valid[:n]
	switch c.Kind {
	case schema.Float:
		c.F = c.F[:n]
	case schema.Text:
		c.S.cut(n)
	default:
		c.I = c.I[:n]
	}
}

func (t *Texts) cut(n int) {
	t.End = t.End[:n]
	end := int32(0)
	if n > 0 {
		end = t.End[n-1]
	}
	t.Bytes = t.Bytes[:end]
}

// same tells whether values i and j of two columns of one feature are the same to the bit.
func (c *Column) same(i int, o *Column, j int) bool {
	if c.Valid[i] != o.Valid[j] {
		return false
	}
	switch {
	case !c.Valid[i] && c.Kind != schema.Int:
		return true
	case c.Kind == schema.Float:
		// Values are canonical, so NaN is the only one that differs from itself.
		return c.F[i] == o.F[j] || c.F[i] != c.F[i] && o.F[j] != o.F[j]
	case c.Kind == schema.Text:
		return string(c.S.At(i)) == string(o.S.At(j))
	}
	return c.I[i] == o.I[j]
}

// NullColumn is n nulls.
func NullColumn(kind schema.Kind, n int) Column {
	c := Column{Kind: kind}
	for range n {
		c.put(expr.Datum{Null: true})
	}
	return c
}

// Append adds a value of the column's kind, or a null.
func (c *Column) Append(d expr.Datum) { c.put(d) }
