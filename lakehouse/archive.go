package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// ErrFrontier is beneath the error of an append that does not start where the archive stands: another writer was
// there, or the caller lost its place. Start again from Frontier.
var ErrFrontier = errors.New("the append does not start at the archive's frontier")

// Archive is the table that holds every record of one topic, exactly once. Several goroutines and processes may
// append to one archive, best each to partitions of its own: of two that append to one partition, one is refused.
type Archive struct {
	*Table
	layout *layout
	uuid   uuid.UUID // of the table, which another must not take the place of
}

// Archive opens the archive of a topic for writing. It creates the table if there is none, and adds the columns that the
// log has and the table has not. Errors are faults: a column whose type changed, a table that is not spillway's or that
// somebody changed.
func (l *Lake) Archive(ctx context.Context, log Log) (*Archive, error) {
	id, err := l.archiveID(ctx, log.Topic)
	if err != nil {
		return nil, err
	}
	y := &layout{
		id: id, kind: kindArchive, of: log.Topic, schema: log.Schema, unique: log.ID,
		order: [4]string{log.Key, log.Time, schema.PartitionColumn, schema.OffsetColumn},
	}
	t, err := l.ensure(ctx, y)
	if err != nil {
		return nil, err
	}
	tbl, err := l.load(ctx, id)
	if err != nil {
		return nil, l.explain(t.thing, err)
	}
	a := &Archive{Table: t, layout: y, uuid: tbl.Metadata().TableUUID()}
	_, err = a.state(tbl)
	return a, err
}

// ReadArchive opens the archive of a topic for reading. A topic that has none is a fault.
func (l *Lake) ReadArchive(ctx context.Context, topic string) (*Table, error) {
	id, err := l.archiveID(ctx, topic)
	if err != nil {
		return nil, err
	}
	return l.open(ctx, id, kindArchive)
}

// state is what the archive holds as the table stands.
func (a *Archive) state(tbl *table.Table) (*ledger, error) {
	if tbl.Metadata().TableUUID() != a.uuid {
		return nil, fault.New(a.thing, "was dropped and made anew",
			"open the archive again, and archive the topic from its start")
	}
	return committed(tbl, a.thing)
}

// Frontier is where the archive stands: the next append starts there.
func (a *Archive) Frontier(ctx context.Context) (Frontier, error) {
	tbl, err := a.lake.load(ctx, a.id)
	if err != nil {
		return nil, a.lake.explain(a.thing, err)
	}
	g, err := a.state(tbl)
	if err != nil {
		return nil, err
	}
	return g.frontier(), nil
}

// Append commits the records between two frontiers, all or none, and returns the new snapshot's id. to names the
// partitions that the append is about; from tells where it begins in each (0 where it is silent) and must be where the
// archive stands, or the error is ErrFrontier and nothing was committed; a partition that the archive has not begun may
// begin anywhere. The batches are of the log's schema, each partition's records in the order of their offsets. They may
// be empty: the frontier then moves over offsets that hold no record. The caller keeps the batches.
//
// After an error other than ErrFrontier the append may, rarely, have been committed: ask Frontier.
func (a *Archive) Append(ctx context.Context, from, to Frontier, batches []arrow.RecordBatch) (int64, error) {
	rows, err := a.count(from, to, batches)
	if err != nil {
		return 0, err
	}
	tbl, err := a.lake.load(ctx, a.id)
	if err != nil {
		return 0, a.lake.explain(a.thing, err)
	}
	if _, err := a.next(tbl, from, to, rows); err != nil {
		return 0, err
	}
	w, err := a.lake.newDayWriter(ctx, tbl, a.layout)
	if err != nil {
		return 0, err
	}
	files, err := a.writeSorted(ctx, w, batches)
	if err != nil {
		w.abandon()
		return 0, a.lake.explain(a.thing, err)
	}
	token := uuid.NewString()
	tbl, err = a.commit(ctx, token, func(tbl *table.Table, txn *table.Transaction) error {
		g, err := a.next(tbl, from, to, rows)
		if err != nil {
			return err
		}
		if err := txn.SetProperties(iceberg.Properties{propFrontier: g.text()}); err != nil {
			return err
		}
		return stage(ctx, txn, files, a.layout.schema, iceberg.Properties{propFrontier: g.text(), propCommit: token})
	})
	a.lake.dropUnlessUnsure(err, w.paths)
	if err != nil {
		return 0, err
	}
	return a.committedAs(tbl, token), nil
}

// committedAs is the id of the snapshot that the token names: others may have committed since.
func (t *Table) committedAs(tbl *table.Table, token string) int64 {
	for s := range ancestry(tbl, tbl.CurrentSnapshot()) {
		if summary(s)[propCommit] == token {
			return s.SnapshotID
		}
	}
	return 0
}

