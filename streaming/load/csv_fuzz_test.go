package load

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// FuzzCSV holds rows to encoding/csv, and their JSON to encoding/json.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a\n\"x\"\"y\"\n", "a,b\r\n\"1\r\n2\",\r\n", "a,b\n,\n\n\"\",\"", "a\n\"", "a,b\n1", "\ufeffa\nb", "a\n\x00\xff\\\n", "a\r\n\r\r\n",
	} {
		f.Add([]byte(seed))
	}
	s, errs := schema.Of(&struct {
		A string  `spill:"a"`
		B int64   `spill:"b"`
		C float64 `spill:"c"`
		D bool    `spill:"d"`
	}{}, fault.Pos{})
	if errs != nil {
		f.Fatal(errs)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		path := dir + "/f.csv"
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		// encoding/csv drops carriage returns before newlines, also within quotes, and knows no byte order mark.
		theirs := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, byteOrderMark)))
		theirs.FieldsPerRecord = -1
		header, theirErr := theirs.Read()

		src, err := open(path, [routingFields]string{keyField: ""}, s)
		if err != nil {
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("error without a remedy: %v", err)
			}
			return
		}
		defer src.close()
		if bytes.HasSuffix(text, []byte{'\r'}) {
			return // encoding/csv treats a carriage return at the end by rules of its own
		}
		for {
			var r record
			err := src.next(&r)
			want, wantErr := theirs.Read()
			if theirErr != nil || err == io.EOF || err != nil {
				wrong := wantErr == nil && len(want) == len(header)
				if err == io.EOF && wantErr != io.EOF || err != io.EOF && wrong {
					t.Fatalf("we say %v, encoding/csv %q, %v, %v", err, want, wantErr, theirErr)
				}
				return
			}
			if wantErr != nil {
				t.Fatalf("we read %s, encoding/csv says %v", r.value, wantErr)
			}
			rows := src.(*csvFile)
			for i := range rows.cells {
				if have := strings.ReplaceAll(string(rows.cell(i)), "\r\n", "\n"); have != want[i] {
					t.Fatalf("cell %d is %q, not %q", i, have, want[i])
				}
			}
			var object map[string]any
			if err := json.Unmarshal(r.value, &object); err != nil || !r.malformed && len(object) != len(header) {
				t.Fatalf("%s is no JSON of %d columns: %v", r.value, len(header), err)
			}
			if a, ok := object["a"].(string); ok && !r.malformed {
				if i := slices.Index(header, "a"); string(rows.cell(i)) != a {
					t.Fatalf("%q became %q", rows.cell(i), a)
				}
			}
		}
	})
}
