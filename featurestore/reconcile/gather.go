package reconcile

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// place is a row of a list of batches.
type place struct{ batch, row int32 }

// gather copies rows of the batches, of which there is at least one and which have one schema, in the given order.
func gather(batches []arrow.RecordBatch, order []place) (arrow.RecordBatch, error) {
	sc := batches[0].Schema()
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	b.Reserve(len(order))
	from := make([]arrow.Array, len(batches))
	for c := range sc.NumFields() {
		for i := range batches {
			from[i] = batches[i].Column(c)
		}
		if err := gatherColumn(b.Field(c), from, order); err != nil {
			return nil, fmt.Errorf("reconcile: column %q of the log: %w", sc.Field(c).Name, err)
		}
	}
	return b.NewRecordBatch(), nil
}

func gatherColumn(b array.Builder, from []arrow.Array, order []place) error {
	switch b := b.(type) {
	case *array.StringBuilder:
		return take(b, from, order, func(a *array.String, i int) { b.Append(a.Value(i)) })
	case *array.BinaryBuilder:
		return take(b, from, order, func(a *array.Binary, i int) { b.Append(a.Value(i)) })
	case *array.Int64Builder:
		return take(b, from, order, func(a *array.Int64, i int) { b.Append(a.Value(i)) })
	case *array.Int32Builder:
		return take(b, from, order, func(a *array.Int32, i int) { b.Append(a.Value(i)) })
	case *array.Float64Builder:
		return take(b, from, order, func(a *array.Float64, i int) { b.Append(a.Value(i)) })
	case *array.BooleanBuilder:
		return take(b, from, order, func(a *array.Boolean, i int) { b.Append(a.Value(i)) })
	case *array.TimestampBuilder:
		return take(b, from, order, func(a *array.Timestamp, i int) { b.Append(a.Value(i)) })
	}
	return fmt.Errorf("type %s", b.Type())
}

// take appends the rows of typed arrays; put appends one that is not null.
func take[A arrow.Array](b array.Builder, from []arrow.Array, order []place, put func(A, int)) error {
	typed := make([]A, len(from))
	for i, a := range from {
		t, ok := a.(A)
		if !ok {
			return fmt.Errorf("type %s, not %s", a.DataType(), b.Type())
		}
		typed[i] = t
	}
	for _, p := range order {
		if a := typed[p.batch]; a.IsNull(int(p.row)) {
			b.AppendNull()
		} else {
			put(a, int(p.row))
		}
	}
	return nil
}
