package lakehouse

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// concatenate makes one batch of several. The caller releases it.
func concatenate(batches []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(batches) == 1 {
		batches[0].Retain()
		return batches[0], nil
	}
	columns := make([]arrow.Array, batches[0].NumCols())
	defer releaseAll(columns)
	parts := make([]arrow.Array, len(batches))
	for c := range columns {
		for i, b := range batches {
			parts[i] = b.Column(c)
		}
		var err error
		if columns[c], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(batches[0].Schema(), columns, int64(columns[0].Len())), nil
}

// take makes a batch of the rows at the index, which names none twice. The caller releases it.
func take(ctx context.Context, rows arrow.RecordBatch, index []uint32) (arrow.RecordBatch, error) {
	b := array.NewUint32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(index, nil)
	indices := b.NewUint32Array()
	defer indices.Release()
	columns := make([]arrow.Array, rows.NumCols())
	defer releaseAll(columns)
	for i, c := range rows.Columns() {
		var err error
		switch c := c.(type) {
		case *array.String:
			columns[i] = takeTexts(c, c.ValueOffsets(), index)
		case *array.Binary:
			columns[i] = takeTexts(c, c.ValueOffsets(), index)
		default:
			columns[i], err = compute.TakeArray(ctx, c, indices)
		}
		if err != nil {
			return nil, err
		}
	}
	return array.NewRecordBatch(rows.Schema(), columns, int64(len(index))), nil
}

// takeTexts takes from an array of texts or bytes. It knows the size of the result before it copies, which makes it more
// than twice as fast as Arrow's kernel, and half of an archive's columns are texts. The result is no larger than the array,
// since no row comes twice, so that its offsets fit as the array's do.
func takeTexts(from arrow.Array, offsets []int32, index []uint32) arrow.Array {
	size := 0
	for _, i := range index {
		size += int(offsets[i+1] - offsets[i])
	}
	var bytes []byte
	if b := from.Data().Buffers()[2]; b != nil {
		bytes = b.Bytes()
	}
	ends, values := make([]int32, len(index)+1), make([]byte, size)
	end := int32(0)
	for k, i := range index {
		end += int32(copy(values[end:], bytes[offsets[i]:offsets[i+1]]))
		ends[k+1] = end
	}
	var valid *memory.Buffer
	nulls := 0
	if from.NullN() > 0 {
		bits := make([]byte, bitutil.BytesForBits(int64(len(index))))
		for k, i := range index {
			bitutil.SetBitTo(bits, k, from.IsValid(int(i)))
		}
		valid, nulls = memory.NewBufferBytes(bits), array.UnknownNullCount
	}
	buffers := []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(values)}
	data := array.NewData(from.DataType(), len(index), buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

func releaseAll(columns []arrow.Array) {
	for _, c := range columns {
		if c != nil {
			c.Release()
		}
	}
}
