package load

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/internal/fault"
)

// parquetOf writes rows, given as a JSON array, to a file of row groups of the given length.
func parquetOf(t testing.TB, s *arrow.Schema, rows string, group int64) string {
	t.Helper()
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Release()
	path := t.TempDir() + "/f.parquet"
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(s, f, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(group), parquet.WithCompression(compress.Codecs.Zstd)),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParquetValues(t *testing.T) {
	field := func(name string, typ arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: typ, Nullable: true}
	}
	s := arrow.NewSchema([]arrow.Field{
		field("k", arrow.BinaryTypes.String),
		field("b", arrow.FixedWidthTypes.Boolean),
		field("i8", arrow.PrimitiveTypes.Int8), field("i16", arrow.PrimitiveTypes.Int16),
		field("i32", arrow.PrimitiveTypes.Int32), field("i64", arrow.PrimitiveTypes.Int64),
		field("u8", arrow.PrimitiveTypes.Uint8), field("u16", arrow.PrimitiveTypes.Uint16),
		field("u32", arrow.PrimitiveTypes.Uint32), field("u64", arrow.PrimitiveTypes.Uint64),
		field("f32", arrow.PrimitiveTypes.Float32), field("f64", arrow.PrimitiveTypes.Float64),
		field("dec", &arrow.Decimal128Type{Precision: 20, Scale: 2}),
		field("raw", arrow.BinaryTypes.Binary),
		field("large", arrow.BinaryTypes.LargeString),
		field("dict", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}),
		field("day", arrow.FixedWidthTypes.Date32),
		field("ms", &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}),
		field("us", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Zurich"}),
		field("ns", &arrow.TimestampType{Unit: arrow.Nanosecond}),
	}, nil)
	path := parquetOf(t, s, `[
		{"k":"a\"\n€","b":true,"i8":-128,"i16":-32768,"i32":-2147483648,"i64":-9223372036854775808,
		 "u8":255,"u16":65535,"u32":4294967295,"u64":18446744073709551615,"f32":0.5,"f64":1e300,"dec":"-12.30","raw":"eA==","large":"l","dict":"d",
		 "day":"1969-12-31","ms":"2026-01-07T10:12:13.5Z","us":"2026-01-07T10:12:13.123456Z","ns":"1969-12-31T23:59:59.999999999"},
		{},
		{"k":"","dict":"d","raw":"/w==","f64":-0.0,"f32":0.1}]`, 2)
	_, got := records(t, path, routed0("k"), nil)
	want := `1 {"k":"a\"\n€","b":true,"i8":-128,"i16":-32768,"i32":-2147483648,"i64":-9223372036854775808,` +
		`"u8":255,"u16":65535,"u32":4294967295,"u64":18446744073709551615,"f32":0.5,"f64":1e+300,"dec":-12.30,"raw":"x","large":"l","dict":"d",` +
		`"day":"1969-12-31","ms":"2026-01-07T10:12:13.500000Z","us":"2026-01-07T10:12:13.123456Z","ns":"1969-12-31T23:59:59.999999Z"}
2 {"k":null,"b":null,"i8":null,"i16":null,"i32":null,"i64":null,"u8":null,"u16":null,"u32":null,"u64":null,"f32":null,"f64":null,"dec":null,` +
		`"raw":null,"large":null,"dict":null,"day":null,"ms":null,"us":null,"ns":null}
3 {"k":"","b":null,"i8":null,"i16":null,"i32":null,"i64":null,"u8":null,"u16":null,"u32":null,"u64":null,"f32":0.10000000149011612,"f64":-0,"dec":null,` +
		"\"raw\":\"\xff\",\"large\":null,\"dict\":\"d\",\"day\":null,\"ms\":null,\"us\":null,\"ns\":null}" + `
  malformed: column "raw": cannot be written as JSON, because it is not UTF-8 or lies outside the years 0 to 9999
`
	if got != want {
		t.Errorf("have\n%s\nwant\n%s", got, want)
	}
}

func routed0(key string) [routingFields]string { return [routingFields]string{keyField: key} }

