package spillway_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// TestRows writes the rows of every layer in every format: the columns are the same, in the same order, and so is the
// number of rows.
func TestRows(t *testing.T) {
	dir := t.TempDir()
	payments := write(t, filepath.Join(dir, "payments.jsonl"), 500)
	for _, step := range []string{
		"load payments " + payments + " --timestamp-field arrived", "stream --until-end", "archive --until-end",
		"batch card_activity", "batch card_activity --reading served",
	} {
		if _, errs, code := run(t, dir, strings.Fields(step)...); code != 0 {
			t.Fatalf("%s ended with %d\n%s", step, code, errs)
		}
	}
	live := []string{"key", "ask_time", "partition", "offset", "revision", "count_5m", "spend_1h", "merchants_1h", "abroad_1h"}
	for layer, columns := range map[string][]string{"stream": live, "served": live, "truth": append(slices.Clone(live), "mean_90d")} {
		rows := map[string]int{}
		for _, format := range []string{"jsonl", "csv", "parquet"} {
			path := filepath.Join(dir, layer+"."+format)
			out, errs, code := run(t, dir, "rows", "card_activity", "--layer", layer, "--format", format, "--out", path)
			if code != 0 || out != "" {
				t.Fatalf("rows of %s as %s ended with %d\n%s%s", layer, format, code, out, errs)
			}
			have, n := contents(t, path)
			if rows[format] = n; !slices.Equal(have, columns) {
				t.Errorf("%s as %s has the columns %v, want %v", layer, format, have, columns)
			}
		}
		if rows["jsonl"] == 0 || rows["csv"] != rows["jsonl"] || rows["parquet"] != rows["jsonl"] {
			t.Errorf("%s has rows as %v", layer, rows)
		}
	}
}

// contents are the columns and the number of rows of a file.
func contents(t *testing.T, path string) (columns []string, rows int) {
	t.Helper()
	switch filepath.Ext(path) {
	case ".parquet":
		f, err := file.OpenParquetFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := r.Schema()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range sc.Fields() {
			columns = append(columns, f.Name)
		}
		return columns, int(f.NumRows())
	case ".csv":
		lines, err := csv.NewReader(strings.NewReader(text(t, path))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return lines[0], len(lines) - 1
	}
	for line := range strings.Lines(text(t, path)) {
		rows++
		names := members(t, line)
		if columns != nil && !slices.Equal(columns, names) {
			t.Fatalf("one row has %v, another %v", columns, names)
		}
		columns = names
	}
	return columns, rows
}

// members are the names of a JSON object's members, in their order.
func members(t *testing.T, object string) (names []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	for i := 0; ; i++ {
		token, err := d.Token()
		if err != nil {
			return names
		}
		if name, ok := token.(string); ok && i%2 == 1 {
			names = append(names, name)
		}
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
