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
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/streaming"
)

// evidence is the rows and records that a reconciliation compares, sorted by DuckDB.
type evidence struct {
	plan *pipeline.Plan
	db   *duckdb.DB
	raw  string // the archive's snapshot, to stand behind FROM
}

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

// sorted gives feature rows in the order in which sides are compared.
func (e *evidence) sorted(ctx context.Context, from string, columns *arrow.Schema) (array.RecordReader, error) {
	var names []string
	for _, f := range columns.Fields() {
		names = append(names, duckdb.Name(f.Name))
	}
	return e.query(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", strings.Join(names, ", "), from, strings.Join(names[:5], ", ")))
}

func (e *evidence) query(ctx context.Context, sql string) (array.RecordReader, error) {
	rows, err := e.db.Query(ctx, sql)
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

// Partition gives all records of a partition in the order of their offsets.
func (e *evidence) Partition(ctx context.Context, partition int32) (array.RecordReader, error) {
	return e.query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s = %d ORDER BY %s", e.columns(), e.raw,
		duckdb.Name(schema.PartitionColumn), partition, duckdb.Name(schema.OffsetColumn)))
}

// Keys gives all records of the keys, by key, partition and offset.
func (e *evidence) Keys(ctx context.Context, keys [][]byte) (array.RecordReader, error) {
	var list []string
	for _, k := range keys {
		list = append(list, duckdb.Text(string(k)))
	}
	if len(list) == 0 {
		list = []string{"NULL"}
	}
	key := duckdb.Name(e.plan.Source.Schema.Fields[e.plan.Source.Key].Name)
	return e.query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s IN (%s) ORDER BY %s, %s, %s", e.columns(), e.raw, key,
		strings.Join(list, ", "), key, duckdb.Name(schema.PartitionColumn), duckdb.Name(schema.OffsetColumn)))
}

// columns is the list of a query that gives records in the layout of schema.Log.
func (e *evidence) columns() string {
	var names []string
	for _, f := range e.plan.Source.Schema.Log().Fields() {
		names = append(names, duckdb.Name(f.Name))
	}
	return strings.Join(names, ", ")
}

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

// manyKeys is how many keys are still named one by one in a query.
const manyKeys = 1000

// Sorted gives the records of the keys, and maybe of others, by key, time, partition and offset.
func (e *evidence) Sorted(ctx context.Context, keys [][]byte, visit func(arrow.RecordBatch) error) error {
	src := &e.plan.Source
	key, at := duckdb.Name(src.Schema.Fields[src.Key].Name), duckdb.Name(src.Schema.Fields[src.Time].Name)
	where := fmt.Sprintf("%s IS NULL AND %s IS NOT NULL AND %s IS NOT NULL", duckdb.Name(schema.FaultColumn), key, at)
	if len(keys) <= manyKeys {
		list := []string{"NULL"}
		for _, k := range keys {
			list = append(list, duckdb.Text(string(k)))
		}
		where += fmt.Sprintf(" AND %s IN (%s)", key, strings.Join(list, ", "))
	}
	rows, err := e.db.Query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s, %s, %s, %s", e.columns(), e.raw, where,
		key, at, duckdb.Name(schema.PartitionColumn), duckdb.Name(schema.OffsetColumn)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows.Batch()); err != nil {
			return err
		}
	}
	return rows.Err()
}
