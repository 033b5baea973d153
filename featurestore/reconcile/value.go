package reconcile

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Value is one feature's value in a report. In JSON it is null, a boolean, a number or a text; NaN and the infinities,
// which are no JSON numbers, are the texts "NaN", "Infinity" and "-Infinity", and times are texts of RFC 3339.
type Value struct {
	kind  schema.Kind
	valid bool
	i     int64
	f     float64
	s     string
}

func valueOf(c *kernel.Column, i int) Value {
	v := Value{kind: c.Kind, valid: c.Valid[i]}
	switch {
	case !v.valid:
	case c.Kind == schema.Float:
		v.f = c.F[i]
	case c.Kind == schema.Text:
		v.s = string(c.S.At(i))
	default:
		v.i = c.I[i]
	}
	return v
}

// value is that of row i.
func (c *column) value(i int) Value {
	v := Value{kind: c.kind, valid: c.values.IsValid(i)}
	switch {
	case !v.valid:
	case c.kind == schema.Float:
		v.f = c.f[i]
	case c.kind == schema.Text:
		v.s = c.s.Value(i)
	case c.kind == schema.Bool:
		if c.b.Value(i) {
			v.i = 1
		}
	default:
		v.i = c.i[i]
	}
	return v
}

// String is the value for people: floats in the shortest form that reads back to the same bits.
func (v Value) String() string {
	switch {
	case !v.valid:
		return "null"
	case v.kind == schema.Bool:
		return strconv.FormatBool(v.i != 0)
	case v.kind == schema.Float:
		return floatText(v.f)
	case v.kind == schema.Text:
		return v.s
	case v.kind == schema.Time:
		return clock(v.i)
	}
	return strconv.FormatInt(v.i, 10)
}

func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) {
	switch {
	case !v.valid:
		return []byte("null"), nil
	case v.kind == schema.Int, v.kind == schema.Bool:
		return []byte(v.String()), nil
	case v.kind == schema.Float && !math.IsNaN(v.f) && !math.IsInf(v.f, 0):
		return json.Marshal(v.f)
	}
	return json.Marshal(v.String())
}

// number is the value as a float, if it is a number.
func (v Value) number() (float64, bool) {
	switch {
	case !v.valid:
		return 0, false
	case v.kind == schema.Float:
		return v.f, true
	case v.kind == schema.Int:
		return float64(v.i), true
	}
	return 0, false
}

// FeatureValues are one feature's values on two sides. A side that has no row has null values.
type FeatureValues struct {
	Name   string `json:"name"`
	Served Value  `json:"served"`
	Other  Value  `json:"other"` // truth's in an Example, the stream's in a Broken
	Equal  bool   `json:"equal"`
}
