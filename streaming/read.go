package streaming

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming/decode"
)

// ReadRows reads the rows of the plan that are committed in the pipeline's features topic, from its start to what is its
// end when the reading begins, and gives them to fn: those of a partition in their order, and no two partitions in one
// call. Every value has the bits that the kernel gave it. Rows of other plans are passed over. The rows are fn's until it
// returns; Rows.Record makes Arrow of them. Of the source, Plan, Client, Patience and Clock are used.
func ReadRows(ctx context.Context, src Source, fn func(*kernel.Rows) error) error {
	src.Format = decode.JSON()
	if err := src.complete(); err != nil {
		return err
	}
	src.Topic = FeaturesTopic(src.Plan.Name)
	prog, err := kernel.Compile(src.Plan, kernel.Live)
	if err != nil {
		return err
	}
	builder, err := decode.NewBuilder(rowSchema(src.Plan), src.Format)
	if err != nil {
		return err
	}
	client, err := src.connect(ctx, append(src.readOptions(),
		kgo.ConsumeTopics(src.Topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	r := &rowReader{builder: builder, rows: prog.NewRows(), mark: []byte(newRowWriter(src.Plan).plan), fn: fn}
	return r.read(ctx, &src, client)
}

// rowReader decodes rows that rowWriter wrote.
type rowReader struct {
	builder *decode.Builder
	rows    *kernel.Rows
	mark    []byte // what stands in the rows of the plan and in no other
	fn      func(*kernel.Rows) error
}

func (r *rowReader) read(ctx context.Context, src *Source, client *kgo.Client) error {
	spans, err := src.spans(ctx, kadm.NewClient(client))
	if err != nil {
		return err
	}
	left := 0
	for _, s := range spans {
		if s.first < s.end {
			left++
		}
	}
	for left > 0 {
		fetches, err := src.poll(ctx, client, src.Patience)
		if err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			return src.unfinished(spans)
		}
		var failed error
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			s := &spans[p.Partition]
			known, _ := cut(p.Records, s.end)
			if failed == nil && s.first < s.end && len(p.Records) > 0 {
				failed = r.take(ctx, src.Topic, known)
				if s.first = p.Records[len(p.Records)-1].Offset + 1; s.first >= s.end {
					left--
				}
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

// unfinished says which partition has not come to its end.
func (s *Source) unfinished(spans []span) error {
	for num, span := range spans {
		if span.first < span.end {
			return s.silent(int32(num), span.first, span.end)
		}
	}
	return nil
}

// take decodes the records of one partition and gives their rows away.
func (r *rowReader) take(ctx context.Context, topic string, recs []*kgo.Record) error {
	for len(recs) > 0 {
		n := min(len(recs), chunkRows)
		r.builder.Reset()
		for _, rec := range recs[:n] {
			if rec.Attrs.IsControl() || !bytes.Contains(rec.Value, r.mark) {
				continue
			}
			if err := r.builder.Add(ctx, rec.Partition, rec.Offset, rec.Timestamp.UnixMicro(), rec.Value); err != nil {
				return err
			}
		}
		recs = recs[n:]
		if r.builder.Len() == 0 {
			continue
		}
		r.rows.Reset()
		if err := fillRows(r.rows, r.builder.Batch(), topic); err != nil {
			return err
		}
		if err := r.fn(r.rows); err != nil {
			return err
		}
	}
	return nil
}

// fillRows appends the rows of a batch that has the columns of rowSchema, and behind them those of schema.Log.
func fillRows(rows *kernel.Rows, rec arrow.RecordBatch, topic string) error {
	n := int(rec.NumRows())
	features := len(rows.Columns)
	log := len(rowNames) + features
	home := rec.Column(log).(*array.Int32).Int32Values()
	offset := rec.Column(log + 1).(*array.Int64).Int64Values()
	flaw := rec.Column(log + 3).(*array.String)
	keys := rec.Column(0).(*array.String)
	ask := arrow.GetValues[int64](rec.Column(1).Data(), 1)
	partition := rec.Column(2).(*array.Int64).Int64Values()
	source := rec.Column(3).(*array.Int64).Int64Values()
	revision := rec.Column(4).(*array.Int64).Int64Values()
	for i := range n {
		broken := ""
		switch {
		case flaw.IsValid(i):
			broken = flaw.Value(i)
		case int32(partition[i]) != home[i]:
			broken = fmt.Sprintf("it is a row of partition %d", partition[i])
		}
		for c := 0; c < len(rowNames) && broken == ""; c++ {
			if rec.Column(c).IsNull(i) {
				broken = rec.ColumnName(c) + " is absent"
			}
		}
		if broken != "" {
			return fault.New(fmt.Sprintf("topic %q, partition %d, offset %d", topic, home[i], offset[i]),
				"is not a row that spillway wrote: "+broken, "see who else writes to the topic")
		}
		rows.Keys.Append([]byte(keys.Value(i)))
		rows.AskTime = append(rows.AskTime, ask[i])
		rows.Partition = append(rows.Partition, int32(partition[i]))
		rows.Offset = append(rows.Offset, source[i])
		rows.Revision = append(rows.Revision, int32(revision[i]))
	}
	for c := range rows.Columns {
		fillColumn(&rows.Columns[c], rec.Column(len(rowNames)+c))
	}
	return nil
}

func fillColumn(c *kernel.Column, from arrow.Array) {
	for i := range from.Len() {
		c.Valid = append(c.Valid, from.IsValid(i))
	}
	switch from := from.(type) {
	case *array.Boolean:
		for i := range from.Len() {
			var v int64
			if from.Value(i) {
				v = 1
			}
			c.I = append(c.I, v)
		}
	case *array.Int64:
		c.I = append(c.I, from.Int64Values()...)
	case *array.Timestamp:
		c.I = append(c.I, arrow.GetValues[int64](from.Data(), 1)...)
	case *array.Float64:
		c.F = append(c.F, from.Float64Values()...)
	case *array.String:
		for i := range from.Len() {
			c.S.Append([]byte(from.Value(i)))
		}
	}
}
