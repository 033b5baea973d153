package lakehouse

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// grown is an archive of three commits of a record each, on three days.
func grown(t *testing.T) (*Lake, *Archive, []int64) {
	t.Helper()
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	var ids []int64
	for o := range int64(3) {
		id, err := a.Append(context.Background(), Frontier{0: o}, Frontier{0: o + 1}, []arrow.RecordBatch{batchOf(log, record{offset: o, card: "c", at: o * microsPerDay})})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return l, a, ids
}

func TestSnapshotIsPinned(t *testing.T) {
	ctx := context.Background()
	_, a, ids := grown(t)
	for i, id := range ids {
		s, err := a.Snapshot(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("0:%d", i+1)
		if s.ID != id || s.Frontier().String() != want || s.Count != int64(i+1) || len(readBack(t, s, Everything)) != i+1 || len(filesOf(t, s, Everything)) != i+1 {
			t.Errorf("snapshot %d: frontier %s, want %s; %d rows", i, s.Frontier(), want, s.Count)
		}
		if time.Since(s.Time) > time.Hour {
			t.Errorf("snapshot's time is %v", s.Time)
		}
	}
	_, err := a.Snapshot(ctx, 42)
	isFault(t, err, "has no snapshot 42")
	for _, id := range ids {
		if !strings.Contains(err.Error(), fmt.Sprint(id)) {
			t.Errorf("error %v does not tell of snapshot %d", err, id)
		}
	}
}

func TestSnapshotOfNothing(t *testing.T) {
	ctx := context.Background()
	a := openArchive(t, openLake(t, t.TempDir()), paymentLog(t, "payments"))
	s := current(t, a.Table)
	if s.ID != 0 || s.Frontier().String() != "nothing" || len(readBack(t, s, Everything)) != 0 || len(filesOf(t, s, Range{0, 1})) != 0 {
		t.Errorf("snapshot %+v", s)
	}
	if err := s.Verify(ctx); err != nil {
		t.Error(err)
	}
	_, err := a.Snapshot(ctx, 1)
	isFault(t, err, "the table has none")
}

func TestFilesArePruned(t *testing.T) {
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	var records []record
	for o := range int64(48) {
		records = append(records, record{offset: o, card: "c", at: (o - 24) * hour}, record{partition: 1, offset: o, fault: "no JSON"})
	}
	for o, chunk := range slices.Collect(slices.Chunk(records, 24)) {
		from := frontierAfter(nil, records[:24*o])
		if _, err := a.Append(context.Background(), from, frontierAfter(from, chunk), []arrow.RecordBatch{batchOf(log, chunk...)}); err != nil {
			t.Fatal(err)
		}
	}
	s := current(t, a.Table)
	for _, c := range []struct {
		in          Range
		files, rows int
	}{
		{Everything, 8, 96},
		{Range{-24 * hour, 24 * hour}, 4, 48},
		{Range{-24 * hour, 0}, 2, 24},
		{Range{-1, 1}, 1, 1}, // the two files of each day hold twelve hours each
		{Range{-12 * hour, -12*hour + 1}, 1, 1},
		{Range{-13 * hour, -12 * hour}, 1, 1},
		{Range{24 * hour, 99 * hour}, 0, 0},
		{Range{5 * hour, 5 * hour}, 0, 0},
	} {
		if got := filesOf(t, s, c.in); len(got) != c.files {
			t.Errorf("%v: %d files, want %d", c.in, len(got), c.files)
		}
		if got := readBack(t, s, c.in); len(got) != c.rows {
			t.Errorf("%v: %d rows, want %d", c.in, len(got), c.rows)
		}
	}
}

func TestColumnsCarryFieldIDs(t *testing.T) {
	_, a, _ := grown(t)
	s := current(t, a.Table)
	columns, err := s.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range columns {
		got = append(got, fmt.Sprintf("%d %s %s %v", c.ID, c.Name, c.Type, c.Required))
	}
	want := []string{
		"1 id utf8 false", "2 card utf8 false", "3 merchant utf8 false", "4 amount float64 false", "5 items int64 false",
		"6 online bool false", "7 at timestamp[us, tz=UTC] false", "8 " + schema.PartitionColumn + " int32 true", "9 " + schema.OffsetColumn + " int64 true",
		"10 " + schema.StampColumn + " timestamp[us, tz=UTC] true", "11 " + schema.FaultColumn + " utf8 false", "12 " + schema.RawColumn + " binary false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	file := readParquet(t, filesOf(t, s, Everything)[0].Path)
	for i, f := range file.Schema().Fields() {
		if id, _ := f.Metadata.GetValue(fieldIDKey); id != fmt.Sprint(columns[i].ID) || f.Name != columns[i].Name {
			t.Errorf("the file's column %d is %s with id %s", i, f.Name, id)
		}
	}
}

func TestFilesWithoutFieldIDsAreRefused(t *testing.T) {
	ctx := context.Background()
	l, a, _ := grown(t)
	path := filepath.Join(t.TempDir(), "foreign.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	batch := batchOf(paymentLog(t, "payments"), record{offset: 9, card: "c"})
	w, err := pqarrow.NewFileWriter(batch.Schema(), out, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, l, a.Table, func(txn *table.Transaction) error { return txn.AddFiles(ctx, []string{fileURL(path)}, nil, false) })
	_, err = current(t, a.Table).Files(ctx, Everything)
	isFault(t, err, "has no field ids")
}

// The ledger is kept in two places, and each can be changed by others.

func TestFrontierOutlivesTheProperty(t *testing.T) {
	ctx := context.Background()
	l, a, _ := grown(t)
	tbl, err := l.load(ctx, a.id)
	if err != nil {
		t.Fatal(err)
	}
	older := summary(tbl.SnapshotByID(*tbl.CurrentSnapshot().ParentSnapshotID))[propFrontier]
	for _, change := range []func(*table.Transaction) error{
		func(txn *table.Transaction) error { return txn.SetProperties(iceberg.Properties{propFrontier: older}) },
		func(txn *table.Transaction) error { return txn.RemoveProperties([]string{propFrontier}) },
	} {
		alter(t, l, a.Table, change)
		if f, err := a.Frontier(ctx); err != nil || f.String() != "0:3" {
			t.Errorf("frontier %s, %v", f, err)
		}
	}
}

func TestFrontierOutlivesOtherSnapshots(t *testing.T) {
	ctx := context.Background()
	l, a, ids := grown(t)
	var foreign int64
	for range 2 {
		alter(t, l, a.Table, func(txn *table.Transaction) error {
			return foreignRows(txn, batchOf(paymentLog(t, "payments"), record{partition: 7, card: "x"}))
		})
		s := current(t, a.Table)
		foreign = s.ID
		if s.Frontier().String() != "0:3" {
			t.Errorf("frontier %s", s.Frontier())
		}
	}
	alter(t, l, a.Table, func(txn *table.Transaction) error {
		return txn.ExpireSnapshots(table.WithRetainLast(1), table.WithOlderThan(0))
	})
	if f, err := a.Frontier(ctx); err != nil || f.String() != "0:3" {
		t.Errorf("after our snapshots expired the frontier is %s, %v", f, err)
	}
	if _, err := a.Snapshot(ctx, ids[2]); err == nil {
		t.Error("an expired snapshot is there")
	}
	log := paymentLog(t, "payments")
	if _, err := a.Append(ctx, Frontier{0: 3}, Frontier{0: 4}, []arrow.RecordBatch{batchOf(log, record{offset: 3, card: "c"})}); err != nil {
		t.Fatal(err)
	}
	_, err := a.Snapshot(ctx, foreign)
	isFault(t, err, "no longer knows the frontier")
}

func TestRollbackIsNoticed(t *testing.T) {
	ctx := context.Background()
	for back := range 2 {
		l, a, ids := grown(t)
		alter(t, l, a.Table, func(txn *table.Transaction) error { return txn.RollbackToSnapshot(ids[back]) })
		_, err := a.Frontier(ctx)
		isFault(t, err, "was rolled back")
		_, err = a.Append(ctx, Frontier{0: 3}, Frontier{0: 4}, nil)
		isFault(t, err, "was rolled back")
	}
}

func TestTableMadeAnewIsNoticed(t *testing.T) {
	ctx := context.Background()
	l, a, _ := grown(t)
	if err := l.cat.DropTable(ctx, a.id); err != nil {
		t.Fatal(err)
	}
	_, err := a.Append(ctx, Frontier{0: 3}, Frontier{0: 4}, nil)
	isFault(t, err, "is no longer in the lake")
	openArchive(t, l, paymentLog(t, "payments"))
	_, err = a.Append(ctx, Frontier{0: 3}, Frontier{0: 4}, nil)
	isFault(t, err, "was dropped and made anew")
}

func TestMissingFileIsNoticed(t *testing.T) {
	_, a, _ := grown(t)
	s := current(t, a.Table)
	if err := os.Remove(filesOf(t, s, Everything)[0].Path); err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Rows(context.Background(), Everything) {
		if err != nil {
			isFault(t, err, "a file of the table is missing")
			return
		}
	}
	t.Error("a table without one of its files was read")
}

func TestVerify(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name   string
		change func(*testing.T, *Lake, *Archive)
		want   string
	}{
		{"a record twice", foreign(record{offset: 1, card: "x"}), "holds offset 1 of partition 0 twice"},
		{"a record beyond the frontier", foreign(record{offset: 3, card: "x"}), "holds offset 3 of partition 0, which was never committed"},
		{"a record of another partition", foreign(record{partition: 4, card: "x"}), "holds offset 0 of partition 4, which was never committed"},
		{"rows deleted", func(t *testing.T, l *Lake, a *Archive) {
			deleteRows(t, l, a.Table, iceberg.EqualTo(iceberg.Reference(schema.OffsetColumn), int64(1)))
		}, "partition 0 holds 2 records, and 3 were committed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, a, _ := grown(t)
			c.change(t, l, a)
			isFault(t, current(t, a.Table).Verify(ctx), c.want)
		})
	}
	f := openFeatures(t, openLake(t, t.TempDir()), activityPlan(t))
	isFault(t, current(t, f.Table).Verify(ctx), "is no archive")
}

// foreign appends a record as another program would.
func foreign(r record) func(*testing.T, *Lake, *Archive) {
	return func(t *testing.T, l *Lake, a *Archive) {
		alter(t, l, a.Table, func(txn *table.Transaction) error { return foreignRows(txn, batchOf(paymentLog(t, "payments"), r)) })
	}
}

func TestRowsProjects(t *testing.T) {
	_, a, _ := grown(t)
	for batch, err := range current(t, a.Table).Rows(context.Background(), Range{microsPerDay, 2 * microsPerDay}, "card") {
		if err != nil {
			t.Fatal(err)
		}
		if batch.NumCols() != 1 || batch.NumRows() != 1 || batch.Column(0).(*array.String).Value(0) != "c" {
			t.Errorf("batch %v", batch)
		}
	}
}
