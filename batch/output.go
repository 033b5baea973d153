package batch

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// output writes rows to a feature table while more are computed. To the table it is a reader of record batches, which ends
// when the run does; an error of the run's ends it too, and then nothing is written.
type output struct {
	schema  *arrow.Schema
	asks    lakehouse.Range // rows of other asks are not written
	batches chan arrow.RecordBatch
	batch   arrow.RecordBatch // that the table reads
	failure error             // of the run; set before batches is closed
	written int64

	done chan struct{} // closed when the table has ended
	snap *lakehouse.Snapshot
	err  error // of the table
}

// handOver is how many batches wait for the table at most.
const handOver = 2

// write begins to replace the asks' rows in the table of the plan's reading.
func (h *History) write(ctx context.Context, plan *pipeline.Plan, reading string, asks lakehouse.Range, run string) (*output, error) {
	table, err := h.deps.Lake.Features(ctx, plan, reading)
	if err != nil {
		return nil, err
	}
	o := &output{schema: plan.Arrow(), asks: asks, batches: make(chan arrow.RecordBatch, handOver), done: make(chan struct{})}
	from := lakehouse.Run{ID: run, Plan: h.plan.Hash(), Input: h.snap.ID, Frontier: h.snap.Frontier(), Interval: asks}
	go func() {
		defer close(o.done)
		o.snap, o.err = table.Replace(ctx, o, from)
	}()
	return o, nil
}

// add takes a copy of the rows that answer the output's asks, among those of a part of them.
func (o *output) add(rows *kernel.Rows, part lakehouse.Range) error {
	keepAsks(rows, lakehouse.Range{From: max(part.From, o.asks.From), To: min(part.To, o.asks.To)})
	if rows.Len() == 0 {
		return nil
	}
	o.written += int64(rows.Len())
	select {
	case o.batches <- record(rows, o.schema):
		return nil
	case <-o.done:
		return o.err
	}
}

// finish ends the output, and with it the table's change: it is made, or not if the run failed.
func (o *output) finish(failure error) (*lakehouse.Snapshot, error) {
	o.failure = failure
	close(o.batches)
	<-o.done
	for b := range o.batches {
		b.Release()
	}
	if o.batch != nil {
		o.batch.Release()
	}
	if failure != nil {
		return nil, failure
	}
	return o.snap, o.err
}

// Schema, Next, RecordBatch, Record, Err, Retain and Release make the output an array.RecordReader.
func (o *output) Schema() *arrow.Schema { return o.schema }

func (o *output) Next() bool {
	if o.batch != nil {
		o.batch.Release()
	}
	o.batch = <-o.batches
	return o.batch != nil
}

func (o *output) RecordBatch() arrow.RecordBatch { return o.batch }
func (o *output) Record() arrow.RecordBatch      { return o.batch }
func (o *output) Err() error                     { return o.failure }
func (o *output) Retain()                        {}
func (o *output) Release()                       {}

// keepAsks takes the rows out whose asks do not lie in the range.
func keepAsks(r *kernel.Rows, in lakehouse.Range) {
	kept := 0
	for i, t := range r.AskTime {
		if t < in.From || t >= in.To {
			continue
		}
		if kept < i {
			move(r, kept, i)
		}
		kept++
	}
	if kept < r.Len() {
		cut(r, kept)
	}
}

// move puts row i in the place of row to, which lies before it.
func move(r *kernel.Rows, to, i int) {
	moveText(&r.Keys, to, i)
	r.AskTime[to], r.Partition[to], r.Offset[to], r.Revision[to] = r.AskTime[i], r.Partition[i], r.Offset[i], r.Revision[i]
	for c := range r.Columns {
		c := &r.Columns[c]
		c.Valid[to] = c.Valid[i]
		if len(c.I) > 0 {
			c.I[to] = c.I[i]
		}
		if len(c.F) > 0 {
			c.F[to] = c.F[i]
		}
		if c.S.Len() > 0 {
			moveText(&c.S, to, i)
		}
	}
}

func moveText(t *kernel.Texts, to, i int) {
	start := int32(0)
	if to > 0 {
		start = t.End[to-1]
	}
	t.End[to] = start + int32(copy(t.Bytes[start:], t.At(i)))
}

// cut takes the rows back to n.
func cut(r *kernel.Rows, n int) {
	cutTexts(&r.Keys, n)
	r.AskTime, r.Partition, r.Offset, r.Revision = r.AskTime[:n], r.Partition[:n], r.Offset[:n], r.Revision[:n]
	for c := range r.Columns {
		c := &r.Columns[c]
		c.Valid, c.I, c.F = c.Valid[:n], c.I[:min(n, len(c.I))], c.F[:min(n, len(c.F))]
		cutTexts(&c.S, min(n, c.S.Len()))
	}
}

func cutTexts(t *kernel.Texts, n int) {
	end := int32(0)
	if n > 0 {
		end = t.End[n-1]
	}
	t.End, t.Bytes = t.End[:n], t.Bytes[:end]
}
