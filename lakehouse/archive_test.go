package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/schema"
)

func TestArchiveHoldsEveryRecordOnce(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	records := history(1, 3000, 3)
	from := Frontier{}
	for chunk := range slices.Chunk(records, 700) {
		to := frontierAfter(from, chunk)
		if _, err := a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, chunk[:100]...), batchOf(log, chunk[100:]...)}); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	checkHolds(t, a, records)
	s := current(t, a.Table)
	if got, _ := a.Frontier(ctx); got.String() != from.String() || s.Frontier().String() != from.String() {
		t.Errorf("frontier %s, snapshot's %s, want %s", got, s.Frontier(), from)
	}
	if s.Count != int64(len(records)) {
		t.Errorf("snapshot counts %d rows", s.Count)
	}
	checkFiles(t, s)
}

// checkFiles reads each file as plain Parquet: its rows are of one day, sorted, and what the manifest says of them is so.
func checkFiles(t *testing.T, s *Snapshot) {
	t.Helper()
	for _, f := range filesOf(t, s, Everything) {
		rows := recordsOf(readParquet(t, f.Path))
		if int64(len(rows)) != f.Rows || !f.Sorted {
			t.Errorf("%s holds %d rows, and %d are said; sorted: %v", f.Path, len(rows), f.Rows, f.Sorted)
		}
		if !slices.IsSortedFunc(rows, compareRecords) {
			t.Errorf("%s is not sorted", f.Path)
		}
		for _, r := range rows {
			if (r.fault != "") != strings.Contains(f.Path, "/none/") {
				t.Errorf("%s holds %v", f.Path, r)
			}
			if r.fault == "" && (r.at < f.Times.From || r.at >= f.Times.To || dayOf(r.at) != dayOf(f.Times.From)) {
				t.Errorf("%s of %v holds a row at %d", f.Path, f.Times, r.at)
			}
			if r.fault != "" && f.Times != (Range{}) {
				t.Errorf("%s has times %v, and no row has one", f.Path, f.Times)
			}
		}
	}
}

func compareRecords(a, b record) int {
	switch {
	case a.card != b.card:
		return strings.Compare(a.card, b.card)
	case a.at != b.at:
		return int(a.at - b.at)
	case a.partition != b.partition:
		return int(a.partition - b.partition)
	}
	return int(a.offset - b.offset)
}

// TestArchiveKeepsEveryBit takes values at the edges of their types through a table and back.
func TestArchiveKeepsEveryBit(t *testing.T) {
	ctx := context.Background()
	log := paymentLog(t, "payments")
	a := openArchive(t, openLake(t, t.TempDir()), log)
	floats := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	ints := []int64{0, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 62}
	times := []int64{0, -1, math.MaxInt64, math.MinInt64, -microsPerDay, microsPerDay - 1, 1767225600000000}
	texts := []string{"", "a\x00b", "é", "é", strings.Repeat("\U0010FFFF", 50), "\xff\xfe", strings.Repeat("k", 100_000)}
	b := array.NewRecordBuilder(memory.DefaultAllocator, log.Schema)
	for i := range floats {
		for j, f := range log.Schema.Fields() {
			switch f.Name {
			case "id", "card":
				b.Field(j).(*array.StringBuilder).Append(texts[i])
			case "amount":
				b.Field(j).(*array.Float64Builder).Append(floats[i])
			case "items":
				b.Field(j).(*array.Int64Builder).Append(ints[i])
			case "at", schema.StampColumn:
				b.Field(j).(*array.TimestampBuilder).Append(arrow.Timestamp(times[i]))
			case schema.PartitionColumn:
				b.Field(j).(*array.Int32Builder).Append(0)
			case schema.OffsetColumn:
				b.Field(j).(*array.Int64Builder).Append(int64(i))
			case schema.RawColumn:
				b.Field(j).(*array.BinaryBuilder).Append([]byte(texts[i]))
			default:
				b.Field(j).AppendNull()
			}
		}
	}
	if _, err := a.Append(ctx, nil, Frontier{0: int64(len(floats))}, []arrow.RecordBatch{b.NewRecordBatch()}); err != nil {
		t.Fatal(err)
	}
	found := 0
	s := current(t, a.Table)
	for _, f := range filesOf(t, s, Everything) {
		rows := readParquet(t, f.Path)
		col := func(name string) arrow.Array { return rows.Column(rows.Schema().FieldIndices(name)[0]) }
		for i := range int(rows.NumRows()) {
			o := col(schema.OffsetColumn).(*array.Int64).Value(i)
			got := fmt.Sprintf("%x %d %d %d %q %q", math.Float64bits(col("amount").(*array.Float64).Value(i)), col("items").(*array.Int64).Value(i),
				col("at").(*array.Timestamp).Value(i), col(schema.StampColumn).(*array.Timestamp).Value(i), col("card").(*array.String).Value(i),
				col(schema.RawColumn).(*array.Binary).Value(i))
			want := fmt.Sprintf("%x %d %d %d %q %q", math.Float64bits(floats[o]), ints[o], times[o], times[o], texts[o], texts[o])
			if got != want {
				t.Errorf("offset %d reads back as %s, want %s", o, got, want)
			}
			found++
		}
	}
	if found != len(floats) {
		t.Errorf("%d rows read back of %d", found, len(floats))
	}
}

