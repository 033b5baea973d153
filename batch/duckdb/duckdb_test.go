package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func open(t testing.TB, cfg Config) *DB {
	t.Helper()
	db, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// values reads a result as texts, row by row.
func values(t testing.TB, db *DB, sql string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		b := rows.Batch()
		for i := range int(b.NumRows()) {
			var row []string
			for _, c := range b.Columns() {
				row = append(row, c.ValueStr(i))
			}
			got = append(got, strings.Join(row, " "))
		}
	}
	if rows.Err() != nil {
		t.Fatalf("%s: %v", sql, rows.Err())
	}
	return got
}

// TestColumns compares each value of a result that spans batches, in which every kind is null now and then, and in runs.
func TestColumns(t *testing.T) {
	db := open(t, Config{Threads: 1})
	const n = 3*batchRows + 77
	rows, err := db.Query(t.Context(), fmt.Sprintf(`SELECT i, CASE WHEN null_here THEN NULL ELSE i END AS big,
		CASE WHEN null_here THEN NULL ELSE i::INTEGER END AS small, CASE WHEN null_here THEN NULL ELSE i / 3.0::DOUBLE END AS float,
		CASE WHEN null_here THEN NULL ELSE i %% 3 = 0 END AS bool, CASE WHEN null_here THEN NULL ELSE repeat('é', i %% 15) END AS text,
		CASE WHEN null_here THEN NULL ELSE encode(repeat('b', i %% 15)) END AS bytes,
		CASE WHEN null_here THEN NULL ELSE make_timestamp(i)::TIMESTAMPTZ END AS time, hash(i) AS hash
		FROM (SELECT i, i > 5000 AND (i %% 7 = 0 OR i BETWEEN 9000 AND 12345) AS null_here FROM range(%d) r(i)) ORDER BY i`, n))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	at := int64(0)
	for rows.Next() {
		b := rows.Batch()
		for i := range int(b.NumRows()) {
			wantNull := at > 5000 && (at%7 == 0 || at >= 9000 && at <= 12345)
			if got := b.Column(0).(*array.Int64).Value(i); got != at {
				t.Fatalf("row %d is %d", at, got)
			}
			for c := 1; c < 8; c++ {
				if b.Column(c).IsNull(i) != wantNull {
					t.Fatalf("row %d: column %s is null: %v", at, b.ColumnName(c), !wantNull)
				}
			}
			if !wantNull {
				for c, want := range []any{at, int32(at), float64(at) / 3, at%3 == 0, strings.Repeat("é", int(at%15)), strings.Repeat("b", int(at%15)), at} {
					var got any
					switch a := b.Column(c + 1).(type) {
					case *array.Int64:
						got = a.Value(i)
					case *array.Int32:
						got = a.Value(i)
					case *array.Float64:
						got = a.Value(i)
					case *array.Boolean:
						got = a.Value(i)
					case *array.String:
						got = a.Value(i)
					case *array.Binary:
						got = string(a.Value(i))
					case *array.Timestamp:
						got = int64(a.Value(i))
					}
					if got != want {
						t.Fatalf("row %d, column %s: %v, want %v", at, b.ColumnName(c+1), got, want)
					}
				}
			}
			at++
		}
		for c, col := range b.Columns() {
			nulls := 0
			for i := range col.Len() {
				if col.IsNull(i) {
					nulls++
				}
			}
			if nulls != col.NullN() {
				t.Fatalf("column %s says %d nulls and has %d", b.ColumnName(c), col.NullN(), nulls)
			}
		}
	}
	if rows.Err() != nil || at != n {
		t.Fatalf("%d rows of %d: %v", at, n, rows.Err())
	}
	if !arrow.TypeEqual(rows.Schema().Field(7).Type, schema.TimestampType) || rows.Schema().Field(8).Type.ID() != arrow.UINT64 {
		t.Errorf("schema %v", rows.Schema())
	}
}

