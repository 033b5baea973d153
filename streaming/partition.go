package streaming

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming/decode"
)

// chunkRows is how many records become one batch. Batches do not change answers; they bound what is in memory at once.
const chunkRows = 4096

// partition is the state of one partition of the source, and what turns its records into answers. It belongs to one
// goroutine at a time. Run, its replay and Follow all read through it.
type partition struct {
	num     int32
	src     *Source
	task    *kernel.Task
	builder *decode.Builder
	nothing arrow.RecordBatch // a batch without rows

	// What the last chunk was and what it gave; valid until the next.
	batch arrow.RecordBatch
	recs  []*kgo.Record // the records behind the batch's rows
	rows  *kernel.Rows

	written     int64 // rows since the first offset
	deadAnswers int64
}

// newPartition is the empty state of a partition that is read from the offset first.
func newPartition(src *Source, prog *kernel.Program, num int32, first int64) (*partition, error) {
	b, err := decode.NewBuilder(src.Plan.Source.Schema, src.Format)
	if err != nil {
		return nil, err
	}
	p := &partition{num: num, src: src, task: kernel.NewTask(prog, num), builder: b, rows: prog.NewRows()}
	none := array.NewRecordBuilder(memory.DefaultAllocator, b.Schema())
	defer none.Release()
	p.nothing = none.NewRecordBatch()
	// The account begins at first, even where no record stands.
	return p, p.push(first)
}

// next is the offset of the record to come.
func (p *partition) next() int64 { return p.task.Account().Next }

// feed takes the partition's next records, which may be control records too, and calls done after each chunk of them. What
// lies between records is accounted for as gaps. An error leaves the partition unusable.
func (p *partition) feed(ctx context.Context, recs []*kgo.Record, done func() error) error {
	for len(recs) > 0 {
		n, err := p.decode(ctx, recs)
		if err != nil {
			return err
		}
		if err := p.push(recs[n-1].Offset + 1); err != nil {
			return err
		}
		if err := done(); err != nil {
			return err
		}
		recs = recs[n:]
	}
	return nil
}

// decode fills the builder with the first of the records and tells how many of them that took.
func (p *partition) decode(ctx context.Context, recs []*kgo.Record) (n int, err error) {
	p.builder.Reset()
	clear(p.recs)
	p.recs = p.recs[:0]
	for n < len(recs) && len(p.recs) < chunkRows {
		r := recs[n]
		if !r.Attrs.IsControl() {
			if err := p.src.decode(ctx, p.builder, r); errors.Is(err, decode.ErrFull) {
				break
			} else if err != nil {
				return n, err
			}
			p.recs = append(p.recs, r)
		}
		n++
	}
	return n, nil
}

// push gives the task what the builder holds. next is the offset after it.
func (p *partition) push(next int64) error {
	p.batch = p.nothing
	if p.builder.Len() > 0 {
		p.batch = p.builder.Batch()
	}
	p.rows.Reset()
	if err := p.task.Push(p.batch, next, p.rows); err != nil {
		return fmt.Errorf("partition %d: %w", p.num, err)
	}
	p.written += int64(p.rows.Len())
	p.deadAnswers += int64(len(p.task.DeadAnswers()))
	return nil
}
