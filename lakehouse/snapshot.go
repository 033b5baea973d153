package lakehouse

import (
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
)

// Range is the times from From up to but not including To, in microseconds since 1970-01-01T00:00Z.
type Range struct{ From, To int64 }

// Everything is every row, those without a time too.
var Everything = Range{math.MinInt64, math.MaxInt64}

// Snapshot is a table at one moment. It never changes, and reading it needs no lock; it can be read until it expires.
type Snapshot struct {
	ID    int64 // 0: the table holds nothing yet
	Time  time.Time
	Count int64 // rows in its files, those that delete files hide included
	// Spans is what an archive holds of each partition; nil for a table of features.
	Spans map[int32]Span
	// Run is the run that a snapshot of features was committed by, or nil.
	Run *Run
	// Summary is all that the snapshot's writer wrote about it.
	Summary map[string]string

	of  *Table
	tbl *table.Table
}

// Snapshot is the table at the snapshot of that id, or as it stands now when id is 0. An unknown id is a fault that
// tells the newest ones. An archive's snapshot after which all of spillway's own have expired has no spans any more,
// and that is a fault too.
func (t *Table) Snapshot(ctx context.Context, id int64) (*Snapshot, error) {
	tbl, err := t.lake.load(ctx, t.id)
	if err != nil {
		return nil, t.lake.explain(t.thing, err)
	}
	at := tbl.CurrentSnapshot()
	if id != 0 {
		if at = tbl.SnapshotByID(id); at == nil {
			return nil, fault.New(t.thing, fmt.Sprintf("has no snapshot %d", id), "choose one that there is: "+newest(tbl))
		}
	}
	s := &Snapshot{of: t, tbl: tbl, Summary: summary(at)}
	if at != nil {
		s.ID, s.Time = at.SnapshotID, time.UnixMilli(at.TimestampMs).UTC()
		s.Count, _ = strconv.ParseInt(s.Summary["total-records"], 10, 64)
	}
	if tbl.Properties()[propKind] == kindArchive {
		s.Spans, err = t.spans(tbl, at)
	} else {
		s.Run, err = parseRun(s.Summary)
	}
	return s, err
}

// spans is what an archive held at the snapshot.
func (t *Table) spans(tbl *table.Table, at *table.Snapshot) (map[int32]Span, error) {
	now := tbl.CurrentSnapshot()
	if at == nil || at.SnapshotID == now.SnapshotID {
		g, err := committed(tbl, t.thing)
		if err != nil {
			return nil, err
		}
		return g.Partitions, nil
	}
	g, whole, err := inSummaries(tbl, at)
	switch {
	case err != nil:
		return nil, t.lake.explain(t.thing, err)
	case g == nil && whole:
		return map[int32]Span{}, nil
	case g == nil:
		return nil, fault.New(t.thing, fmt.Sprintf("no longer knows the frontier of snapshot %d", at.SnapshotID),
			"choose a newer one: "+newest(tbl))
	}
	return g.Partitions, nil
}

// newest lists the newest snapshots, for remedies.
func newest(tbl *table.Table) string {
	all := slices.Clone(tbl.Metadata().Snapshots())
	slices.SortFunc(all, func(a, b table.Snapshot) int { return int(b.SequenceNumber - a.SequenceNumber) })
	var names []string
	for _, s := range all[:min(len(all), 5)] {
		names = append(names, fmt.Sprintf("%d (%s)", s.SnapshotID, time.UnixMilli(s.TimestampMs).UTC().Format(time.RFC3339)))
	}
	if len(names) == 0 {
		return "the table has none"
	}
	return strings.Join(names, ", ")
}

// Table is the name of the table that this is a snapshot of.
func (s *Snapshot) Table() string { return s.of.Name() }

// Frontier is how far an archive's log, or the input of a run, had been read.
func (s *Snapshot) Frontier() Frontier {
	if s.Run != nil {
		return s.Run.Frontier
	}
	return (&ledger{Partitions: s.Spans}).frontier()
}

// Columns are the table's columns in its newest schema: in a snapshot older than a column, that column is null.
func (s *Snapshot) Columns() ([]Column, error) {
	arrowSchema, err := table.SchemaToArrowSchema(s.tbl.Schema(), nil, false, false)
	if err != nil {
		return nil, s.of.lake.explain(s.of.thing, err)
	}
	columns := make([]Column, 0, arrowSchema.NumFields())
	for i, f := range s.tbl.Schema().Fields() {
		columns = append(columns, Column{ID: f.ID, Name: f.Name, Type: arrowSchema.Field(i).Type, Required: f.Required})
	}
	return columns, nil
}