// TestOrder holds DuckDB to S4 and to the order of bytes, on which folds rely.
func TestOrder(t *testing.T) {
	db := open(t, Config{})
	for _, c := range []struct{ of, sql, want string }{
		{
			"texts", `SELECT v FROM (VALUES ('b'), ('é'), ('B'), (''), ('a'), ('aa'), ('e' || chr(769)), ('a' || chr(0)), ('日本'), ('😀'), (chr(65535)), ('b ')) t(v) ORDER BY v`,
			"[ B a a\x00 aa b b  e\u0301 é 日本 \uffff 😀]",
		},
		{"NaN", `SELECT v FROM (VALUES ('nan'::DOUBLE), ('inf'::DOUBLE), (1.0), ('-inf'::DOUBLE)) t(v) ORDER BY v`, "[-Inf 1 +Inf NaN]"},
		{"equal floats", `SELECT 'nan'::DOUBLE = 'nan'::DOUBLE AND 'nan'::DOUBLE > 'inf'::DOUBLE AND '-0'::DOUBLE = '0'::DOUBLE AND NOT '-0'::DOUBLE < '0'::DOUBLE`, "[true]"},
		{"nulls", `SELECT (NULL AND false) IS NULL, (NULL OR true) IS NULL, (NULL = 1) IS NULL`, "[false false true]"},
	} {
		if got := fmt.Sprint(values(t, db, c.sql)); got != c.want {
			t.Errorf("%s: %q, want %q", c.of, got, c.want)
		}
	}
}

func TestLiterals(t *testing.T) {
	db := open(t, Config{})
	for _, s := range []string{"", "it's", `a"b`, "\x00", "a\x00'b", "é😀", `\n`, "; DROP TABLE x; --"} {
		rows, err := db.Query(t.Context(), "SELECT "+Text(s)+" AS "+Name(`a"`+"at"))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if !rows.Next() || rows.Batch().Column(0).(*array.String).Value(0) != s || rows.Schema().Field(0).Name != `a"at` {
			t.Errorf("%q came back as %v", s, rows.Batch())
		}
		rows.Close()
	}
	for _, micros := range []int64{0, -1, 1, -62135596799999999, 253402300799999999, 1767225600123456} {
		if got := values(t, db, "SELECT epoch_us("+Time(micros)+")"); got[0] != fmt.Sprint(micros) {
			t.Errorf("%s is %s µs, want %d", Time(micros), got[0], micros)
		}
	}
}

