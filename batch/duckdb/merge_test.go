package duckdb

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
)

// mergeColumns are columns of every kind, null now and then, behind those of the order; row i of n is one of the key's.
const mergeColumns = `k, t, p, o, CASE WHEN o % 5 > 0 THEN repeat('é', o % 15) END AS word, CASE WHEN o % 3 > 0 THEN o % 2 = 0 END AS even,
	CASE WHEN o BETWEEN 20000 AND 30000 THEN NULL ELSE o / 3.0::DOUBLE END AS third, encode(repeat('b', o % 15)) AS bytes`

// mergeRows are rows in which keys are few and many, times come together, and partitions are apart in each key.
const mergeRows = `(SELECT CASE WHEN i % 3 = 0 THEN 'hot' ELSE 'k' || (i % 1009) END AS k,
	make_timestamp((i * 7919 % 40000) // 3)::TIMESTAMPTZ AS t, (i % 4)::INTEGER AS p, i AS o FROM range(40000) r(i))`

const mergeOrder = ` ORDER BY k, t, p, o`

// mergeParts starts queries of n parts of the rows, each sorted, through files as the merge is used.
func mergeParts(t *testing.T, db *DB, n int, order string) (results []*Rows, names []string) {
	t.Helper()
	for p := range n {
		file := filepath.Join(t.TempDir(), "part.parquet")
		sql := fmt.Sprintf("COPY (SELECT %s FROM %s WHERE o * 31 %% %d = %d%s) TO %s (ROW_GROUP_SIZE 3000)", mergeColumns, mergeRows, n, p, order, Text(file))
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query(t.Context(), "SELECT * FROM read_parquet("+Text(file)+")")
		if err != nil {
			t.Fatal(err)
		}
		results, names = append(results, rows), append(names, fmt.Sprintf("part %d", p))
	}
	return results, names
}

func merged(t *testing.T, m *Merge) (got []string) {
	t.Helper()
	err := m.Each(func(b arrow.RecordBatch) error {
		for i := range int(b.NumRows()) {
			var row []string
			for _, c := range b.Columns() {
				row = append(row, c.ValueStr(i))
			}
			got = append(got, strings.Join(row, " "))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestMerge compares merges of few and many parts with a sort of all rows.
func TestMerge(t *testing.T) {
	db := open(t, Config{InOrder: true})
	want := values(t, db, "SELECT "+mergeColumns+" FROM "+mergeRows+mergeOrder)
	for _, n := range []int{1, 2, 3, 17} {
		results, names := mergeParts(t, db, n, mergeOrder)
		m, err := NewMerge(results, names, Order{0, 1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("of %d", n), merged(t, m), want)
		m.Close()
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: row %d is\n%s\nwant\n%s", what, i, got[i], want[i])
		}
	}
}

// TestMergeLeavesOut leaves out single rows, runs, and all of a key.
func TestMergeLeavesOut(t *testing.T) {
	db := open(t, Config{InOrder: true})
	want := values(t, db, "SELECT "+mergeColumns+" FROM "+mergeRows+" WHERE o % 7 <> 0 AND o NOT BETWEEN 9000 AND 21000 AND p <> 3"+mergeOrder)
	results, names := mergeParts(t, db, 5, mergeOrder)
	m, err := NewMerge(results, names, Order{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.LeaveOut(func(partition int32, offset int64) bool {
		return offset%7 == 0 || offset >= 9000 && offset <= 21000 || partition == 3
	})
	same(t, "the rest", merged(t, m), want)
}

// TestMergeOfUnsorted: rows that are not in order, be it by key, time or offset, are never merged silently.
func TestMergeOfUnsorted(t *testing.T) {
	db := open(t, Config{InOrder: true})
	for _, order := range []string{"", " ORDER BY t, k", " ORDER BY k DESC", " ORDER BY k, t DESC", " ORDER BY k, t, o, p"} {
		results, names := mergeParts(t, db, 2, order)
		m, err := NewMerge(results, names, Order{0, 1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		err = m.Each(func(arrow.RecordBatch) error { return nil })
		var f *fault.Error
		if !errors.As(err, &f) || !strings.Contains(err.Error(), "says that its rows are sorted") {
			t.Errorf("%q: error %v", order, err)
		}
		m.Close()
	}
}

// TestMergeStops: an error of the reader's, and one of a result's, end a merge at any time.
func TestMergeStops(t *testing.T) {
	db := open(t, Config{InOrder: true})
	enough := errors.New("enough")
	for stop := range 4 {
		results, names := mergeParts(t, db, 3, mergeOrder)
		m, err := NewMerge(results, names, Order{0, 1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		given := 0
		err = m.Each(func(arrow.RecordBatch) error {
			if given++; given > stop {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Errorf("after %d: error %v", stop, err)
		}
		m.Close()
	}
	rows, err := db.Query(t.Context(), `SELECT 'k' || i, make_timestamp(i)::TIMESTAMPTZ, 0::INTEGER,
		CASE WHEN i = 190000 THEN error('broken')::BIGINT ELSE i END FROM range(100000, 200000) r(i)`)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMerge([]*Rows{rows}, []string{"a result"}, Order{0, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	given := 0
	err = m.Each(func(arrow.RecordBatch) error {
		given++
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "broken") || given == 0 {
		t.Errorf("after %d batches: error %v", given, err)
	}
}
