package batch

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// layout turns the batches of a query that reads some columns of the log into batches of all of them, as the kernel takes
// them. Columns that nobody looks at are null; making them costs nothing, since all batches share their memory.
type layout struct {
	log   *arrow.Schema
	from  []int // for each column of the log, that of the query; -1: null
	nulls []arrow.Array
}

const nothing = -1

// layOut is the layout of a query with the columns given, in its order. also says of which other column of the query a
// column of the log is a view.
func (h *History) layOut(columns []string, also map[string]string) *layout {
	l := &layout{log: h.log, from: make([]int, h.log.NumFields()), nulls: make([]arrow.Array, h.log.NumFields())}
	place := map[string]int{}
	for i, c := range columns {
		place[c] = i
	}
	for i, f := range h.log.Fields() {
		l.from[i] = nothing
		if at, ok := place[f.Name]; ok {
			l.from[i] = at
		} else if at, ok := place[also[f.Name]]; ok {
			l.from[i] = at
		}
	}
	return l
}

// batch gives the query's batch in the layout of the log. It shares the memory of the query's, and the caller releases it.
func (l *layout) batch(rec arrow.RecordBatch) arrow.RecordBatch {
	n := rec.NumRows()
	columns := make([]arrow.Array, len(l.from))
	for i, at := range l.from {
		if at != nothing {
			columns[i] = rec.Column(at)
			columns[i].Retain()
		} else {
			columns[i] = l.null(i, int(n))
		}
	}
	out := array.NewRecordBatch(l.log, columns, n)
	for _, c := range columns {
		c.Release()
	}
	return out
}

// null is n nulls of the column's type.
func (l *layout) null(i, n int) arrow.Array {
	if l.nulls[i] == nil || l.nulls[i].Len() < n {
		l.nulls[i] = array.MakeArrayOfNull(memory.DefaultAllocator, l.log.Field(i).Type, n+n/2)
	}
	return array.NewSlice(l.nulls[i], 0, int64(n))
}
