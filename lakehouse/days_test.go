package lakehouse

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

func TestDayOf(t *testing.T) {
	for _, us := range []int64{0, 1, -1, microsPerDay, microsPerDay - 1, -microsPerDay, -microsPerDay - 1, 1767225600000000, math.MaxInt64, math.MinInt64} {
		day := dayOf(us)
		at := time.UnixMicro(us).UTC()
		if want := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86_400; day != want {
			t.Errorf("%d µs (%v) is of day %d, want %d", us, at, day, want)
		}
	}
}

// TestReplaceOfManyDays writes rows sorted by key, so that days are mixed in every batch, with few files open and little
// memory: every bound is met, and no row may be lost.
func TestReplaceOfManyDays(t *testing.T) {
	in := Range{-20 * microsPerDay, 20 * microsPerDay}
	for _, c := range []struct {
		name   string
		limits limits
		files  int // at most
	}{
		{"all open", defaultLimits, 40},
		{"few open", limits{openFiles: 7, buffered: 1 << 14, file: 1 << 20, sorted: 1 << 20}, 900},
		{"one open", limits{openFiles: 1, buffered: 1 << 20, file: 1 << 20, sorted: 1 << 20}, 200},
		{"short row groups", limits{openFiles: 50, buffered: 1, file: 1 << 20, sorted: 1 << 20}, 40},
		{"short files", limits{openFiles: 50, buffered: 1, file: 1, sorted: 1 << 20}, 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := activityPlan(t)
			l := openLake(t, t.TempDir())
			l.fs = volatile{l.fs}
			l.limits = c.limits
			f := openFeatures(t, l, plan)
			rows := answers(in, 4*hour, 1)
			s := replace(t, f, plan, in, rows)
			holdsAnswers(t, s, rows, true)
			if n := len(filesOf(t, s, Everything)); n > c.files {
				t.Errorf("%d files, want at most %d", n, c.files)
			}
			if n, of := len(parquetFiles(t, l)), len(filesOf(t, s, Everything)); n != of {
				t.Errorf("%d files were written, and the table has %d", n, of)
			}
		})
	}
}

// TestFilesAreNotSplit plans files that iceberg-go cuts at their row groups.
func TestFilesAreNotSplit(t *testing.T) {
	plan := activityPlan(t)
	l := openLake(t, t.TempDir())
	l.limits.buffered = 1
	f := openFeatures(t, l, plan)
	day := Range{0, microsPerDay}
	rows := answers(day, hour, 1)
	replace(t, f, plan, day, rows)
	alter(t, l, f.Table, func(txn *table.Transaction) error {
		return txn.SetProperties(iceberg.Properties{table.ReadSplitTargetSizeKey: "1"})
	})
	tbl, err := l.load(context.Background(), f.id)
	if err != nil {
		t.Fatal(err)
	}
	if tasks, err := tbl.Scan().PlanFiles(context.Background()); err != nil || len(tasks) < 2 {
		t.Fatalf("iceberg-go plans %d tasks, %v: nothing is split here", len(tasks), err)
	}
	holdsAnswers(t, current(t, f.Table), rows, true)
	in := Range{2 * hour, 3 * hour}
	holdsAnswers(t, replace(t, f, plan, in, nil), outside(rows, in), true)
}

// TestArchiveSortsInParts sorts an append in many small parts; each makes sorted files.
func TestArchiveSortsInParts(t *testing.T) {
	l := openLake(t, t.TempDir())
	l.limits.sorted = 1
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	records := history(5, 200, 2)
	var batches []arrow.RecordBatch
	for chunk := range slices.Chunk(records, 50) {
		batches = append(batches, batchOf(log, chunk...))
	}
	if _, err := a.Append(context.Background(), nil, frontierAfter(nil, records), batches); err != nil {
		t.Fatal(err)
	}
	checkHolds(t, a, records)
	checkFiles(t, current(t, a.Table))
}

// TestSortedIndex holds the counting sort to a plain one.
func TestSortedIndex(t *testing.T) {
	log := paymentLog(t, "payments")
	at := (&layout{schema: log.Schema, order: [4]string{"card", "at", "_kafka_partition", "_kafka_offset"}}).indices()
	for seed := range uint64(50) {
		records := history(seed, 1+rand.New(rand.NewPCG(seed, 9)).IntN(200), 3)
		batch := batchOf(log, records...)
		c := coordinatesOf(batch, at)
		got := make([]record, 0, len(records))
		for _, i := range c.sortedIndex() {
			got = append(got, records[i])
		}
		want := slices.Clone(records)
		slices.SortFunc(want, func(a, b record) int {
			if da, db := dayIn(a), dayIn(b); da != db {
				if da < db {
					return -1
				}
				return 1
			}
			return compareRecords(a, b)
		})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d:\n%v\nwant\n%v", seed, got, want)
		}
	}
}

