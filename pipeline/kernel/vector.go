package kernel

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// vector is the values of one expression over a batch. A constant has one value and the mask 0, so that v.f[i&v.mask]
// reads either kind.
type vector struct {
	kind  schema.Kind
	mask  int
	valid []bool // nil: no value is null
	b     []bool
	i     []int64 // Int and Time
	f     []float64
	end   []int32 // Text i is bytes[end[i]:end[i+1]]
	bytes []byte
	own   struct { // the memory that results are written to; columns point into Arrow's instead
		valid []bool
		b     []bool
		i     []int64
		f     []float64
		end   []int32
		bytes []byte
	}
}

// ok tells whether value i is there.
func (v *vector) ok(i int) bool { return v.valid == nil || v.valid[i&v.mask] }

// text is value i of a text vector.
func (v *vector) text(i int) []byte {
	i &= v.mask
	return v.bytes[v.end[i]:v.end[i+1]]
}

// grow gives a slice of n elements in the memory of s.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}

// load makes the vector a view of an Arrow column; only booleans and validity are unpacked.
func (v *vector) load(col arrow.Array) error {
	n := col.Len()
	v.mask, v.valid = -1, nil
	if col.NullN() > 0 {
		v.own.valid = grow(v.own.valid, n)
		v.valid = v.own.valid
		for i := range n {
			v.valid[i] = col.IsValid(i)
		}
	}
	switch a := col.(type) {
	case *array.Boolean:
		v.kind = schema.Bool
		v.own.b = grow(v.own.b, n)
		v.b = v.own.b
		for i := range n {
			v.b[i] = a.Value(i)
		}
	case *array.Int64:
		v.kind, v.i = schema.Int, a.Int64Values()
	case *array.Int32:
		v.kind = schema.Int
		v.own.i = grow(v.own.i, n)
		v.i = v.own.i
		for i, x := range a.Int32Values() {
			v.i[i] = int64(x)
		}
	case *array.Float64:
		v.kind, v.f = schema.Float, a.Float64Values()
	case *array.Timestamp:
		v.kind = schema.Time
		v.i = arrow.GetValues[int64](a.Data(), 1)
	case *array.String:
		v.kind, v.end, v.bytes = schema.Text, a.ValueOffsets(), stringBytes(a)
	default:
		return fmt.Errorf("kernel: a column of Arrow type %s", col.DataType())
	}
	return nil
}

// stringBytes is the data that the array's offsets count from.
func stringBytes(a *array.String) []byte {
	if buf := a.Data().Buffers()[2]; buf != nil {
		return buf.Bytes()
	}
	return nil
}

// canonical is the one representative of floats that count as equal: +0 for −0, and one NaN.
func canonical(x float64) float64 {
	if x == 0 {
		return 0
	}
	if x != x {
		return math.NaN()
	}
	return x
}