// File is a Parquet file of a snapshot. Its columns carry the field ids of Snapshot.Columns.
type File struct {
	Path  string // on this machine
	Rows  int64
	Bytes int64
	// Sorted tells that the rows lie in the order key, time, partition, offset.
	Sorted bool
	// Times covers the times of its rows; it is empty where no row has one, and Everything where they are unknown.
	Times Range
}

// Files are the files that hold the rows of a range, each once, sorted by their first time. A file may hold rows outside
// of the range as well. Everything includes the files of rows without a time. Files that a reader of plain Parquet would
// read wrongly are refused: those with rows that a delete file hides, and those without field ids.
func (s *Snapshot) Files(ctx context.Context, r Range) ([]File, error) {
	tasks, err := s.plan(ctx, r)
	if err != nil {
		return nil, err
	}
	sortOrder := s.tbl.SortOrder()
	var files []File
	for _, t := range tasks {
		if len(t.DeleteFiles)+len(t.EqualityDeleteFiles)+len(t.DeletionVectorFiles) > 0 {
			return nil, fault.New(s.of.thing, "has delete files, which hide rows of "+t.File.FilePath(),
				"compact the table, so that its files hold only rows that count")
		}
		p, err := localPath(t.File.FilePath())
		if err != nil {
			return nil, s.of.lake.explain(s.of.thing, err)
		}
		f := File{Path: p, Rows: t.File.Count(), Bytes: t.File.FileSizeBytes(), Times: s.of.times(s.tbl, t.File)}
		if id := t.File.SortOrderID(); id != nil && *id != 0 {
			f.Sorted = *id == sortOrder.OrderID()
		}
		if err := s.of.hasFieldIDs(f.Path); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int {
		if a.Times.From != b.Times.From {
			if a.Times.From < b.Times.From {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Path, b.Path)
	})
	return files, nil
}

// plan finds the files of the range by their manifests' days and bounds. iceberg-go may plan a file in several parts.
func (s *Snapshot) plan(ctx context.Context, r Range) ([]table.FileScanTask, error) {
	if s.ID == 0 || r.From >= r.To {
		return nil, nil
	}
	tasks, err := s.tbl.Scan(table.WithSnapshotID(s.ID), table.WithRowFilter(s.of.within(r))).PlanFiles(ctx)
	if err != nil {
		return nil, s.of.lake.explain(s.of.thing, err)
	}
	return wholeFiles(tasks), nil
}

// wholeFiles makes one task of each file's parts.
func wholeFiles(tasks []table.FileScanTask) []table.FileScanTask {
	seen := make(map[string]bool, len(tasks))
	var whole []table.FileScanTask
	for _, t := range tasks {
		if seen[t.File.FilePath()] {
			continue
		}
		seen[t.File.FilePath()] = true
		t.Start, t.Length, t.Residual = 0, t.File.FileSizeBytes(), nil
		whole = append(whole, t)
	}
	return whole
}

// within is the filter of a range: nil for everything.
func (t *Table) within(r Range) iceberg.BooleanExpression {
	if r == Everything {
		return iceberg.AlwaysTrue{}
	}
	at := iceberg.Reference(t.timeColumn)
	return iceberg.NewAnd(iceberg.GreaterThanEqual(at, iceberg.Timestamp(r.From)),
		iceberg.LessThan(at, iceberg.Timestamp(r.To)))
}

// times are the bounds of a file's time column.
func (t *Table) times(tbl *table.Table, f iceberg.DataFile) Range {
	id := fieldID(tbl.Schema(), t.timeColumn)
	if nulls, ok := f.NullValueCounts()[id]; ok && nulls == f.Count() {
		return Range{}
	}
	first, ok1 := timeBound(f.LowerBoundValues()[id])
	last, ok2 := timeBound(f.UpperBoundValues()[id])
	if !ok1 || !ok2 || last == math.MaxInt64 {
		return Everything
	}
	return Range{first, last + 1}
}

func timeBound(raw []byte) (int64, bool) {
	if raw == nil {
		return 0, false
	}
	lit, err := iceberg.LiteralFromBytes(iceberg.PrimitiveTypes.TimestampTz, raw)
	if err != nil {
		return 0, false
	}
	ts, ok := lit.(iceberg.TimestampLiteral)
	return int64(ts), ok
}

// hasFieldIDs looks into files of other writers; DuckDB reads a file without field ids as all nulls.
func (t *Table) hasFieldIDs(p string) error {
	if strings.HasPrefix(path.Base(p), filePrefix) {
		return nil
	}
	r, err := file.OpenParquetFile(p, false)
	if err != nil {
		return t.lake.explain(t.thing, err)
	}
	defer r.Close()
	root := r.MetaData().Schema.Root()
	for i := range root.NumFields() {
		if root.Field(i).FieldID() < 0 {
			return fault.New(t.thing, "the file "+p+" has no field ids", "write it again through Iceberg: it was added as it was")
		}
	}
	return nil
}
