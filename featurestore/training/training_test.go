package training

import (
	"context"
	"errors"
	"io"
	"math"
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
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

type payment struct {
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Amount   float64   `spill:"amount"`
	Cents    int32     `spill:"cents"`
	At       time.Time `spill:"at,time"`
}

type activity struct {
	Card  string     `spill:"card,key"`
	Count int64      `spill:"count_1h"`
	Mean  *float64   `spill:"mean_90d"`
	Last  *string    `spill:"last_merchant"`
	First *time.Time `spill:"first_seen"`
	Large *bool      `spill:"large"`
	Cents *int32     `spill:"cents"`
}

func testPlan(tb testing.TB) *pipeline.Plan {
	tb.Helper()
	plan, err := pipeline.Define("card_activity", func(d *pipeline.Draft) {
		var p payment
		var a activity
		hour := window.Last(time.Hour)
		payments := pipeline.From(d, "payments", &p)
		pipeline.Aggregate(payments, &a, pipeline.EveryEvent(),
			pipeline.Feature(&a.Count, agg.Count(), hour),
			pipeline.Feature(&a.Mean, agg.Mean(expr.Col(&p.Amount)), window.Last(90*window.Day).Tile(window.Day)).Historical(),
			pipeline.Feature(&a.Last, agg.Last(expr.Col(&p.Merchant)), hour),
			pipeline.Feature(&a.First, agg.First(expr.Col(&p.At)), hour),
			pipeline.Feature(&a.Large, agg.Max(expr.Col(&p.Amount).Gt(100)), hour),
			pipeline.Feature(&a.Cents, agg.Sum(expr.Col(&p.Cents)), hour),
		)
	}).Plan()
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func testHistory(plan *pipeline.Plan) *logRecords {
	r := &logRecords{plan: plan}
	add := func(card, merchant string, amount float64, cents int64, after time.Duration) {
		at := noon.Add(after).UnixMicro()
		r.log = append(r.log, pipelinetest.Record{Offset: int64(len(r.log)), Stamp: at, Values: []expr.Datum{
			{S: card}, {S: merchant}, {F: amount}, {I: cents}, {I: at},
		}})
	}
	add("c1", `the "pub", Ely`, 1.5, 150, 0)
	add("c1", "", 300, 1, time.Minute)
	add("c2", "bakery", math.Inf(1), math.MaxInt32, 0)
	add("c2", "bakery", 1, math.MaxInt32, time.Minute)
	return r
}

// join reads the labels, joins them, and gives the training set as written to a file of the name.
func join(t *testing.T, in, out string) string {
	t.Helper()
	plan := testPlan(t)
	labels, err := ReadLabels(t.Context(), in, plan.KeyName, Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Join(t.Context(), plan, labels, testHistory(plan))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), out)
	if err := set.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const csvLabels = "\ufeffcard,label_time,fraud,note\r\n" +
	"c1,2026-01-31T12:01:00Z,1,\"a, \"\"b\"\"\r\nc\"\r\n" +
	"nobody,2026-01-31 12:00:00,007,\r\n" +
	"\r\n" +
	"c1,2026-01-31 13:01:00.0000009+01:00,0,\"\"\n" +
	"c2,2026-01-31T12:00:30Z,x,y\n" +
	"c1,2026-01-31T12:01:00.000001Z,0,z\n" +
	"c2,2026-01-31T12:02:00Z,1,z"

func TestCSV(t *testing.T) {
	const want = "card,label_time,fraud,note,count_1h,mean_90d,last_merchant,first_seen,large,cents\n" +
		"c1,2026-01-31T12:01:00Z,1,\"a, \"\"b\"\"\r\nc\",1,1.5,\"the \"\"pub\"\", Ely\",2026-01-31T12:00:00.000000Z,false,150\n" +
		"nobody,2026-01-31 12:00:00,007,,0,,,,,\n" +
		"c1,2026-01-31 13:01:00.0000009+01:00,0,\"\",1,1.5,\"the \"\"pub\"\", Ely\",2026-01-31T12:00:00.000000Z,false,150\n" +
		"c2,2026-01-31T12:00:30Z,x,y,1,Infinity,bakery,2026-01-31T12:00:00.000000Z,true,2147483647\n" +
		"c1,2026-01-31T12:01:00.000001Z,0,z,2,150.75,\"\",2026-01-31T12:00:00.000000Z,true,151\n" +
		"c2,2026-01-31T12:02:00Z,1,z,,,,,,\n"
	in := write(t, "labels.csv", csvLabels)
	if got := read(t, join(t, in, "set.csv")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, pack := range []string{".gz", ".zst"} {
		packed := join(t, in, "set.csv"+pack)
		form, err := formatOf(packed)
		if err != nil {
			t.Fatal(err)
		}
		if got := unpacked(t, form, packed); got != want {
			t.Errorf("%s: got\n%s", pack, got)
		}
	}
}

func unpacked(t *testing.T, form format, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in, err := form.unpack(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const jsonLabels = `{"card": "c1", "label_time": "2026-01-31T12:01:00Z", "fraud": true, "score": 1.10, "id": 12345678901234567890}
{"label_time": "2026-01-31T12:00:00Z", "card": "nobody", "tags": ["a", {"b": null}], "score": null}

{"card": "\u00632", "label_time": "2026-01-31T12:00:30Z", "fraud": false, "score": 2, "id": 1}
`

func TestJSONL(t *testing.T) {
	in := write(t, "labels.jsonl", jsonLabels)
	const want = `{"card":"c1","label_time":"2026-01-31T12:01:00Z","fraud":true,"score":1.10,"id":12345678901234567890,"tags":null,` +
		`"count_1h":1,"mean_90d":1.5,"last_merchant":"the \"pub\", Ely","first_seen":"2026-01-31T12:00:00.000000Z","large":false,"cents":150}
{"card":"nobody","label_time":"2026-01-31T12:00:00Z","fraud":null,"score":null,"id":null,"tags":["a", {"b": null}],` +
		`"count_1h":0,"mean_90d":null,"last_merchant":null,"first_seen":null,"large":null,"cents":null}
{"card":"\u00632","label_time":"2026-01-31T12:00:30Z","fraud":false,"score":2,"id":1,"tags":null,` +
		`"count_1h":1,"mean_90d":"Infinity","last_merchant":"bakery","first_seen":"2026-01-31T12:00:00.000000Z","large":true,"cents":2147483647}
`
	if got := read(t, join(t, in, "set.jsonl")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const wantCSV = `card,label_time,fraud,score,id,tags,count_1h,mean_90d,last_merchant,first_seen,large,cents
c1,2026-01-31T12:01:00Z,true,1.10,12345678901234567890,,1,1.5,"the ""pub"", Ely",2026-01-31T12:00:00.000000Z,false,150
nobody,2026-01-31T12:00:00Z,,,,"[""a"", {""b"": null}]",0,,,,,
c2,2026-01-31T12:00:30Z,false,2,1,,1,Infinity,bakery,2026-01-31T12:00:00.000000Z,true,2147483647
`
	if got := read(t, join(t, in, "set.csv")); got != wantCSV {
		t.Errorf("got\n%s\nwant\n%s", got, wantCSV)
	}
}

// TestParquet writes a set made of JSONL labels to Parquet, and takes that, less its features, as labels again.
func TestParquet(t *testing.T) {
	path := join(t, write(t, "labels.jsonl", jsonLabels), "set.parquet")
	table := readTable(t, path)
	defer table.Release()
	var types []string
	for _, f := range table.Schema().Fields() {
		types = append(types, f.Name+" "+f.Type.String())
	}
	want := "card utf8, label_time utf8, fraud bool, score float64, id utf8, tags utf8, count_1h int64, mean_90d float64, " +
		"last_merchant utf8, first_seen timestamp[us, tz=UTC], large bool, cents int64"
	if got := strings.Join(types, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	labels, err := ReadLabels(t.Context(), path, "card", Options{Time: "label_time"})
	if err != nil {
		t.Fatal(err)
	}
	labels.names, labels.cols = labels.names[:5], labels.cols[:5]
	set, err := Join(t.Context(), testPlan(t), labels, testHistory(testPlan(t)))
	if err != nil {
		t.Fatal(err)
	}
	var lines []byte
	for i := range set.Rows {
		lines = set.appendObject(lines, i)
	}
	const wantLines = `{"card":"c1","label_time":"2026-01-31T12:01:00Z","fraud":true,"score":1.1,"id":"12345678901234567890",` +
		`"count_1h":1,"mean_90d":1.5,"last_merchant":"the \"pub\", Ely","first_seen":"2026-01-31T12:00:00.000000Z","large":false,"cents":150}
{"card":"nobody","label_time":"2026-01-31T12:00:00Z","fraud":null,"score":null,"id":null,` +
		`"count_1h":0,"mean_90d":null,"last_merchant":null,"first_seen":null,"large":null,"cents":null}
{"card":"c2","label_time":"2026-01-31T12:00:30Z","fraud":false,"score":2,"id":"1",` +
		`"count_1h":1,"mean_90d":"Infinity","last_merchant":"bakery","first_seen":"2026-01-31T12:00:00.000000Z","large":true,"cents":2147483647}
`
	if string(lines) != wantLines {
		t.Errorf("got\n%s\nwant\n%s", lines, wantLines)
	}
}

func readTable(t *testing.T, path string) arrow.Table {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	table, err := pqarrow.ReadTable(t.Context(), file, nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestParquetTypes reads keys and times as other programs write them.
func TestParquetTypes(t *testing.T) {
	nanos := &arrow.TimestampType{Unit: arrow.Nanosecond}
	millis := &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "Europe/Paris"}
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	path := filepath.Join(t.TempDir(), "labels.parquet")
	writeTable(t, path, []arrow.Field{
		{Name: "card", Type: dictionary},
		{Name: "label_time", Type: nanos},
		{Name: "seen", Type: millis, Nullable: true},
		{Name: "weight", Type: arrow.PrimitiveTypes.Float64},
		{Name: "big", Type: arrow.BinaryTypes.LargeString},
	}, func(b *array.RecordBuilder) {
		for i, at := range []time.Duration{time.Minute + 999, -time.Hour} {
			if err := b.Field(0).(*array.BinaryDictionaryBuilder).AppendString([]string{"c1", "nobody"}[i]); err != nil {
				t.Fatal(err)
			}
			b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(noon.Add(at).UnixNano()))
			b.Field(3).(*array.Float64Builder).Append([]float64{math.NaN(), -0.5}[i])
			b.Field(4).(*array.LargeStringBuilder).Append("big")
		}
		b.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(noon.UnixMilli()))
		b.Field(2).AppendNull()
	})
	const want = `card,label_time,seen,weight,big,count_1h,mean_90d,last_merchant,first_seen,large,cents
c1,2026-01-31T12:01:00.000000999,2026-01-31T12:00:00Z,NaN,big,1,1.5,"the ""pub"", Ely",2026-01-31T12:00:00.000000Z,false,150
nobody,2026-01-31T11:00:00,,-0.5,big,0,,,,,
`
	if got := read(t, join(t, path, "set.csv")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	table := readTable(t, join(t, path, "set.parquet"))
	defer table.Release()
	for i, want := range []arrow.DataType{dictionary, nanos, millis} {
		if got := table.Schema().Field(i).Type; !arrow.TypeEqual(got, want) {
			t.Errorf("column %d is of type %s, was %s", i, got, want)
		}
	}
}

func writeTable(t *testing.T, path string, fields []arrow.Field, fill func(*array.RecordBuilder)) {
	t.Helper()
	sc := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	fill(b)
	rec := b.NewRecordBatch()
	defer rec.Release()
	table := array.NewTableFromRecords(sc, []arrow.RecordBatch{rec})
	defer table.Release()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	err = pqarrow.WriteTable(table, file, 1<<10, parquet.NewWriterProperties(),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
}

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

func TestDead(t *testing.T) {
	plan := testPlan(t)
	labels, err := ReadLabels(t.Context(), write(t, "l.csv", csvLabels), plan.KeyName, Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Join(t.Context(), plan, labels, testHistory(plan))
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Dead) != 1 || set.Dead[0].Key != "c2" || set.Dead[0].Feature != "cents" {
		t.Errorf("dead answers %+v", set.Dead)
	}
	if set.Rows != 6 || set.Asks != 5 {
		t.Errorf("%d rows of %d asks, want 6 of 5", set.Rows, set.Asks)
	}
}

// TestWriteFails leaves no file behind when the set cannot be written.
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
