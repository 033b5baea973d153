package spillway

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// lastRevisions keeps one row of each tick: its first or its last revision. It holds all rows until it gives them.
type lastRevisions struct {
	first bool
	recs  []arrow.RecordBatch
	at    map[tickRow]place
}

type tickRow struct {
	key string
	ask arrow.Timestamp
}

type place struct {
	rec, row int
	revision int32
}

func newLastRevisions(first bool) *lastRevisions {
	return &lastRevisions{first: first, at: map[tickRow]place{}}
}

func (l *lastRevisions) take(rec arrow.RecordBatch) error {
	rec.Retain()
	l.recs = append(l.recs, rec)
	keys, asks := rec.Column(0).(*array.String), rec.Column(1).(*array.Timestamp)
	revisions := rec.Column(4).(*array.Int32)
	for i := range int(rec.NumRows()) {
		t, p := tickRow{keys.Value(i), asks.Value(i)}, place{len(l.recs) - 1, i, revisions.Value(i)}
		if have, ok := l.at[t]; !ok || (p.revision < have.revision) == l.first {
			l.at[t] = p
		}
	}
	return nil
}

// give writes the rows that stand, in the order in which they were taken.
func (l *lastRevisions) give(write func(arrow.RecordBatch) error) error {
	for n, rec := range l.recs {
		keys, asks := rec.Column(0).(*array.String), rec.Column(1).(*array.Timestamp)
		for i := range int(rec.NumRows()) {
			if p := l.at[tickRow{keys.Value(i), asks.Value(i)}]; p.rec != n || p.row != i {
				continue
			}
			row := rec.NewSlice(int64(i), int64(i)+1)
			err := write(row)
			row.Release()
			if err != nil {
				return err
			}
		}
		rec.Release()
	}
	return nil
}
