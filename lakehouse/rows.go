package lakehouse

import (
	"context"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// Rows reads the rows of a range, delete files applied, with the columns of the table's newest schema or only those
// named. It decodes one file after the other and is for results of moderate size: large scans go through Files. A
// batch is valid until the next one is asked for. The order is that of the files and says nothing.
func (s *Snapshot) Rows(ctx context.Context, r Range, columns ...string) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		tasks, err := s.plan(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		for batch, err := range s.of.read(ctx, s.tbl, tasks, s.of.within(r), columns) {
			if !yield(batch, err) {
				return
			}
		}
	}
}

// read decodes files in their order, and of their rows those that the filter admits. It projects on the newest schema.
func (t *Table) read(ctx context.Context, tbl *table.Table, tasks []table.FileScanTask, filter iceberg.BooleanExpression,
	columns []string,
) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if len(tasks) == 0 {
			return
		}
		scan := tbl.Scan(table.WithRowFilter(filter), table.WithSelectedFields(columns...), table.WithMaxConcurrency(1))
		_, batches, err := scan.ReadTasks(ctx, tasks)
		if err != nil {
			yield(nil, t.lake.explain(t.thing, err))
			return
		}
		for batch, err := range batches {
			if err != nil {
				yield(nil, t.lake.explain(t.thing, err))
				return
			}
			more := yield(batch, nil)
			batch.Release()
			if !more {
				return
			}
		}
	}
}