func TestAppendRefuses(t *testing.T) {
	ctx := context.Background()
	log := paymentLog(t, "payments")
	a := openArchive(t, openLake(t, t.TempDir()), log)
	rows := func(offsets ...int64) []arrow.RecordBatch {
		var records []record
		for _, o := range offsets {
			records = append(records, record{offset: o, card: "c"})
		}
		return []arrow.RecordBatch{batchOf(log, records...)}
	}
	if _, err := a.Append(ctx, nil, Frontier{0: 10}, rows(0, 9)); err != nil {
		t.Fatal(err)
	}
	more := logOf(t, "payments", new(struct {
		Card string    `spill:"card,key"`
		At   time.Time `spill:"at,time"`
	}))
	for _, c := range []struct {
		name     string
		from, to Frontier
		rows     []arrow.RecordBatch
		want     string
		stale    bool
	}{
		{"again", nil, Frontier{0: 10}, rows(0, 9), "stands at offset 10 of partition 0, and the append starts at 0", true},
		{"a gap", Frontier{0: 11}, Frontier{0: 12}, rows(11), "starts at 11", true},
		{"overlap", Frontier{0: 9}, Frontier{0: 12}, rows(9, 10), "starts at 9", true},
		{"behind the start", Frontier{0: 10}, Frontier{0: 12}, rows(9, 10), "has offset 9", false},
		{"beyond the end", Frontier{0: 10}, Frontier{0: 12}, rows(10, 12), "has offset 12", false},
		{"twice", Frontier{0: 10}, Frontier{0: 12}, rows(10, 10), "has offset 10", false},
		{"out of order", Frontier{0: 10}, Frontier{0: 12}, rows(11, 10), "has offset 10", false},
		{"backwards", Frontier{0: 10}, Frontier{0: 9}, nil, "from offset 10 to 9", false},
		{"no partition", Frontier{0: 10}, Frontier{}, rows(10), "names no partition", false},
		{"another partition", Frontier{1: 0}, Frontier{1: 20}, rows(10), "is of partition 0", false},
		{"another layout", Frontier{0: 10}, Frontier{0: 12}, []arrow.RecordBatch{batchOf(more, record{offset: 10})}, "7 columns, not 12", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := a.Append(ctx, c.from, c.to, c.rows)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrFrontier) != c.stale {
				t.Errorf("error %v, want one with %q, ErrFrontier: %v", err, c.want, c.stale)
			}
		})
	}
	if f, err := a.Frontier(ctx); err != nil || f.String() != "0:10" {
		t.Errorf("after all the frontier is %s, %v", f, err)
	}
	if n := len(parquetFiles(t, a.lake)); n != 1 {
		t.Errorf("refused appends left %d files", n-1)
	}
}

func TestAppendOfNothingMovesTheFrontier(t *testing.T) {
	ctx := context.Background()
	log := paymentLog(t, "payments")
	a := openArchive(t, openLake(t, t.TempDir()), log)
	first, err := a.Append(ctx, Frontier{0: 100}, Frontier{0: 105}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.Append(ctx, Frontier{0: 105}, Frontier{0: 107, 1: 0}, []arrow.RecordBatch{batchOf(log, record{offset: 106, card: "c"})})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]string{first: "map[0:{100 105 0}]", second: "map[0:{100 107 1} 1:{0 0 0}]", 0: "map[0:{100 107 1} 1:{0 0 0}]"} {
		s, err := a.Snapshot(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(s.Spans); got != want {
			t.Errorf("snapshot %d spans %s, want %s", id, got, want)
		}
		if err := s.Verify(ctx); err != nil {
			t.Error(err)
		}
	}
}
