package duckdb

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// column collects the values of one column of a batch in the form that Arrow gives them.
type column struct {
	typ   arrow.DataType
	width int      // bytes of a value; 0: texts and bytes, bitWide: bools
	data  []byte   // values, or the bytes of texts
	ends  []int32  // texts: where each ends in data, behind a zero
	bits  []uint64 // bools
	valid []uint64 // one bit a value; nil as long as no value is null
	nulls int
}

const bitWide = -1

// arrowType is the Arrow type of a result's column.
func arrowType(t bindings.Type) (arrow.DataType, error) {
	switch t {
	case bindings.TypeBoolean:
		return arrow.FixedWidthTypes.Boolean, nil
	case bindings.TypeInteger:
		return arrow.PrimitiveTypes.Int32, nil
	case bindings.TypeBigInt:
		return arrow.PrimitiveTypes.Int64, nil
	case bindings.TypeUBigInt:
		return arrow.PrimitiveTypes.Uint64, nil
	case bindings.TypeDouble:
		return arrow.PrimitiveTypes.Float64, nil
	case bindings.TypeVarchar:
		return arrow.BinaryTypes.String, nil
	case bindings.TypeBlob:
		return arrow.BinaryTypes.Binary, nil
	case bindings.TypeTimestampTZ:
		return schema.TimestampType, nil
	}
	return nil, fmt.Errorf("duckdb: a result of type %d", t)
}

func newColumn(t arrow.DataType) column {
	c := column{typ: t}
	switch t := t.(type) {
	case arrow.BinaryDataType:
		c.ends = make([]int32, 1, batchRows+2048)
	case *arrow.BooleanType:
		c.width = bitWide
	case arrow.FixedWidthDataType:
		c.width = t.Bytes()
	}
	return c
}

func (c *column) reset() {
	c.data, c.bits, c.valid, c.nulls = c.data[:0], c.bits[:0], c.valid[:0], 0
	if c.ends != nil {
		c.ends = c.ends[:1]
	}
}

// take appends n values of a vector behind the first at.
func (c *column) take(v bindings.Vector, at, n int) {
	values := bindings.VectorGetData(v)
	var mask []uint64 // nil: no value is null
	if p := bindings.VectorGetValidity(v); p != nil {
		mask = unsafe.Slice((*uint64)(p), (n+63)/64)
	}
	c.validity(mask, at, n)
	switch {
	case c.width == bitWide:
		c.bits = grow(c.bits, at+n)
		for i, b := range unsafe.Slice((*bool)(values), n) {
			if b {
				c.bits[(at+i)>>6] |= 1 << ((at + i) & 63)
			}
		}
	case c.width > 0:
		c.data = append(c.data, unsafe.Slice((*byte)(values), n*c.width)...)
	default:
		c.texts(unsafe.Slice((*text)(values), n), mask)
	}
}

// text is how DuckDB lays out a text or bytes: short ones in place, longer ones elsewhere.
type text struct {
	size  uint32
	start [4]byte
	place *byte
}

const shortText = 12

func (c *column) texts(texts []text, mask []uint64) {
	for i := range texts {
		t := &texts[i]
		switch {
		case mask != nil && mask[i>>6]>>(i&63)&1 == 0: // What a null holds is undefined.
		case t.size <= shortText:
			c.data = append(c.data, unsafe.Slice(&t.start[0], t.size)...)
		default:
			c.data = append(c.data, unsafe.Slice(t.place, t.size)...)
		}
		c.ends = append(c.ends, int32(len(c.data)))
	}
}

// validity appends n bits of a mask behind the first at.
func (c *column) validity(mask []uint64, at, n int) {
	if mask == nil && len(c.valid) == 0 {
		return
	}
	if len(c.valid) == 0 {
		c.valid = grow(c.valid, at)
		ones(c.valid, 0, at)
	}
	c.valid = grow(c.valid, at+n)
	if mask == nil {
		ones(c.valid, at, n)
		return
	}
	for i, word := range mask {
		if rest := n - i*64; rest < 64 {
			word &= 1<<rest - 1
		}
		c.nulls += min(64, n-i*64) - bits.OnesCount64(word)
		to := at + i*64
		c.valid[to>>6] |= word << (to & 63)
		if over := word >> 1 >> (63 - to&63); over != 0 {
			c.valid[to>>6+1] |= over
		}
	}
}

// run appends the values of another column, of the same type, from one up to but not including another, behind the first
// at.
func (c *column) run(of *column, at, from, to int) {
	n := to - from
	if of.nulls == 0 {
		c.validity(nil, at, n)
	} else {
		if len(c.valid) == 0 {
			c.valid = grow(c.valid, at)
			ones(c.valid, 0, at)
		}
		c.valid = grow(c.valid, at+n)
		c.nulls += n - copyBits(c.valid, at, of.valid, from, n)
	}
	switch {
	case c.width == bitWide:
		c.bits = grow(c.bits, at+n)
		copyBits(c.bits, at, of.bits, from, n)
	case c.width > 0:
		c.data = append(c.data, of.data[from*c.width:to*c.width]...)
	default:
		shift := int32(len(c.data)) - of.ends[from]
		c.data = append(c.data, of.data[of.ends[from]:of.ends[to]]...)
		for _, end := range of.ends[from+1 : to+1] {
			c.ends = append(c.ends, end+shift)
		}
	}
}

// copyBits sets the bits that are set in another bitmap, and tells how many those are.
func copyBits(to []uint64, at int, of []uint64, from, n int) (set int) {
	for i := range n {
		bit := of[(from+i)>>6] >> ((from + i) & 63) & 1
		to[(at+i)>>6] |= bit << ((at + i) & 63)
		set += int(bit)
	}
	return set
}

func ones(bitmap []uint64, at, n int) {
	for i := at; i < at+n; {
		if i&63 == 0 && at+n-i >= 64 {
			bitmap[i>>6] = ^uint64(0)
			i += 64
			continue
		}
		bitmap[i>>6] |= 1 << (i & 63)
		i++
	}
}

// grow makes room for n bits; new ones are zero.
func grow(bitmap []uint64, n int) []uint64 {
	for len(bitmap)*64 < n {
		bitmap = append(bitmap, 0)
	}
	return bitmap
}

// array is a view of the first n values.
func (c *column) array(n int) arrow.Array {
	buffers := make([]*memory.Buffer, 2, 3)
	if c.nulls > 0 {
		buffers[0] = memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(c.valid))
	}
	switch {
	case c.ends != nil:
		buffers[1] = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends))
		buffers = append(buffers, memory.NewBufferBytes(c.data))
	case c.width == bitWide:
		buffers[1] = memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(c.bits))
	default:
		buffers[1] = memory.NewBufferBytes(c.data)
	}
	data := array.NewData(c.typ, n, buffers, nil, c.nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
