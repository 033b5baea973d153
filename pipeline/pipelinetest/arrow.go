package pipelinetest

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Batches gives the records as Arrow batches in the layout of schema.Log: one batch a partition, in the order in which the
// partitions first appear. A log is split anywhere by calling it for parts of the log.
func (l Log) Batches(mem memory.Allocator, sc *schema.Schema) []arrow.RecordBatch {
	var order []int32
	parts := map[int32]Log{}
	for _, r := range l {
		if parts[r.Partition] == nil {
			order = append(order, r.Partition)
		}
		parts[r.Partition] = append(parts[r.Partition], r)
	}
	batches := make([]arrow.RecordBatch, len(order))
	for i, p := range order {
		batches[i] = parts[p].Batch(mem, sc)
	}
	return batches
}

// Batch gives the records, in their order, as one Arrow batch in the layout of schema.Log.
func (l Log) Batch(mem memory.Allocator, sc *schema.Schema) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, sc.Log())
	defer b.Release()
	n := len(sc.Fields)
	for _, r := range l {
		for c, f := range sc.Fields {
			if r.Fault != "" || r.Values[c].Null {
				b.Field(c).AppendNull()
			} else {
				appendDatum(b.Field(c), f.Kind, r.Values[c])
			}
		}
		b.Field(n).(*array.Int32Builder).Append(r.Partition)
		b.Field(n + 1).(*array.Int64Builder).Append(r.Offset)
		b.Field(n + 2).(*array.TimestampBuilder).Append(arrow.Timestamp(r.Stamp))
		if r.Fault == "" {
			b.Field(n + 3).AppendNull()
			b.Field(n + 4).AppendNull()
			continue
		}
		b.Field(n + 3).(*array.StringBuilder).Append(r.Fault)
		b.Field(n + 4).(*array.BinaryBuilder).Append(r.Raw)
	}
	return b.NewRecordBatch()
}

func appendDatum(b array.Builder, kind schema.Kind, d expr.Datum) {
	switch kind {
	case schema.Bool:
		b.(*array.BooleanBuilder).Append(d.I != 0)
	case schema.Int:
		b.(*array.Int64Builder).Append(d.I)
	case schema.Float:
		b.(*array.Float64Builder).Append(d.F)
	case schema.Text:
		b.(*array.StringBuilder).Append(d.S)
	case schema.Time:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(d.I))
	default:
		panic(fmt.Sprintf("pipelinetest: a column of kind %v", kind))
	}
}
