package batch

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/lakehouse"
)

// scan is what a fold reads of a part: valid records that are no copies, in the order (key, time, partition, offset).
type scan struct {
	columns []string // the key first, then the time; the partition and the offset last
	files   []lakehouse.File
	where   []string
}

// inOrder gives the records of a scan in their order. Where all files are sorted, as the lake writes them, and not too many
// to be open at once, they are merged; others are sorted, by ranges of keys, so that a sort fits in memory.
func (h *History) inOrder(ctx context.Context, s scan, give func(arrow.RecordBatch) error) error {
	if h.mergeable(s.files) {
		return h.merge(ctx, s, give)
	}
	ranges, err := h.ranges(ctx, s.files, h.deps.limits.sortRows)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		q := query{columns: s.columns, files: s.files, join: h.notCopies(), where: slices.Concat(s.where, h.in(r)), order: h.sorted()}
		if err := h.each(ctx, q, give); err != nil {
			return err
		}
	}
	return nil
}

func (h *History) mergeable(files []lakehouse.File) bool {
	return len(files) > 0 && len(files) <= h.deps.limits.mergeFiles && h.copies == int64(len(h.copied)) &&
		!slices.ContainsFunc(files, func(f lakehouse.File) bool { return !f.Sorted })
}

// merge gives the records of a scan of sorted files. Reading and merging go on while give works on the batch before.
func (h *History) merge(ctx context.Context, s scan, give func(arrow.RecordBatch) error) error {
	db, err := h.ordered()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var results []*duckdb.Rows
	var names []string
	for _, f := range s.files {
		sql, err := h.sql(query{columns: s.columns, files: []lakehouse.File{f}, where: s.where})
		if err == nil {
			var rows *duckdb.Rows
			if rows, err = db.Query(ctx, sql); err == nil {
				results, names = append(results, rows), append(names, "file "+f.Path)
			}
		}
		if err != nil {
			for _, r := range results {
				r.Close()
			}
			return err
		}
	}
	last := len(s.columns) - 1
	m, err := duckdb.NewMerge(results, names, duckdb.Order{Key: 0, Time: 1, Partition: last - 1, Offset: last})
	if err != nil {
		return err
	}
	defer m.Close()
	if len(h.copied) > 0 {
		m.LeaveOut(func(partition int32, offset int64) bool {
			_, is := h.copied[coordinate{partition, offset}]
			return is
		})
	}
	return m.Each(give)
}

// ordered is a database whose results come in the order of a file's rows.
func (h *History) ordered() (*duckdb.DB, error) {
	if h.inFileOrder != nil {
		return h.inFileOrder, nil
	}
	var err error
	h.inFileOrder, err = duckdb.Open(duckdb.Config{Memory: h.deps.Memory, Temp: h.temp, InOrder: true})
	return h.inFileOrder, err
}