var events = arrow.NewSchema([]arrow.Field{
	{Name: "card", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
	{Name: "p", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
}, nil)

func TestParquetRouting(t *testing.T) {
	_, client := broker(t)
	path := parquetOf(t, events, `[
		{"card":"a","at":"2026-01-07T10:12:13.000999Z","p":1,"n":1.5},
		{"card":null,"at":"2026-01-07T10:12:14Z","p":0},
		{"card":"","at":"2026-01-07T10:12:15Z","p":1,"n":3}]`, 1)
	c := Config{Client: client, Topic: "t", Files: []string{path}, Schema: orders(t), PartitionField: "p", TimestampField: "at", Partitions: 2}
	got, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	want := `0/0 2026-01-07T10:12:14.000Z null {"card":null,"at":"2026-01-07T10:12:14.000000Z","p":0,"n":null}
1/0 2026-01-07T10:12:13.000Z "a" {"card":"a","at":"2026-01-07T10:12:13.000999Z","p":1,"n":1.5}
1/1 2026-01-07T10:12:15.000Z "" {"card":"","at":"2026-01-07T10:12:15.000000Z","p":1,"n":3}
`
	if have := show(consume(t, client, "t", 3)); have != want {
		t.Errorf("the topic holds\n%swant\n%s", have, want)
	}
	if got.NullKeys != 1 {
		t.Errorf("%+v", got)
	}
	// An integer, a boolean or nothing as the key or the timestamp.
	path = parquetOf(t, events, `[{"card":"a","p":7},{"card":"a"}]`, 1)
	c = Config{Client: client, Topic: "u", Files: []string{path}, KeyField: "p", TimestampField: "p"}
	if _, err = Run(t.Context(), c); err == nil {
		t.Error("a null timestamp was taken")
	}
	wantError(t, err, path+`:2: the timestamp field "p": is null`)
	if r := consume(t, client, "u", 1); !strings.Contains(show(r), `/0 1970-01-01T00:00:00.000Z "7" {"card":"a","at":null,"p":7,"n":null}`) {
		t.Error(show(r))
	}
}

func TestRefusedParquet(t *testing.T) {
	nested := arrow.NewSchema([]arrow.Field{
		{Name: "k", Type: arrow.BinaryTypes.String},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		{Name: "span", Type: arrow.FixedWidthTypes.Time64us, Nullable: true},
	}, nil)
	path := parquetOf(t, nested, `[{"k":"a"}]`, 1)
	_, err := open(path, routed0("x"), nil)
	for _, want := range []string{
		`f.parquet: has a column "tags" of the type list<element: utf8, nullable>, which cannot be sent; leave it out, or make it`,
		`f.parquet: has a column "span" of the type time64[us], which cannot be sent`,
		`f.parquet: has no column "x", the key field; choose one of its columns: ["k" "tags" "span"]`,
	} {
		wantError(t, err, want)
	}
	if _, got := records(t, parquetOf(t, events, `[]`, 1), routed0("card"), nil); got != "" {
		t.Errorf("an empty file holds %s", got)
	}
	for _, content := range []string{"", "PAR1", "PAR1PAR1", strings.Repeat("x", 1000)} {
		path := write(t, "f.parquet", content)
		_, err := open(path, routed0("k"), nil)
		wantError(t, err, path+": cannot be read (")
	}
}

// TestDamagedParquet turns bytes over: that is an error or other values, but no panic, and never fewer rows in silence.
func TestDamagedParquet(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("[")
	for i := range 300 {
		if i > 0 {
			rows.WriteString(",")
		}
		rows.WriteString(`{"card":"c` + strings.Repeat("x", i%7) + `","at":"2026-01-07T10:12:13Z","p":1,"n":1.5}`)
	}
	rows.WriteString("]")
	whole, err := os.ReadFile(parquetOf(t, events, rows.String(), 100))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	path := t.TempDir() + "/f.parquet"
	failed := 0
	for range 1000 {
		damaged := append([]byte{}, whole...)
		for range 1 + rng.IntN(3) {
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
		}
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		src, err := open(path, routed0(""), nil)
		n := int64(0)
		if err == nil {
			var r record
			for err = src.next(&r); err == nil; err = src.next(&r) {
				n++
			}
			if promised := src.(*parquetFile).rows; err == io.EOF && n != promised {
				t.Fatalf("%d rows of %d, and no error", n, promised)
			}
			src.close()
		}
		var f *fault.Error
		if err != io.EOF && !errors.As(err, &f) {
			t.Fatalf("error without a remedy: %v", err)
		}
		if err != io.EOF {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed, so that this shows nothing")
	}
}
