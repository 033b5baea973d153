package training

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func readAll(text []byte) (records [][]field, err error) {
	r := &csvReader{in: bufio.NewReader(bytes.NewReader(text)), line: 1}
	for {
		fields, _, err := r.read(nil, 2)
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, fields)
	}
}

// FuzzCSV holds the reader to encoding/csv where that one means the same, and to what appendField writes.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n", "a,b", "\"a\"\"\",\"\n\"\r\n", ",\n", "\"\",\n\n\nx,y\n", "a\"b\n", "\"a\"b\n", "\"a", "a\rb,c\r\n", "\"a\"\r", "\r\n", "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		records, err := readAll(text)
		if err == nil {
			again, err := readAll(written(records))
			if err != nil || !slices.EqualFunc(again, records, slices.Equal) {
				t.Errorf("%v became %v, %v", records, again, err)
			}
		}
		if bytes.ContainsRune(text, '\r') || !utf8.Valid(text) {
			return // encoding/csv changes some of these
		}
		theirs := csv.NewReader(bytes.NewReader(text))
		theirs.FieldsPerRecord = -1
		want, wantErr := theirs.ReadAll()
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, and encoding/csv says %v", err, wantErr)
		}
		if err != nil {
			return
		}
		got := make([][]string, len(records))
		for i, rec := range records {
			for _, f := range rec {
				got[i] = append(got[i], f.text)
			}
		}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// written is the records as a training set has them: what is quoted and need not be, is no longer.
func written(records [][]field) []byte {
	var b []byte
	for _, rec := range records {
		for i, f := range rec {
			if i > 0 {
				b = append(b, ',')
			}
			if !f.null() {
				b = appendField(b, f.text)
			}
			rec[i].quoted = !f.null() && mustQuote(f.text)
		}
		b = append(b, '\n')
	}
	return b
}

func TestLineNumbers(t *testing.T) {
	r := &csvReader{in: bufio.NewReader(strings.NewReader("a,b\n\n\"x\ny\",z\r\nlast,one")), line: 1}
	var lines []int
	for {
		_, line, err := r.read(nil, 2)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if want := []int{1, 3, 5}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
}