// stage adds a snapshot with the files to the transaction; without a file an empty one all the same (L2).
func stage(ctx context.Context, txn *table.Transaction, files []iceberg.DataFile, sc *arrow.Schema,
	props iceberg.Properties,
) error {
	if len(files) > 0 {
		return txn.AddDataFiles(ctx, files, props, table.WithoutAutoNameMapping(), table.WithoutDuplicateCheck())
	}
	none, err := array.NewRecordReader(sc, nil)
	if err != nil {
		return err
	}
	defer none.Release()
	return txn.Append(ctx, none, props)
}

// next is the ledger after the append, or the reason why it cannot follow what is there.
func (a *Archive) next(tbl *table.Table, from, to Frontier, rows map[int32]int64) (*ledger, error) {
	if missing, err := a.layout.check(tbl); err != nil {
		return nil, err
	} else if len(missing) > 0 {
		return nil, fault.New(a.thing, "lost the column "+missing[0].Name, "open the archive again")
	}
	g, err := a.state(tbl)
	if err != nil {
		return nil, err
	}
	after := &ledger{Commit: g.Commit + 1, Partitions: maps.Clone(g.Partitions)}
	for p, end := range to {
		span, begun := g.Partitions[p]
		if !begun {
			span = Span{Start: from[p], Next: from[p]}
		}
		if span.Next != from[p] {
			return nil, fault.Wrap(ErrFrontier, a.thing,
				fmt.Sprintf("stands at offset %d of partition %d, and the append starts at %d", span.Next, p, from[p]),
				"read the topic from the archive's frontier")
		}
		after.Partitions[p] = Span{Start: span.Start, Next: end, Rows: span.Rows + rows[p]}
	}
	return after, nil
}

// count counts the records of each partition, and refuses those outside the frontiers, out of order or of another
// layout.
func (a *Archive) count(from, to Frontier, batches []arrow.RecordBatch) (map[int32]int64, error) {
	if len(to) == 0 {
		return nil, fault.New(a.thing, "the append names no partition", "say in to where each partition's records end")
	}
	for _, p := range slices.Sorted(maps.Keys(to)) {
		if p < 0 || from[p] < 0 || to[p] < from[p] {
			return nil, fault.New(a.thing,
				fmt.Sprintf("the append goes from offset %d to %d of partition %d", from[p], to[p], p),
				"let it go forward, from no offset below 0")
		}
	}
	courses := map[int32]*course{}
	for p, end := range to {
		courses[p] = &course{next: from[p], end: end}
	}
	for _, b := range batches {
		if err := a.layout.fits(b.Schema()); err != nil {
			return nil, err
		}
		if err := a.follow(courses, b); err != nil {
			return nil, err
		}
	}
	rows := make(map[int32]int64, len(courses))
	for p, c := range courses {
		rows[p] = c.rows
	}
	return rows, nil
}

// course is how far the records of a partition have come in an append.
type course struct{ next, end, rows int64 }

// follow sees that each partition's records come in order and stay within their bounds, so that none can come twice.
func (a *Archive) follow(courses map[int32]*course, b arrow.RecordBatch) error {
	at := a.layout.indices()
	partitions, offsets := b.Column(at[2]).(*array.Int32), b.Column(at[3]).(*array.Int64)
	if partitions.NullN() > 0 || offsets.NullN() > 0 {
		return fault.New(a.thing, "a record has no partition or no offset", "give every record both")
	}
	last, c := int32(-1), (*course)(nil)
	for i, p := range partitions.Int32Values() {
		if p != last || c == nil {
			last, c = p, courses[p]
		}
		o := offsets.Value(i)
		switch {
		case c == nil:
			return fault.New(a.thing, fmt.Sprintf("a record is of partition %d, which the append does not name", p),
				"say in to where each partition's records end")
		case o < c.next || o >= c.end:
			return fault.New(a.thing,
				fmt.Sprintf("a record has offset %d of partition %d, where %d up to %d were due", o, p, c.next, c.end),
				"append each partition's records in order, between the frontiers")
		}
		c.next = o + 1
		c.rows++
	}
	return nil
}

// writeSorted writes the batches as sorted files, so many at a time that their sorted copy stays small.
func (a *Archive) writeSorted(ctx context.Context, w *dayWriter, batches []arrow.RecordBatch) ([]iceberg.DataFile, error) {
	at := a.layout.indices()
	for len(batches) > 0 {
		n, size := 0, int64(0)
		for n < len(batches) && (n == 0 || size+batchBytes(batches[n]) <= a.lake.limits.sorted) {
			size += batchBytes(batches[n])
			n++
		}
		sorted, err := sortedRows(ctx, batches[:n], at)
		if err != nil {
			return nil, err
		}
		err = w.write(sorted)
		sorted.Release()
		if err != nil {
			return nil, err
		}
		if _, err := w.finish(); err != nil {
			return nil, err
		}
		batches = batches[n:]
	}
	return w.finish()
}
