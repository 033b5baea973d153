package batch

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/duckdb"
)

// keysTable holds the keys whose records are asked for.
const keysTable = "_keys"

// Sorted calls visit with all records of the keys, in the layout of schema.Log and sorted by (key, time, partition,
// offset), as training joins read them. A batch is valid until visit returns.
func (h *History) Sorted(ctx context.Context, keys [][]byte, visit func(arrow.RecordBatch) error) error {
	join, err := h.ofKeys(ctx, keys)
	if err != nil {
		return err
	}
	columns, lay := h.whole()
	return h.each(ctx, query{columns: columns, files: h.files, join: join, order: h.sorted()}, func(b arrow.RecordBatch) error {
		rec := lay.batch(b)
		defer rec.Release()
		return visit(rec)
	})
}

// Keys gives all records of the keys, in the layout of schema.Log, by rising key (as bytes), partition and offset.
func (h *History) Keys(ctx context.Context, keys [][]byte) (array.RecordReader, error) {
	join, err := h.ofKeys(ctx, keys)
	if err != nil {
		return nil, err
	}
	order := fmt.Sprintf("ORDER BY %s, %s, %s", h.key(), partitionName, offsetName)
	return h.reader(ctx, query{files: h.files, join: join, order: order})
}

// Partition gives all records of a partition, in the layout of schema.Log, by rising offset.
func (h *History) Partition(ctx context.Context, partition int32) (array.RecordReader, error) {
	return h.reader(ctx, query{
		files: h.files, where: []string{fmt.Sprintf("%s = %d", partitionName, partition)},
		order: "ORDER BY " + offsetName,
	})
}

// ofKeys is the join that leaves the records of the keys.
func (h *History) ofKeys(ctx context.Context, keys [][]byte) (string, error) {
	if err := h.db.Exec(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s (_k VARCHAR)", keysTable)); err != nil {
		return "", err
	}
	if err := h.db.AppendTexts(ctx, keysTable, keys); err != nil {
		return "", err
	}
	return fmt.Sprintf("SEMI JOIN %s ON %s = _k", keysTable, h.key()), nil
}

// whole are all columns of the log, as SQL, and their layout.
func (h *History) whole() ([]string, *layout) {
	var columns, names []string
	for _, f := range h.log.Fields() {
		columns, names = append(columns, duckdb.Name(f.Name)), append(names, f.Name)
	}
	return columns, h.layOut(names, nil)
}

// reader runs a query of all columns.
func (h *History) reader(ctx context.Context, q query) (array.RecordReader, error) {
	columns, lay := h.whole()
	q.columns = columns
	sql, err := h.sql(q)
	if err != nil {
		return nil, err
	}
	rows, err := h.db.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return &reader{rows: rows, layout: lay}, nil
}

// reader is the result of a query as an array.RecordReader. Its records may be retained, so each is a copy: the memory of
// a query's is used again.
type reader struct {
	rows   *duckdb.Rows
	layout *layout
	rec    arrow.RecordBatch
	err    error
	closed bool
}

func (r *reader) Next() bool {
	r.drop()
	if r.err != nil || !r.rows.Next() {
		return false
	}
	seen := r.layout.batch(r.rows.Batch())
	defer seen.Release()
	columns := make([]arrow.Array, seen.NumCols())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, c := range seen.Columns() {
		if columns[i], r.err = array.Concatenate([]arrow.Array{c}, memory.DefaultAllocator); r.err != nil {
			return false
		}
	}
	r.rec = array.NewRecordBatch(seen.Schema(), columns, seen.NumRows())
	return true
}

func (r *reader) drop() {
	if r.rec != nil {
		r.rec.Release()
		r.rec = nil
	}
}

func (r *reader) Schema() *arrow.Schema          { return r.layout.log }
func (r *reader) RecordBatch() arrow.RecordBatch { return r.rec }
func (r *reader) Record() arrow.RecordBatch      { return r.rec }

func (r *reader) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.rows.Err()
}

// Retain does nothing: the reader has one owner, and Release ends its query.
func (r *reader) Retain() {}

func (r *reader) Release() {
	if !r.closed {
		r.closed = true
		r.drop()
		r.rows.Close()
	}
}
