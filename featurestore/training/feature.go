package training

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// featureColumn is one feature: a value for each distinct ask, which labels of one key and time share.
type featureColumn struct {
	values kernel.Column
	ask    []int32 // of each row, its place in values
}

// take appends rows [from, to) of a column that the kernel made.
func (f *featureColumn) take(c *kernel.Column, from, to int) {
	v := &f.values
	v.Valid = append(v.Valid, c.Valid[from:to]...)
	switch v.Kind {
	case schema.Float:
		v.F = append(v.F, c.F[from:to]...)
	case schema.Text:
		for i := from; i < to; i++ {
			v.S.Append(c.S.At(i))
		}
	default:
		v.I = append(v.I, c.I[from:to]...)
	}
}

// takeNull appends a null.
func (f *featureColumn) takeNull() { f.values.Append(expr.Datum{Null: true}) }

func (f *featureColumn) appendCSV(dst []byte, row int) []byte {
	i := f.ask[row]
	v := &f.values
	if !v.Valid[i] {
		return dst
	}
	switch v.Kind {
	case schema.Float:
		return schema.AppendFloat(dst, v.F[i])
	case schema.Text:
		return appendField(dst, string(v.S.At(int(i))))
	case schema.Time:
		return schema.AppendTime(dst, v.I[i])
	case schema.Bool:
		return strconv.AppendBool(dst, v.I[i] != 0)
	}
	return strconv.AppendInt(dst, v.I[i], 10)
}

func (f *featureColumn) appendJSON(dst []byte, row int) []byte {
	return f.values.AppendJSON(dst, int(f.ask[row]))
}

func (f *featureColumn) array() (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, f.values.Kind.Arrow())
	defer b.Release()
	b.Reserve(len(f.ask))
	v := &f.values
	for _, i := range f.ask {
		if !v.Valid[i] {
			b.AppendNull()
			continue
		}
		switch b := b.(type) {
		case *array.Float64Builder:
			b.Append(v.F[i])
		case *array.StringBuilder:
			b.BinaryBuilder.Append(v.S.At(int(i)))
		case *array.TimestampBuilder:
			b.Append(arrow.Timestamp(v.I[i]))
		case *array.BooleanBuilder:
			b.Append(v.I[i] != 0)
		case *array.Int64Builder:
			b.Append(v.I[i])
		}
	}
	return b.NewArray(), nil
}
