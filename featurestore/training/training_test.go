package training

import (
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
