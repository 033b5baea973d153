package decode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// column is the buffers of one column in Arrow's layout. Every slice has room for the rows that the builder has made room
// for; a row is written by exactly one of its set methods or by null. A row that is set costs nothing for its validity,
// because the bits begin as ones.
type column struct {
	field schema.Field
	typ   arrow.DataType
	// The range of an Int or a Time.
	lowest, highest int64

	nulls int
	valid []byte   // one bit a row: 0 is null
	words []uint64 // Int and Time, and Float as its bits
	bits  []byte   // Bool, one bit a row
	ends  []int32  // Text: row i is text[ends[i]:ends[i+1]]
	text  []byte
}

func newColumn(f schema.Field) column {
	c := column{field: f, typ: f.Kind.Arrow(), lowest: f.Min, highest: f.Max}
	if f.Kind == schema.Time {
		c.lowest, c.highest = minTime, maxTime
	}
	return c
}

// grow makes room for the given number of rows, a multiple of eight that is greater than before.
func (c *column) grow(room int) {
	had := len(c.valid)
	c.valid = extend(c.valid, room/8)
	fill(c.valid[had:])
	switch c.field.Kind {
	case schema.Bool:
		c.bits = extend(c.bits, room/8)
	case schema.Text:
		c.ends = extend(c.ends, room+1)
	default:
		c.words = extend(c.words, room)
	}
}

func (c *column) setWord(row int, w uint64) { c.words[row] = w }

func (c *column) setBool(row int, v bool) {
	if v {
		c.bits[row>>3] |= 1 << (row & 7)
	} else {
		c.bits[row>>3] &^= 1 << (row & 7)
	}
}

func (c *column) setText(row int, v []byte) {
	c.text = append(c.text, v...)
	c.ends[row+1] = int32(len(c.text))
}

func (c *column) setSymbol(row int, v string) {
	c.text = append(c.text, v...)
	c.ends[row+1] = int32(len(c.text))
}

// null makes a row null that has not been written. The memory behind it is cleared, so that equal inputs give equal
// buffers.
func (c *column) null(row int) {
	c.valid[row>>3] &^= 1 << (row & 7)
	c.nulls++
	switch c.field.Kind {
	case schema.Bool:
		c.setBool(row, false)
	case schema.Text:
		c.ends[row+1] = int32(len(c.text))
	default:
		c.words[row] = 0
	}
}

// wipe makes the last row null, whatever has been written of it.
func (c *column) wipe(row int) {
	if c.field.Kind == schema.Text {
		c.text = c.text[:c.ends[row]]
	}
	if c.valid[row>>3]&(1<<(row&7)) == 0 {
		c.nulls-- // null counts it again
	}
	c.null(row)
}

// reset empties the column and keeps its memory, unless a rare huge record has blown it up.
func (c *column) reset() {
	if c.nulls > 0 {
		fill(c.valid)
		c.nulls = 0
	}
	if cap(c.text) > hugeText && len(c.text) < cap(c.text)/4 {
		c.text = nil
	}
	c.text = c.text[:0]
}

// drop forgets the buffers: they belong to a batch that was given away.
func (c *column) drop() {
	*c = column{field: c.field, typ: c.typ, lowest: c.lowest, highest: c.highest}
}

// array is the first rows as an Arrow array over the column's own memory.
func (c *column) array(rows int) arrow.Array {
	var valid *memory.Buffer
	if c.nulls > 0 {
		valid = memory.NewBufferBytes(c.valid[:(rows+7)/8])
	}
	switch c.field.Kind {
	case schema.Bool:
		return makeArray(c.typ, rows, c.nulls, valid, memory.NewBufferBytes(c.bits[:(rows+7)/8]))
	case schema.Text:
		if rows == 0 {
			return makeArray(c.typ, 0, 0, nil, nil, nil)
		}
		return makeArray(c.typ, rows, c.nulls, valid, int32Buffer(c.ends[:rows+1]), memory.NewBufferBytes(c.text))
	}
	return makeArray(c.typ, rows, c.nulls, valid,
		memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(c.words[:rows])))
}

func int32Buffer(v []int32) *memory.Buffer {
	return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v))
}

func int64Buffer(v []int64) *memory.Buffer {
	return memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(v))
}

func makeArray(typ arrow.DataType, rows, nulls int, buffers ...*memory.Buffer) arrow.Array {
	data := array.NewData(typ, rows, buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

func extend[T any](s []T, n int) []T {
	longer := make([]T, n)
	copy(longer, s)
	return longer
}

func fill(bits []byte) {
	for i := range bits {
		bits[i] = 0xff
	}
}
