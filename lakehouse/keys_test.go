package lakehouse

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// TestKeysInEveryOrder writes keys that are their own dictionary, and those that cease to be: in the first row group or a
// later one, since they are not sorted or since there are too many.
func TestKeysInEveryOrder(t *testing.T) {
	const n = groupRows + 5000
	for _, c := range []struct {
		name   string
		key    func(i int) string
		sorted bool
	}{
		{"one", func(int) string { return "" }, true},
		{"empty ones first", func(i int) string { return strings.Repeat("x", i/10_000) }, true},
		{"few", func(i int) string { return fmt.Sprintf("k%04d", i/1000) }, true},
		{"each its own", func(i int) string { return fmt.Sprintf("k%09d", i) }, true},
		{"long", func(i int) string { return fmt.Sprintf("%s%09d", strings.Repeat("é", 50), i/20) }, true},
		{"falling", func(i int) string { return fmt.Sprintf("k%09d", n-i) }, false},
		{"back once", func(i int) string {
			if i == groupRows+7 {
				return "a"
			}
			return fmt.Sprintf("k%04d", i/1000)
		}, false},
		{"again", func(i int) string { return fmt.Sprintf("k%d", i%7) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := activityPlan(t)
			f := openFeatures(t, openLake(t, t.TempDir()), plan)
			rows := make([]answer, n)
			for i := range rows {
				rows[i] = answer{card: c.key(i), ask: int64(i), offset: int64(i), spend: float64(i)}
			}
			s := replace(t, f, plan, Range{0, n}, rows)
			var got []answer
			files := filesOf(t, s, Everything)
			for _, f := range files {
				got = append(got, answersOf(readParquet(t, f.Path))...)
				if f.Sorted != c.sorted {
					t.Errorf("the file says sorted: %v", f.Sorted)
				}
				checkBounds(t, f.Path)
			}
			if !slices.Equal(got, rows) {
				t.Fatalf("%d rows are not as they were written", len(got))
			}
		})
	}
}

// checkBounds compares the bounds of the keys in each row group, by which readers prune, with the keys.
func checkBounds(t *testing.T, path string) {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows := answersOf(readParquet(t, path))
	for g := range r.NumRowGroups() {
		group := r.MetaData().RowGroup(g)
		of := rows[:group.NumRows()]
		rows = rows[group.NumRows():]
		chunk, err := group.ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		byKey := func(a, b answer) int { return strings.Compare(a.card, b.card) }
		low, high := slices.MinFunc(of, byKey).card, slices.MaxFunc(of, byKey).card
		got := stats.(*metadata.ByteArrayStatistics)
		if !got.HasMinMax() || string(got.Min()) != low || string(got.Max()) != high {
			t.Errorf("row group %d has keys from %.20q to %.20q, want %.20q to %.20q", g, got.Min(), got.Max(), low, high)
		}
	}
}

// TestKeyRuns gathers sorted keys with nulls among them, from slices of arrays.
func TestKeyRuns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		var want []string
		key := ""
		for range rng.IntN(40) {
			if rng.IntN(3) == 0 {
				key += string(rune('a' + rng.IntN(26)))
			}
			want = append(want, key)
			if rng.IntN(5) == 0 {
				want[len(want)-1] = array.NullValueStr
				b.AppendNull()
			} else {
				b.Append(key)
			}
		}
		all := b.NewStringArray()
		var r keyRuns
		r.reset()
		for from := 0; from < all.Len(); {
			to := from + 1 + rng.IntN(all.Len()-from)
			part := array.NewSlice(all, int64(from), int64(to)).(*array.String)
			if n := r.add(part); n != part.Len() {
				t.Fatalf("took %d of %d sorted keys", n, part.Len())
			}
			from = to
		}
		got := r.array().(*array.Dictionary)
		for i := range want {
			text := array.NullValueStr
			if got.IsValid(i) {
				text = got.Dictionary().(*array.String).Value(got.GetValueIndex(i))
			}
			if text != want[i] {
				t.Fatalf("key %d is %q, want %q", i, text, want[i])
			}
		}
	}
}
