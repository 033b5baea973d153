package kernel

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Rows are answers, column by column, in the order in which they are given. The caller owns them, reads them after each
// Push and resets them; their memory is used again.
type Rows struct {
	Keys      Texts   // the entity
	AskTime   []int64 // µs
	Partition []int32
	Offset    []int64 // of the event asked at, or of the record that settled or revised the tick; -1 in truth's ticks
	Revision  []int32
	Columns   []Column // the features that the program computes, in the plan's order
}

// Column is the values of one feature.
type Column struct {
	Kind  schema.Kind
	Valid []bool
	I     []int64   // Int, Time, and Bool as 0 or 1
	F     []float64 // Float
	S     Texts     // Text
}

// AppendJSON appends value i as JSON.
func (c *Column) AppendJSON(dst []byte, i int) []byte {
	if !c.Valid[i] {
		return append(dst, "null"...)
	}
	switch c.Kind {
	case schema.Bool:
		return strconv.AppendBool(dst, c.I[i] != 0)
	case schema.Int:
		return strconv.AppendInt(dst, c.I[i], 10)
	case schema.Float:
		return schema.AppendJSONFloat(dst, c.F[i])
	case schema.Time:
		return schema.AppendJSONTime(dst, c.I[i])
	}
	return schema.AppendJSONText(dst, c.S.At(i))
}

// Texts are byte strings laid end to end.
type Texts struct {
	End   []int32
	Bytes []byte
}

// Len is the number of texts.
func (t *Texts) Len() int { return len(t.End) }

// At is text i; it stays valid until the texts are reset.
func (t *Texts) At(i int) []byte {
	start := int32(0)
	if i > 0 {
		start = t.End[i-1]
	}
	return t.Bytes[start:t.End[i]]
}

// Append adds a text.
func (t *Texts) Append(b []byte) {
	t.Bytes = append(t.Bytes, b...)
	t.End = append(t.End, int32(len(t.Bytes)))
}

// Reset empties the texts and keeps their memory.
func (t *Texts) Reset() { t.End, t.Bytes = t.End[:0], t.Bytes[:0] }

// NewRows makes empty rows for the features that live and historical select of the plan.
func newRows(features []pipeline.FeaturePlan) *Rows {
	r := &Rows{Columns: make([]Column, len(features))}
	for i := range features {
		r.Columns[i].Kind = features[i].Kind
	}
	return r
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.AskTime) }

// Reset empties the rows and keeps their memory.
func (r *Rows) Reset() {
	r.Keys.Reset()
	r.AskTime, r.Partition, r.Offset, r.Revision = r.AskTime[:0], r.Partition[:0], r.Offset[:0], r.Revision[:0]
	for i := range r.Columns {
		c := &r.Columns[i]
		c.Valid, c.I, c.F = c.Valid[:0], c.I[:0], c.F[:0]
		c.S.Reset()
	}
}

// touch reads the memory that the next n rows will be written to, as far as it is there: a write would wait for it, and
// what is behind it too.
func (r *Rows) touch(n int) (sum uint64) {
	sum = touchNext(r.Keys.End, n) + touchNext(r.AskTime, n) + touchNext(r.Partition, n) + touchNext(r.Offset, n) + touchNext(r.Revision, n)
	for i := range r.Columns {
		sum += touchNext(r.Columns[i].I, n) + touchNext(r.Columns[i].F, n)
	}
	return sum
}

func touchNext[T int32 | int64 | float64](s []T, n int) (sum uint64) {
	for i, next := 0, s[len(s):min(len(s)+n, cap(s))]; i < len(next); i += lineWords {
		sum += uint64(next[i])
	}
	return sum
}

// Record copies the rows into an Arrow record of the given schema: the key, the ask's time, the partition, the offset, the
// revision, then the features. It is Plan.Arrow's, or that of a part of the features.
func (r *Rows) Record(sc *arrow.Schema, mem memory.Allocator) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, sc)
	defer b.Release()
	b.Reserve(r.Len())
	keys := b.Field(0).(*array.StringBuilder)
	ask, part := b.Field(1).(*array.TimestampBuilder), b.Field(2).(*array.Int32Builder)
	off, rev := b.Field(3).(*array.Int64Builder), b.Field(4).(*array.Int32Builder)
	for i := range r.Len() {
		keys.BinaryBuilder.Append(r.Keys.At(i))
		ask.Append(arrow.Timestamp(r.AskTime[i]))
		if r.Offset[i] < 0 {
			part.AppendNull()
			off.AppendNull()
		} else {
			part.Append(r.Partition[i])
			off.Append(r.Offset[i])
		}
		rev.Append(r.Revision[i])
	}
	for c := range r.Columns {
		r.Columns[c].appendTo(b.Field(5 + c))
	}
	return b.NewRecordBatch()
}

func (c *Column) appendTo(b array.Builder) {
	switch b := b.(type) {
	case *array.Int64Builder:
		b.AppendValues(c.I, c.Valid)
	case *array.Float64Builder:
		b.AppendValues(c.F, c.Valid)
	case *array.TimestampBuilder:
		for i, v := range c.I {
			if c.Valid[i] {
				b.Append(arrow.Timestamp(v))
			} else {
				b.AppendNull()
			}
		}
	case *array.BooleanBuilder:
		for i, v := range c.I {
			if c.Valid[i] {
				b.Append(v != 0)
			} else {
				b.AppendNull()
			}
		}
	case *array.StringBuilder:
		for i := range c.Valid {
			if c.Valid[i] {
				b.BinaryBuilder.Append(c.S.At(i))
			} else {
				b.AppendNull()
			}
		}
	}
}

// Between keeps the rows whose ask time lies in [from, to), in microseconds.
func (r *Rows) Between(from, to int64) {
	n := 0
	for i, at := range r.AskTime {
		if at < from || at >= to {
			continue
		}
		if n != i {
			r.Keys.move(n, i)
			r.AskTime[n], r.Partition[n], r.Offset[n], r.Revision[n] = at, r.Partition[i], r.Offset[i], r.Revision[i]
			for c := range r.Columns {
				r.Columns[c].move(n, i)
			}
		}
		n++
	}
	r.Keys.cut(n)
	r.AskTime, r.Partition, r.Offset, r.Revision = r.AskTime[:n], r.Partition[:n], r.Offset[:n], r.Revision[:n]
	for c := range r.Columns {
		r.Columns[c].cut(n)
	}
}

// move makes text n, behind which nothing is wanted any more, that of i.
func (t *Texts) move(n, i int) {
	b := t.At(i)
	start := int32(0)
	if n > 0 {
		start = t.End[n-1]
	}
	t.End[n] = start + int32(copy(t.Bytes[start:], b))
}

func (c *Column) move(n, i int) {
	c.Valid[n] = c.Valid[i]
	switch c.Kind {
	case schema.Float:
		c.F[n] = c.F[i]
	case schema.Text:
		c.S.move(n, i)
	default:
		c.I[n] = c.I[i]
	}
}
