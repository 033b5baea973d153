package reconcile

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
)

// records reads the log's records of keys, one key after the other.
type records struct {
	ctx    context.Context
	plan   *pipeline.Plan
	reader array.RecordReader
	batch  arrow.RecordBatch // nil at the end
	row    int
}

func openRecords(ctx context.Context, in *Input, keys [][]byte) (*records, error) {
	reader, err := in.Log.Keys(ctx, keys)
	if err != nil {
		return nil, err
	}
	r := &records{ctx: ctx, plan: in.Plan, reader: reader}
	if err := r.turn(); err != nil {
		reader.Release()
		return nil, err
	}
	return r, nil
}

func (r *records) close() {
	if r.batch != nil {
		r.batch.Release()
	}
	r.reader.Release()
}

// turn goes to the next batch that is not empty.
func (r *records) turn() error {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
	r.row = 0
	for r.reader.Next() {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		batch := r.reader.RecordBatch()
		if batch.NumRows() == 0 {
			continue
		}
		if _, err := offsetsOf(batch, r.plan.Source.Schema); err != nil {
			return err
		}
		keys, ok := batch.Column(r.plan.Source.Key).(*array.String)
		if !ok || keys.NullN() > 0 {
			return fault.New("the log", "gives records of keys whose key is null or no text",
				"give those of the keys that are asked for")
		}
		batch.Retain()
		r.batch = batch
		return nil
	}
	return r.reader.Err()
}

// of gives the records of the key, in batches that the caller releases. Keys are asked for in rising order.
func (r *records) of(key []byte) ([]arrow.RecordBatch, error) {
	var batches []arrow.RecordBatch
	for r.batch != nil {
		keys := r.batch.Column(r.plan.Source.Key).(*array.String)
		from, n := r.row, keys.Len()
		for r.row < n && keys.Value(r.row) == string(key) {
			r.row++
		}
		if r.row > from {
			batches = append(batches, r.batch.NewSlice(int64(from), int64(r.row)))
		}
		if r.row < n {
			if bytes.Compare([]byte(keys.Value(r.row)), key) < 0 {
				releaseAll(batches)
				what := "gives records of key %s, which was not asked for or comes behind a greater one"
				return nil, fault.New("the log", fmt.Sprintf(what, shorten(keys.Value(r.row), 40)),
					"sort the records by key (as bytes), partition and offset")
			}
			break
		}
		if err := r.turn(); err != nil {
			releaseAll(batches)
			return nil, err
		}
	}
	return batches, nil
}

func releaseAll(batches []arrow.RecordBatch) {
	for _, b := range batches {
		b.Release()
	}
}
