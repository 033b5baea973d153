package load

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/streaming/decode"
)

var update = flag.Bool("update", false, "write the golden files anew")

// records reads a whole file; each is a line: the record's line in the file, what is wrong with it, and its value.
func records(t testing.TB, path string, names [routingFields]string, s *schema.Schema) (values [][]byte, text string) {
	t.Helper()
	src, err := open(path, names, s)
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	var b strings.Builder
	var r record
	for {
		if err := src.next(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d %s\n", r.line, r.value)
		if r.malformed {
			fmt.Fprintf(&b, "  malformed: %s\n", src.flaw())
		}
		values = append(values, bytes.Clone(r.value))
	}
	if info, err := os.Stat(path); err != nil || info.Size() != src.consumed() {
		t.Errorf("%d bytes of the file were read, %v", src.consumed(), err)
	}
	return values, b.String()
}

func TestCSVGolden(t *testing.T) {
	values, got := records(t, "testdata/orders.csv", [routingFields]string{}, orders(t))
	const golden = "testdata/orders.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("have\n%s\nwant\n%s", got, want)
	}
	// What is not called malformed here must be what the stream can decode, and the other way round.
	builder, err := decode.NewBuilder(orders(t), decode.JSON())
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range values {
		if err := builder.Add(t.Context(), 0, int64(i), 0, value); err != nil {
			t.Fatal(err)
		}
	}
	batch := builder.Batch()
	defer batch.Release()
	faults := batch.Column(int(batch.NumCols()) - 2)
	lines := strings.Split(got, "\n")
	for i := range values {
		malformed := len(lines) > 1 && strings.HasPrefix(lines[1], "  malformed")
		if malformed == faults.IsNull(i) {
			t.Errorf("malformed is %v here, and the stream says %s: %s", malformed, faults.ValueStr(i), values[i])
		}
		if lines = lines[1:]; malformed {
			lines = lines[1:]
		}
	}
}

func TestCSVRouting(t *testing.T) {
	_, client := broker(t)
	file := write(t, "orders.csv", `card,at,p,n
c1,2026-01-07T10:00:00Z,0,1
"c""1",1767780001000000,1.0,2
,0,1,3
"",0,0,4
null,0,0,5
`)
	got, err := Run(t.Context(), Config{
		Client: client, Topic: "t", Files: []string{file}, Schema: orders(t),
		PartitionField: "p", TimestampField: "at", Partitions: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `0/0 2026-01-07T10:00:00.000Z "c1" {"card":"c1","at":"2026-01-07T10:00:00Z","p":"0","n":"1"}
0/1 1970-01-01T00:00:00.000Z "" {"card":"","at":0,"p":"0","n":"4"}
0/2 1970-01-01T00:00:00.000Z "null" {"card":"null","at":0,"p":"0","n":"5"}
1/0 2026-01-07T10:00:01.000Z "c\"1" {"card":"c\"1","at":1767780001000000,"p":"1.0","n":"2"}
1/1 1970-01-01T00:00:00.000Z null {"card":null,"at":0,"p":"1","n":"3"}
`
	if have := show(consume(t, client, "t", 5)); have != want {
		t.Errorf("the topic holds\n%swant\n%s", have, want)
	}
	if got.NullKeys != 1 || got.Malformed != 0 {
		t.Errorf("%+v", got)
	}
	// A row has all its fields, malformed or not: those that it is routed by must be right.
	file = write(t, "bad.csv", "card,at,p,amount\nc1,1,0,LOW\nc1,LOW,0,1\n")
	got, err = Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, Schema: orders(t), TimestampField: "at"})
	wantError(t, err, file+`:3: the timestamp field "at": is "LOW"; every record`)
	if got.Records != 1 || got.FirstMalformed != file+`:2: column "amount": "LOW" is no float` {
		t.Errorf("%+v", got)
	}
}

func TestBrokenCSV(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "f.csv: has no row that names the columns; begin it with one"},
		{"\n\r\n", "f.csv: has no row that names the columns"},
		{"a,b,a\n", `f.csv: has two columns "a", the 1. and the 3.; give each a name of its own`},
		{"a,\xff\n", `f.csv: has a column "\xff", whose name is not UTF-8`},
		{"a,b\n\n1\n", "f.csv:3: row: has 1 cells, and the first row names 2 columns; correct it"},
		{"a,b\n1,2,3\n", "f.csv:2: row: has 3 cells"},
		{"a,b\n1,2\"\n", "f.csv:2: row: has a quote within a cell that does not begin with one"},
		{"a,b\n1,\"2\"x\n", "f.csv:2: row: goes on behind the closing quote of a cell"},
		{"a,b\n1,\"2\n\n3,4\n", "f.csv:2: row: has a cell whose quotes are never closed"},
		{"a\n" + strings.Repeat("x", maxRecord+1) + "\n", "f.csv:2: record: is longer than 16 MiB"},
		{"a\n\"" + strings.Repeat(strings.Repeat("x", 1023)+"\n", maxRecord>>10+1) + "\"\n", "f.csv:2: record: is longer than 16 MiB"},
	} {
		path := write(t, "f.csv", tt.text)
		src, err := open(path, [routingFields]string{}, nil)
		var r record
		for err == nil {
			err = src.next(&r)
		}
		wantError(t, err, strings.Replace(tt.want, "f.csv", path, 1))
	}
}

func TestParseInt(t *testing.T) {
	for _, text := range []string{
		"", "+", "-", "0", "-0", "+0", "007", "9", ":", "/", "1/", "12a", "--1", "9223372036854775806", "9223372036854775807", "9223372036854775808",
		"-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "9223372036854775810", "99999999999999999999", "18446744073709551617",
	} {
		want, err := strconv.ParseInt(text, 10, 64)
		if got, ok := parseInt([]byte(text)); ok != (err == nil) || ok && got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
}

func TestParseWhole(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "007": 7, "+5": 5, "93.0": 93, "-93.00": -93, "1e+05": 100_000, "1.5e3": 1500, "1500e-2": 15, "0e999": 0, "0.0e-999": 0,
		"9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63, "9223372036854775807.0": 1<<63 - 1,
	} {
		if got, ok := parseWhole([]byte(text)); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", " 1", "1 ", "1.5", "15e-2", "0.99999999999999999999", "9223372036854775808", "92233720368547758.08e3", "1e99", "1e99999999999", "1e",
		"-", ".5", "5.", "1_0", "0x10", "NaN", "1e-1",
	} {
		if got, ok := parseWhole([]byte(text)); ok {
			t.Errorf("%s: %d", text, got)
		}
	}
}