// writeParquet writes a file with a column of numbers of each field id given.
func writeParquet(t *testing.T, path string, ids ...int) {
	t.Helper()
	var fields []arrow.Field
	for _, id := range ids {
		fields = append(fields, arrow.Field{
			Name: fmt.Sprint("then", id), Type: arrow.PrimitiveTypes.Int64, Nullable: true,
			Metadata: arrow.MetadataFrom(map[string]string{"PARQUET:field_id": fmt.Sprint(id)}),
		})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i, id := range ids {
		b.Field(i).(*array.Int64Builder).Append(int64(10 * id))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(rec.Schema(), f, parquet.NewWriterProperties(), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestParquet reads files of older schemas by field id, under names that are patterns to DuckDB.
func TestParquet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a [1-3]* folder?")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	old, now := filepath.Join(dir, "old[12].parquet"), filepath.Join(dir, "new*.parquet")
	writeParquet(t, old, 2, 1)
	writeParquet(t, now, 1, 2, 3)
	writeParquet(t, filepath.Join(dir, "old1.parquet"), 1)
	writeParquet(t, filepath.Join(dir, "newest.parquet"), 1)
	big := arrow.PrimitiveTypes.Int64
	columns := []Column{{1, "at", big}, {2, `b"`, big}, {3, "it's", big}}
	db := open(t, Config{})
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{old, now}, "[10 20 (null) 10 20 30]"},
		{[]string{old}, "[10 20 (null)]"},
		{nil, "[]"},
	} {
		from, err := Parquet(c.files, columns)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(values(t, db, `SELECT "at", "b""", "it's" FROM `+from+` ORDER BY 3 NULLS FIRST`)); got != c.want {
			t.Errorf("%v: %s, want %s", c.files, got, c.want)
		}
	}
	if _, err := Parquet(nil, []Column{{1, "x", arrow.PrimitiveTypes.Int8}}); err == nil {
		t.Error("a column of a type that no source has is taken")
	}
}

func TestAppend(t *testing.T) {
	db := open(t, Config{})
	if err := errors.Join(db.Exec(t.Context(), "CREATE TABLE n (a BIGINT, b BIGINT)"), db.Exec(t.Context(), "CREATE TABLE s (t VARCHAR)")); err != nil {
		t.Fatal(err)
	}
	var a, b []int64
	var texts [][]byte
	for i := range int64(5001) {
		a, b, texts = append(a, i), append(b, -i), append(texts, []byte(strings.Repeat("x", int(i%40))))
	}
	if err := errors.Join(db.Append(t.Context(), "n", a, b), db.AppendTexts(t.Context(), "s", texts), db.AppendTexts(t.Context(), "s", nil)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(values(t, db, "SELECT count(*), sum(a)::BIGINT, max(abs(a + b)) FROM n"), values(t, db, "SELECT count(*), sum(length(t))::BIGINT FROM s")); got != "[5001 12502500 0] [5001 97500]" {
		t.Error(got)
	}
	if err := db.Append(t.Context(), "missing", a); err == nil {
		t.Error("rows were added to a table that is not there")
	}
}

// TestSpill sorts more than the memory limit holds, and reads the result in a few MiB.
func TestSpill(t *testing.T) {
	const sql = "SELECT i, repeat('x', 40) || hash(i)::VARCHAR AS text FROM range(1200000) r(i) ORDER BY hash(i)"
	db := open(t, Config{Memory: 64 << 20, Threads: 1, Temp: t.TempDir()})
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n, sum := 0, int64(0)
	for rows.Next() {
		for _, i := range rows.Batch().Column(0).(*array.Int64).Int64Values() {
			n++
			sum += i
		}
	}
	if rows.Err() != nil || n != 1_200_000 || sum != 1_200_000*1_199_999/2 {
		t.Errorf("%d rows, sum %d: %v", n, sum, rows.Err())
	}
	short := open(t, Config{Memory: 64 << 20, Threads: 1})
	_, err = short.Query(t.Context(), sql)
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(f.Error(), "needs more than its 64 MiB") {
		t.Errorf("without a folder to spill to: %v", err)
	}
}

// TestInTurn reads two results of one database at once, and ends one early.
func TestInTurn(t *testing.T) {
	db := open(t, Config{})
	var all [2]*Rows
	for i := range all {
		var err error
		if all[i], err = db.Query(t.Context(), "SELECT i FROM range(3000000) r(i)"); err != nil {
			t.Fatal(err)
		}
		defer all[i].Close()
	}
	n := 0
	for all[0].Next() {
		if n < 3 && !all[1].Next() {
			t.Fatal(all[1].Err())
		}
		n++
	}
	if all[0].Err() != nil || n < 100 {
		t.Errorf("%d batches: %v", n, all[0].Err())
	}
}

func TestCancel(t *testing.T) {
	db := open(t, Config{})
	for _, c := range []struct{ of, sql string }{
		{"while it runs", "SELECT count(*) FROM range(1000000000) a(i), range(1000000000) b(j) WHERE hash(i + j) = 1"},
		{"while it is read", "SELECT i FROM range(100000000000) r(i)"},
	} {
		t.Run(c.of, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("stopped")
			time.AfterFunc(50*time.Millisecond, func() { cancel(stopped) })
			started := time.Now()
			rows, err := db.Query(ctx, c.sql)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
				rows.Close()
			}
			if !errors.Is(err, stopped) || time.Since(started) > 20*time.Second {
				t.Errorf("%v after %v", err, time.Since(started))
			}
			if _, err := db.Query(ctx, "SELECT 1"); !errors.Is(err, stopped) {
				t.Errorf("a query of an ended context: %v", err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	db := open(t, Config{})
	missing, err := Parquet([]string{"/no/such/file.parquet"}, []Column{{1, "a", arrow.PrimitiveTypes.Int64}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want string }{
		{"SELEC 1", "syntax error"},
		{"SELECT a FROM " + missing, "nobody removes"},
		{"SELECT 1::TINYINT AS t", "column t: duckdb: a result of type"},
		{"SELECT (i + 9223372036854775800)::BIGINT FROM range(1000) r(i)", "Out of Range"},
	} {
		rows, err := db.Query(t.Context(), c.sql)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
			rows.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.sql, err, c.want)
		}
	}
	if err := db.Exec(t.Context(), "CREATE TABEL x"); err == nil {
		t.Error("Exec takes nonsense")
	}
	if _, err := Open(Config{Temp: "/no/such/folder"}); err == nil || !strings.Contains(err.Error(), "make it, or name another") {
		t.Errorf("a temporary folder that is missing: %v", err)
	}
	full := db.explain(t.Context(), 0, "IO Error: Could not write file: No space left on device")
	if !strings.Contains(full.Error(), "is full") {
		t.Errorf("a full disk: %v", full)
	}
}

// BenchmarkRows is one row of five columns, a text of them, from DuckDB to Arrow.
func BenchmarkRows(b *testing.B) {
	db := open(b, Config{Threads: 1})
	if err := db.Exec(b.Context(), "CREATE TABLE r AS SELECT i AS a, i::INTEGER AS b, i / 3.0::DOUBLE AS c, 'card' || (i % 1000) AS d, i AS e FROM range(1000000) r(i)"); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += 1_000_000 {
		rows, err := db.Query(b.Context(), "FROM r")
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
		}
		rows.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
