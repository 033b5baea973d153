package payments

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// Record gives the next n payments as an Arrow record in the layout of schema.Log: offsets count from first, and the Kafka
// timestamp of each is its event time, as in the topic of the workload.
func (g *Generator) Record(sc *schema.Schema, n int, partition int32, first int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc.Log())
	defer b.Release()
	text := func(c int, s string) { b.Field(c).(*array.StringBuilder).Append(s) }
	for i := range n {
		p := g.Next()
		text(0, p.ID)
		text(1, p.Card)
		text(2, p.Merchant)
		text(3, p.Country)
		text(4, p.Home)
		b.Field(5).(*array.Float64Builder).Append(p.Amount)
		b.Field(6).(*array.TimestampBuilder).Append(arrow.Timestamp(p.At.UnixMicro()))
		b.Field(7).(*array.Int32Builder).Append(partition)
		b.Field(8).(*array.Int64Builder).Append(first + int64(i))
		b.Field(9).(*array.TimestampBuilder).Append(arrow.Timestamp(p.At.UnixMicro()))
		b.Field(10).AppendNull()
		b.Field(11).AppendNull()
	}
	return b.NewRecordBatch()
}
