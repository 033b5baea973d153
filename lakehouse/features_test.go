package lakehouse

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/pipeline"
)

func openFeatures(t testing.TB, l *Lake, plan *pipeline.Plan) *Features {
	t.Helper()
	f, err := l.Features(context.Background(), plan, "truth")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func replace(t testing.TB, f *Features, plan *pipeline.Plan, in Range, rows []answer) *Snapshot {
	t.Helper()
	s, err := f.Replace(context.Background(), answersReader(plan, rows), Run{ID: "run", Plan: plan.Hash(), Input: 9, Frontier: Frontier{0: 4}, Interval: in})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReplace(t *testing.T) {
	whole := Range{-microsPerDay, 3 * microsPerDay}
	for _, in := range []Range{
		{0, microsPerDay},                         // a day
		{-microsPerDay, 2 * microsPerDay},         // several
		{5 * hour, 7 * hour},                      // within one
		{20 * hour, microsPerDay + 4*hour},        // over midnight
		{-30 * hour, -24 * hour},                  // before all rows
		{2*microsPerDay + hour, 9 * microsPerDay}, // over the end
		{-9 * microsPerDay, 99 * microsPerDay},    // all
		{math.MinInt64 + 1, math.MaxInt64 - 1},    // all, and more
	} {
		t.Run(fmt.Sprint(in), func(t *testing.T) {
			plan := activityPlan(t)
			f := openFeatures(t, openLake(t, t.TempDir()), plan)
			old := answers(whole, hour/2, 1)
			replace(t, f, plan, whole, old)
			cut := Range{max(in.From, -2*microsPerDay), min(in.To, 4*microsPerDay)}
			rows := answers(cut, hour/3, 2)
			for range 2 { // A rerun changes nothing.
				s := replace(t, f, plan, in, rows)
				holdsAnswers(t, s, append(outside(old, in), rows...), true)
			}
			s := replace(t, f, plan, in, nil)
			holdsAnswers(t, s, outside(old, in), true)
		})
	}
}

func TestReplaceKeepsProvenance(t *testing.T) {
	ctx := context.Background()
	plan := activityPlan(t)
	l := openLake(t, t.TempDir())
	f := openFeatures(t, l, plan)
	in := Range{0, microsPerDay}
	run := Run{ID: "night-1", Plan: plan.Hash(), Input: 17, Frontier: Frontier{0: 5, 3: 7}, Interval: in}
	if _, err := f.Replace(ctx, answersReader(plan, answers(in, hour, 1)), run); err != nil {
		t.Fatal(err)
	}
	again := run
	again.ID, again.Interval = "night-2", Range{0, hour}
	if _, err := f.Replace(ctx, answersReader(plan, answers(again.Interval, hour, 2)), again); err != nil {
		t.Fatal(err)
	}
	read, err := l.ReadFeatures(ctx, "card_activity", "truth")
	if err != nil {
		t.Fatal(err)
	}
	s := current(t, read)
	again.Reading = "truth"
	if got := fmt.Sprint(*s.Run); got != fmt.Sprint(again) {
		t.Errorf("the run reads back as %s, want %s", got, fmt.Sprint(again))
	}
	if s.Frontier().String() != "0:5 3:7" {
		t.Errorf("frontier %s", s.Frontier())
	}
	stamps := map[string]int64{}
	for _, file := range filesOf(t, s, Everything) {
		stamps[footer(t, file.Path, propRun)] += file.Rows
	}
	if stamps["night-1"] != 69 || stamps["night-2"] != 3 {
		t.Errorf("rows by the run in their files' footers: %v, want 69 of night-1 and 3 of night-2", stamps)
	}
}

func footer(t *testing.T, path, key string) string {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v := r.MetaData().KeyValueMetadata().FindValue(key); v != nil {
		return *v
	}
	return ""
}

func TestReplaceNothing(t *testing.T) {
	plan := activityPlan(t)
	f := openFeatures(t, openLake(t, t.TempDir()), plan)
	s := replace(t, f, plan, Range{0, hour}, nil)
	if s.ID == 0 || s.Run == nil || s.Count != 0 {
		t.Errorf("an empty run of an empty table made snapshot %d with run %v", s.ID, s.Run)
	}
}

// TestReplaceBringsNoRowBack is the regression test of apache/iceberg-go#2042: rewriting a file must apply its delete files.
func TestReplaceBringsNoRowBack(t *testing.T) {
	ctx := context.Background()
	plan := activityPlan(t)
	l := openLake(t, t.TempDir())
	f := openFeatures(t, l, plan)
	day := Range{0, microsPerDay}
	old := answers(day, hour, 1)
	replace(t, f, plan, day, old)
	deleteRows(t, l, f.Table, iceberg.EqualTo(iceberg.Reference("card"), "c1"))
	left := slices.DeleteFunc(old, func(r answer) bool { return r.card == "c1" })
	s := current(t, f.Table)
	holdsAnswers(t, s, left, false)
	if _, err := s.Files(ctx, Everything); err == nil || !strings.Contains(err.Error(), "delete files") {
		t.Errorf("files with live delete files are handed to readers that ignore those: %v", err)
	}
	in := Range{3 * hour, 5 * hour}
	rows := []answer{{card: "c1", ask: 4 * hour, offset: 1, spend: 7}, {card: "c2", ask: 4 * hour, offset: 1, spend: 7}}
	holdsAnswers(t, replace(t, f, plan, in, rows), append(outside(left, in), rows...), true)
}

// deleteRows hides rows by delete files, as other engines do.
func deleteRows(t *testing.T, l *Lake, of *Table, filter iceberg.BooleanExpression) {
	t.Helper()
	ctx := context.Background()
	tbl, err := l.load(ctx, of.id)
	if err != nil {
		t.Fatal(err)
	}
	txn := tbl.NewTransaction()
	if err := txn.SetProperties(iceberg.Properties{table.WriteDeleteModeKey: table.WriteModeMergeOnRead}); err != nil {
		t.Fatal(err)
	}
	if err := txn.Delete(ctx, filter, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := txn.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestReplaceEvolves(t *testing.T) {
	l := openLake(t, t.TempDir())
	before, after := activityPlan(t), laterPlan(t)
	day := Range{0, microsPerDay}
	old := answers(day, hour, 1)
	replace(t, openFeatures(t, l, before), before, day, old)
	f := openFeatures(t, l, after)
	in := Range{0, 2 * hour}
	rows := answers(in, hour, 2)
	s := replace(t, f, after, in, rows)
	holdsAnswers(t, s, append(outside(old, in), rows...), true)
	columns, err := s.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range columns {
		names = append(names, fmt.Sprintf("%d:%s", c.ID, c.Name))
	}
	if want := "1:card 2:ask_time 3:partition 4:offset 5:revision 6:count_5m 7:spend_1h 8:mean_1h"; strings.Join(names, " ") != want {
		t.Errorf("columns %v, want %s", names, want)
	}
}

func TestReplaceRefuses(t *testing.T) {
	ctx := context.Background()
	plan := activityPlan(t)
	f := openFeatures(t, openLake(t, t.TempDir()), plan)
	noKey := array.NewRecordBuilder(memory.DefaultAllocator, plan.Arrow())
	for i := range plan.Arrow().NumFields() {
		noKey.Field(i).AppendEmptyValue()
	}
	noKey.Field(0).AppendNull()
	for i := range plan.Arrow().NumFields() - 1 {
		noKey.Field(i + 1).AppendEmptyValue()
	}
	nulls, _ := array.NewRecordReader(plan.Arrow(), []arrow.RecordBatch{noKey.NewRecordBatch()})
	for _, c := range []struct {
		name string
		rows array.RecordReader
		in   Range
		want string
	}{
		{"empty interval", answersReader(plan, nil), Range{5, 5}, "is empty"},
		{"row outside", answersReader(plan, answers(Range{0, 3 * hour}, hour, 1)), Range{0, hour}, "outside of the interval"},
		{"another layout", answersReader(laterPlan(t), nil), Range{0, hour}, "column"},
		{"null key", nulls, Range{0, hour}, "column card is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := f.Replace(ctx, c.rows, Run{Plan: "x", Interval: c.in})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if s := current(t, f.Table); s.ID != 0 {
		t.Errorf("a refused run left snapshot %d", s.ID)
	}
	if left := parquetFiles(t, f.lake); len(left) > 0 {
		t.Errorf("refused runs left files: %v", left)
	}
}

func parquetFiles(t *testing.T, l *Lake) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(l.warehouse, func(p string, d os.DirEntry, err error) error {
		if strings.HasSuffix(p, ".parquet") {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestReplaceTogether lets runs of neighbouring intervals of one day, which share files, commit at once.
func TestReplaceTogether(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	plan := activityPlan(t)
	day := Range{0, microsPerDay}
	replace(t, openFeatures(t, openLake(t, dir), plan), plan, day, answers(day, hour, 1))
	var want []answer
	var wg sync.WaitGroup
	errs := make(chan error, 6)
	for i := range int64(6) {
		in := Range{4 * i * hour, 4 * (i + 1) * hour}
		rows := answers(in, hour, float64(i))
		want = append(want, rows...)
		f := openFeatures(t, openLake(t, dir), plan)
		wg.Go(func() {
			_, err := f.Replace(ctx, answersReader(plan, rows), Run{ID: "r", Plan: plan.Hash(), Interval: in})
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	f := openFeatures(t, openLake(t, dir), plan)
	holdsAnswers(t, current(t, f.Table), want, true)
	noOrphans(t, f)
}

// noOrphans looks for files that no snapshot names: runs that had to try again must have removed what they wrote before.
func noOrphans(t *testing.T, f *Features) {
	t.Helper()
	tbl, err := f.lake.load(context.Background(), f.id)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, snapshot := range tbl.Metadata().Snapshots() {
		s, err := f.Snapshot(context.Background(), snapshot.SnapshotID)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range filesOf(t, s, Everything) {
			named[file.Path] = true
		}
	}
	for _, p := range parquetFiles(t, f.lake) {
		if !named[p] {
			t.Errorf("no snapshot names %s", p)
		}
	}
}

// TestReplaceCrash stops the machine at every step of a run that cuts a file. What is left is the old rows or the new ones.
func TestReplaceCrash(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	plan := activityPlan(t)
	day, in := Range{0, microsPerDay}, Range{6 * hour, 9 * hour}
	old := answers(day, hour, 1)
	held := old
	replace(t, openFeatures(t, openLake(t, dir), plan), plan, day, old)
	for steps := 0; ; steps++ {
		rows := answers(in, hour, float64(steps+2))
		l := openLake(t, dir)
		f := openFeatures(t, l, plan)
		crash := failAt(l, steps, errCrash, true)
		_, err := f.Replace(ctx, answersReader(plan, rows), Run{ID: "r", Plan: plan.Hash(), Interval: in})
		next := append(outside(old, in), rows...)
		s := current(t, openFeatures(t, openLake(t, dir), plan).Table)
		switch done := s.Summary[propFrom] == fmt.Sprint(in.From) && spendAt(t, s, in) == rows[0].spend; {
		case err == nil && !done:
			t.Fatal("Replace said that it was done, and was not")
		case done:
			held = next
		}
		holdsAnswers(t, s, held, true)
		if crash.steps >= 0 {
			return
		}
	}
}

func spendAt(t *testing.T, s *Snapshot, in Range) float64 {
	for b, err := range s.Rows(context.Background(), in, "card", "ask_time", "offset", "spend_1h") {
		if err != nil {
			t.Fatal(err)
		}
		return answersOf(b)[0].spend
	}
	return 0
}
