package batch

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// keysTable holds the keys whose records are asked for.
const keysTable = "_keys"

// fewKeys are as many as are looked up. Of more, the records are read in the order in which the files have them.
const fewKeys = 1000

// Sorted calls visit with all records of the keys, in the layout of schema.Log and sorted by (key, time, partition,
// offset), as training joins read them. Where there are many keys, it leaves out records that are not valid and has those of
// other keys too, and columns that the plan does not read are null. A batch is valid until visit returns.
func (h *History) Sorted(ctx context.Context, keys [][]byte, visit func(arrow.RecordBatch) error) error {
	if len(keys) > fewKeys {
		return h.validInOrder(ctx, visit)
	}
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

// validInOrder gives all valid records, their ids among them, sorted.
func (h *History) validInOrder(ctx context.Context, visit func(arrow.RecordBatch) error) error {
	var id []int
	if at := h.plan.Source.ID; at >= 0 {
		id = []int{at}
	}
	columns, names := h.reading(id...)
	// Times that lie too far ahead are left out by SQL, as in truth.
	lay := h.layOut(names, map[string]string{schema.StampColumn: names[1]})
	return h.inOrder(ctx, scan{columns: columns, files: h.files, where: h.valid()}, func(b arrow.RecordBatch) error {
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
