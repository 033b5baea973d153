package batch

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// record copies rows as Rows.Record does. Columns of numbers are copied whole instead of value by value, which takes a tenth
// of the time; a run of batch hands over every row that it writes.
func record(r *kernel.Rows, sc *arrow.Schema) arrow.RecordBatch {
	n := r.Len()
	asked := make([]bool, n) // that the row has an event of its own
	for i, o := range r.Offset {
		asked[i] = o >= 0
	}
	columns := []arrow.Array{
		textArray(sc.Field(0).Type, &r.Keys, nil), numberArray(sc.Field(1).Type, r.AskTime, nil), numberArray(sc.Field(2).Type, r.Partition, asked),
		numberArray(sc.Field(3).Type, r.Offset, asked), numberArray(sc.Field(4).Type, r.Revision, nil),
	}
	for i := range r.Columns {
		c, typ := &r.Columns[i], sc.Field(5+i).Type
		switch c.Kind {
		case schema.Text:
			columns = append(columns, textArray(typ, &c.S, c.Valid))
		case schema.Float:
			columns = append(columns, numberArray(typ, c.F, c.Valid))
		case schema.Bool:
			columns = append(columns, boolArray(c.I, c.Valid))
		default:
			columns = append(columns, numberArray(typ, c.I, c.Valid))
		}
	}
	rec := array.NewRecordBatch(sc, columns, int64(n))
	for _, c := range columns {
		c.Release()
	}
	return rec
}

func numberArray[T int32 | int64 | float64](typ arrow.DataType, values []T, valid []bool) arrow.Array {
	own := append([]T(nil), values...)
	size := len(own) * int(unsafe.Sizeof(*new(T)))
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(own))), size)
	return made(typ, len(own), valid, memory.NewBufferBytes(bytes))
}

func textArray(typ arrow.DataType, t *kernel.Texts, valid []bool) arrow.Array {
	ends := make([]int32, t.Len()+1)
	copy(ends[1:], t.End)
	bytes := append([]byte(nil), t.Bytes...)
	return made(typ, t.Len(), valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(bytes))
}

func boolArray(values []int64, valid []bool) arrow.Array {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(len(values))
	for i, v := range values {
		if valid[i] {
			b.UnsafeAppend(v != 0)
		} else {
			b.UnsafeAppendBoolToBitmap(false)
		}
	}
	return b.NewArray()
}

// made is an array of n values in the buffers; valid, where it is not nil, tells which of them are not null.
func made(typ arrow.DataType, n int, valid []bool, buffers ...*memory.Buffer) arrow.Array {
	var mask *memory.Buffer
	nulls := 0
	for _, ok := range valid {
		if !ok {
			nulls++
		}
	}
	if nulls > 0 {
		bits := make([]byte, (n+7)/8)
		for i, ok := range valid {
			if ok {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		mask = memory.NewBufferBytes(bits)
	}
	data := array.NewData(typ, n, append([]*memory.Buffer{mask}, buffers...), nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
