package training

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
)

func TestFaults(t *testing.T) {
	numbers := filepath.Join(t.TempDir(), "numbers.parquet")
	writeTable(t, numbers, []arrow.Field{{Name: "card", Type: arrow.PrimitiveTypes.Int64}, {Name: "label_time", Type: arrow.BinaryTypes.String}},
		func(b *array.RecordBuilder) { b.Field(0).AppendNull(); b.Field(1).AppendNull() })
	nulls := filepath.Join(t.TempDir(), "nulls.parquet")
	writeTable(t, nulls, []arrow.Field{
		{Name: "card", Type: arrow.BinaryTypes.String}, {Name: "label_time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	}, func(b *array.RecordBuilder) { b.Field(0).(*array.StringBuilder).Append("c"); b.Field(1).AppendNull() })
	for _, c := range []struct{ name, path, want string }{
		{"no such file", "nowhere.csv", "file nowhere.csv: is not there"},
		{"no format", write(t, "labels.txt", ""), "has a name that tells no format"},
		{"packed parquet", write(t, "labels.parquet.gz", ""), "has a name that tells no format"},
		{"empty", write(t, "l.csv", ""), "are empty"},
		{"no key", write(t, "l.csv", "id,label_time,y\n"), `have no column "card" for the key; name the column with --key-field; there are id, label_time, y`},
		{"no time", write(t, "l.csv", "card,at\n"), `have no column "label_time" for the time; name the column with --time-field; there are card, at`},
		{"a column twice", write(t, "l.csv", "card,label_time,y,y\n"), `have two columns named "y"`},
		{"a null key", write(t, "l.csv", "card,label_time\nc,2026-01-01\n,2026-01-01\n"), `line 3: the key "card" is null`},
		{"a null time", write(t, "l.csv", "card,label_time\nc,\n"), `line 2: the time "label_time" is null`},
		{"no time at all", write(t, "l.csv", "card,label_time\n\"a\nb\",2026-01-01\nc,soon\n"), `line 4: the time "label_time" is "soon", which is no time`},
		{"a far time", write(t, "l.csv", "card,label_time\nc,0000-01-01\n"), `which is outside the years 1 to 9999`},
		{"a short line", write(t, "l.csv", "card,label_time,y\nc,2026-01-01\n"), `line 2: cannot be read (2 fields, and the first line names 3 columns)`},
		{"a quote in a field", write(t, "l.csv", "card,label_time\nc\"d,2026-01-01\n"), `line 2: cannot be read (a quote within a field`},
		{"text behind a quote", write(t, "l.csv", "card,label_time\n\"c\"d,2026-01-01\n"), `line 2: cannot be read (a quote within a field`},
		{"a quote without end", write(t, "l.csv", "card,label_time\n\"c,2026-01-01\n"), `line 2: cannot be read (a quoted field has no end)`},
		{"not UTF-8", write(t, "l.csv", "card,label_time\n\xff,2026-01-01\n"), `line 2: cannot be read (text that is not UTF-8)`},
		{"not packed", write(t, "l.csv.gz", "card,label_time\n"), `cannot be read or written (gzip: invalid header)`},
		{"not packed", write(t, "l.csv.zst", "card,label_time\n"), `cannot be read (invalid input: magic number mismatch)`},
		{"no Parquet", write(t, "l.parquet", "card,label_time\n"), `cannot be read or written`},
		{"empty JSONL", write(t, "l.jsonl", "\n\n"), "are empty"},
		{"no object", write(t, "l.jsonl", "{\"card\": \"c\", \"label_time\": \"2026-01-01\"}\n[]\n"), `line 2: cannot be read (it holds no JSON object)`},
		{"half an object", write(t, "l.jsonl", `{"card": "c"`), `line 1: cannot be read`},
		{"two objects", write(t, "l.jsonl", `{"card": "c"} {}`), `something follows the object`},
		{"a member twice", write(t, "l.jsonl", `{"card": "c", "card": "d"}`), `it has the member "card" twice`},
		{"a null JSON key", write(t, "l.jsonl", "\n"+`{"card": null, "label_time": "2026-01-01"}`), `line 2: the key "card" is null`},
		{"an absent JSON time", write(t, "l.jsonl", `{"card": "c", "label_time": "2026-01-01"}`+"\n"+`{"card": "c"}`), `line 2: the time "label_time" is null`},
		{"a number as key", write(t, "l.jsonl", `{"card": 12, "label_time": "2026-01-01"}`), `line 1: the key "card" is 12, which is no string`},
		{"a number as time", write(t, "l.jsonl", `{"card": "c", "label_time": 17}`), `line 1: the time "label_time" is 17, which is no string`},
		{"half a surrogate", write(t, "l.jsonl", `{"card": "\uD800", "label_time": "2026-01-01"}`), `which holds half a surrogate`},
		{"numbers as keys", numbers, `the key "card" is of type int64; write it as strings`},
		{"a null in Parquet", nulls, `row 1: the time "label_time" is null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadLabels(t.Context(), c.path, "card", Options{})
			var explained *fault.Error
			if !errors.As(err, &explained) || explained.Remedy == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestFeatureNameTaken(t *testing.T) {
	plan := testPlan(t)
	labels, err := ReadLabels(t.Context(), write(t, "l.csv", "who,when,cents\nc1,2026-01-01,7\n"), plan.KeyName, Options{Key: "who", Time: "when"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Join(t.Context(), plan, labels, testHistory(plan))
	if err == nil || !strings.Contains(err.Error(), `have a column "cents", which is the name of a feature of card_activity`) {
		t.Errorf("got %v", err)
	}
}

func TestWriteFails(t *testing.T) {
	if err := CheckName("set.xlsx"); err == nil {
		t.Error("a set may be written as .xlsx")
	}
	if err := CheckName("set.csv.zst"); err != nil {
		t.Error(err)
	}
	set := &Set{}
	err := set.WriteFile(filepath.Join(t.TempDir(), "no", "such", "folder", "set.csv"))
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Fault != "is not there" {
		t.Errorf("got %v", err)
	}
	folder := t.TempDir()
	broken := &Set{Rows: 1, names: []string{"x"}, cols: []column{brokenColumn{}}}
	if err := broken.WriteFile(filepath.Join(folder, "set.parquet")); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

var errBroken = errors.New("broken on purpose")

type brokenColumn struct{ column }

func (brokenColumn) array() (arrow.Array, error) { return nil, errBroken }

func TestJoinCancelled(t *testing.T) {
	plan := testPlan(t)
	labels, err := ReadLabels(t.Context(), write(t, "l.csv", csvLabels), plan.KeyName, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Join(ctx, plan, labels, testHistory(plan)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