func dayIn(r record) int64 {
	if r.fault != "" {
		return noDay
	}
	return dayOf(r.at)
}

// TestOrderCheck tells files that are sorted from files that are not.
func TestOrderCheck(t *testing.T) {
	log := paymentLog(t, "payments")
	at := (&layout{schema: log.Schema, order: [4]string{"card", "at", "_kafka_partition", "_kafka_offset"}}).indices()
	a, b := record{card: "a", at: 1, partition: 1, offset: 1}, record{card: "b"}
	for _, c := range []struct {
		rows []record
		want bool
	}{
		{nil, true},
		{[]record{a}, true},
		{[]record{a, a, b}, true},
		{[]record{b, a}, false},
		{[]record{{fault: "x"}, a}, true},
		{[]record{a, {fault: "x"}}, false},
		{[]record{a, {card: "a", at: 0, partition: 1, offset: 2}}, false},
		{[]record{a, {card: "a", at: 1, partition: 0, offset: 2}}, false},
		{[]record{a, {card: "a", at: 1, partition: 1, offset: 0}}, false},
		{[]record{a, {card: "a", at: 2, partition: 0, offset: 0}}, true},
		{[]record{{card: "a\xff"}, {card: "aa"}}, false},
	} {
		for cut := range len(c.rows) + 1 { // The check spans batches.
			o := orderCheck{at: at, sorted: true}
			o.see(batchOf(log, c.rows[:cut]...))
			o.see(batchOf(log, c.rows[cut:]...))
			if o.sorted != c.want {
				t.Errorf("%v cut at %d: sorted %v", c.rows, cut, o.sorted)
			}
		}
	}
}

// FuzzLedger reads whatever may stand in a table's property: it must be refused or mean the same when written again.
func FuzzLedger(f *testing.F) {
	f.Add(`{"version":1,"commit":3,"partitions":{"0":{"start":0,"next":9,"rows":7}}}`)
	f.Add(`{"version":1,"partitions":{}}`)
	f.Add(`{"version":2,"partitions":{}}`)
	f.Add(`{"version":1,"partitions":{"-1":{"start":5,"next":4,"rows":-1}},"later":true}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parseLedger(text)
		if err != nil {
			return
		}
		again, err := parseLedger(g.text())
		if err != nil || fmt.Sprint(*again) != fmt.Sprint(*g) {
			t.Errorf("%q reads as %v, and written again as %v, %v", text, g, again, err)
		}
		for p, s := range g.Partitions {
			if p < 0 || s.Rows < 0 || s.Rows > s.Next-s.Start {
				t.Errorf("%q is let through", text)
			}
		}
	})
}

// TestTake holds the gathering of texts to Arrow's kernel, on slices, with nulls and empty texts.
func TestTake(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		n := 1 + rng.IntN(100)
		texts := array.NewStringBuilder(memory.DefaultAllocator)
		raw := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		nulls := rng.IntN(3)
		for range n {
			v := strings.Repeat("é", rng.IntN(4))
			if rng.IntN(4) < nulls {
				texts.AppendNull()
				raw.AppendNull()
				continue
			}
			texts.Append(v)
			raw.Append([]byte(v))
		}
		sc := arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.BinaryTypes.String}, {Name: "b", Type: arrow.BinaryTypes.Binary}}, nil)
		whole := array.NewRecordBatch(sc, []arrow.Array{texts.NewArray(), raw.NewArray()}, int64(n))
		from := rng.IntN(n)
		rows := whole.NewSlice(int64(from), int64(from+1+rng.IntN(n-from)))
		var index []uint32
		for _, i := range rng.Perm(int(rows.NumRows()))[rng.IntN(int(rows.NumRows())):] {
			index = append(index, uint32(i))
		}
		got, err := take(context.Background(), rows, index)
		if err != nil {
			t.Fatal(err)
		}
		for c := range 2 {
			for k, i := range index {
				if a, b := got.Column(c), rows.Column(c); a.IsNull(k) != b.IsNull(int(i)) || a.ValueStr(k) != b.ValueStr(int(i)) {
					t.Fatalf("row %d of column %d is %s, want %s", k, c, a.ValueStr(k), b.ValueStr(int(i)))
				}
			}
			if want := rows.Column(c).NullN(); len(index) == int(rows.NumRows()) && got.Column(c).NullN() != want {
				t.Fatalf("%d nulls, want %d", got.Column(c).NullN(), want)
			}
		}
	}
}
