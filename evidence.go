package spillway

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

// tableOf is a snapshot's rows, to stand behind FROM.
func tableOf(ctx context.Context, s *lakehouse.Snapshot) (string, error) {
	files, err := s.Files(ctx, lakehouse.Everything)
	if err != nil {
		return "", err
	}
	have, err := s.Columns()
	if err != nil {
		return "", err
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	var columns []duckdb.Column
	for _, c := range have {
		columns = append(columns, duckdb.Column{ID: c.ID, Name: c.Name, Type: c.Type})
	}
	return duckdb.Parquet(paths, columns)
}

// sorted gives feature rows in the order in which a reconciliation reads its sides.
func sorted(ctx context.Context, db *duckdb.DB, from string, columns *arrow.Schema) (array.RecordReader, error) {
	var names []string
	for _, f := range columns.Fields() {
		names = append(names, duckdb.Name(f.Name))
	}
	list, order := strings.Join(names, ", "), strings.Join(names[:5], ", ")
	rows, err := db.Query(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", list, from, order))
	if err != nil {
		return nil, err
	}
	return &result{Rows: rows}, nil
}

// result is a query's result as a reader of Arrow records. DuckDB's batches show memory that is used again, and readers of
// records may retain them, so each is copied.
type result struct {
	*duckdb.Rows
	rec arrow.RecordBatch
	err error
}

func (r *result) Next() bool {
	if r.rec != nil {
		r.rec.Release()
		r.rec = nil
	}
	if r.err != nil || !r.Rows.Next() {
		return false
	}
	b := r.Batch()
	columns := make([]arrow.Array, b.NumCols())
	for i := range columns {
		if columns[i], r.err = array.Concatenate([]arrow.Array{b.Column(i)}, memory.DefaultAllocator); r.err != nil {
			return false
		}
	}
	r.rec = array.NewRecordBatch(b.Schema(), columns, b.NumRows())
	for _, c := range columns {
		c.Release()
	}
	return true
}

func (r *result) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.Rows.Err()
}

func (r *result) Retain()                        {}
func (r *result) Release()                       { r.Close() }
func (r *result) RecordBatch() arrow.RecordBatch { return r.rec }
func (r *result) Record() arrow.RecordBatch      { return r.rec }

// spool writes the rows that the stream has committed below the frontier into a file of the folder, to stand behind FROM.
func (r *rooms) spool(ctx context.Context, plan *pipeline.Plan, below lakehouse.Frontier, folder string) (string, error) {
	f, err := os.CreateTemp(folder, "stream-*.parquet")
	if err != nil {
		return "", err
	}
	defer f.Close()
	sc := liveSchema(plan)
	out, err := newParquetFile(f, sc)
	if err != nil {
		return "", err
	}
	err = streaming.ReadRows(ctx, r.source(plan, true), func(rows *kernel.Rows) error {
		if rows.Len() == 0 {
			return nil
		}
		rec := rows.Record(sc, memory.DefaultAllocator)
		defer rec.Release()
		// The rows are those of one partition, in the order of the records that brought them about.
		n, _ := slices.BinarySearch(rows.Offset, below[rows.Partition[0]])
		if n == 0 {
			return nil
		}
		part := rec.NewSlice(0, int64(n))
		defer part.Release()
		return out.write(part)
	})
	if err != nil {
		return "", err
	}
	if err := out.close(); err != nil {
		return "", err
	}
	return "read_parquet(" + duckdb.Text(f.Name()) + ")", nil
}
