package decode

import (
	"math"
	"strings"
	"testing"

	"github.com/twmb/avro"
)

// record is the schema of a record with the given fields.
func record(fields string) string {
	return `{"type":"record","name":"R","namespace":"n.s","fields":[` + fields + `]}`
}

func TestAvroTypes(t *testing.T) {
	long := func(v int64) []byte { return AppendLong(nil, v) }
	text := func(v string) []byte { return AppendText(nil, v) }
	float := func(v float32) []byte {
		u := math.Float32bits(v)
		return []byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)}
	}
	branch := func(n int64, value []byte) []byte { return append(long(n), value...) }
	for _, c := range []struct {
		field string // its name and type
		value []byte
		want  string
	}{
		{`"b","type":"boolean"`, AppendBool(nil, true), `b=true`},
		{`"b","type":"boolean"`, AppendBool(nil, false), `b=false`},
		{`"b","type":"boolean"`, []byte{2}, `flaw: Avro, field b, byte 0: expected a boolean, found 0x02`},
		{`"b","type":"boolean"`, []byte{}, `flaw: Avro, field b, byte 0: expected a boolean, but the value ends`},
		{`"n","type":"null"`, nil, ``},

		{`"n","type":"int"`, long(-5), `n=-5`},
		{`"n","type":"long"`, long(math.MinInt64), `n=-9223372036854775808`},
		{`"n","type":"long"`, long(math.MaxInt64), `n=9223372036854775807`},
		{`"n","type":{"type":"long","logicalType":"timestamp-millis"}`, long(7), `n=7`},
		{`"n","type":"long"`, []byte{0x80, 0x80}, `flaw: Avro, field n, byte 0: expected an int or a long, found 0x8080`},
		{
			`"n","type":"long"`, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
			`flaw: Avro, field n, byte 0: expected an int or a long, found 0xffffffffffffffff`,
		},
		{`"n","type":"long"`, append(long(1), 2, 3), `flaw: Avro, byte 1: the record ends, found 2 more bytes`},
		{`"small","type":"long"`, long(math.MaxInt32), `small=2147483647`},
		{
			`"small","type":"long"`, long(math.MaxInt32 + 1),
			`flaw: column small: found 2147483648, expected an integer from -2147483648 to 2147483647`,
		},

		{`"f","type":"double"`, AppendDouble(nil, 0.1), `f=0.1`},
		{`"f","type":"double"`, AppendDouble(nil, math.NaN()), `f=NaN`},
		{`"f","type":"double"`, AppendDouble(nil, math.Copysign(0, -1)), `f=-0`},
		{`"f","type":"double"`, make([]byte, 7), `flaw: Avro, field f, byte 7: expected a double, but the value ends`},
		{`"f","type":"float"`, float(0.1), `f=0.10000000149011612`},
		{`"f","type":"float"`, make([]byte, 3), `flaw: Avro, field f, byte 3: expected a float, but the value ends`},
		{`"f","type":"int"`, long(3), `f=3`},
		{`"f","type":"long"`, long(9007199254740993), `f=9.007199254740992e+15`},

		{`"t","type":"string"`, text("Zürich"), `t="Zürich"`},
		{`"t","type":"string"`, text(""), `t=""`},
		{`"t","type":{"type":"string","logicalType":"uuid"}`, text("u"), `t="u"`},
		{`"t","type":"bytes"`, text("bytes"), `t="bytes"`},
		{`"t","type":"string"`, text("a\xffb"), `flaw: column t: found a\xffb, expected UTF-8`},
		{`"t","type":"string"`, long(-1), `flaw: Avro, field t, byte 0: expected a length, found 0x01`},
		{
			`"t","type":"string"`, long(math.MaxInt64),
			`flaw: Avro, field t, byte 10: expected as many bytes as their length says, but the value ends`,
		},
		{`"t","type":{"type":"enum","name":"E","symbols":["UP","DOWN"]}`, long(1), `t="DOWN"`},
		{
			`"t","type":{"type":"enum","name":"E","symbols":["UP","DOWN"]}`, long(2),
			`flaw: Avro, field t, byte 0: expected the index of a symbol, found 0x04`,
		},
		{
			`"t","type":{"type":"enum","name":"E","symbols":["UP","DOWN"]}`, long(-1),
			`flaw: Avro, field t, byte 0: expected the index of a symbol, found 0x01`,
		},

		{`"at","type":{"type":"long","logicalType":"timestamp-micros"}`, long(-1), `at=-1`},
		{
			`"at","type":{"type":"long","logicalType":"timestamp-micros"}`, long(maxTime + 1),
			`flaw: column at: found 253402300800000000, expected an integer from -62167219200000000 to 253402300799999999`,
		},
		{`"at","type":{"type":"long","logicalType":"timestamp-millis"}`, long(-1), `at=-1000`},
		{`"at","type":{"type":"long","logicalType":"timestamp-millis"}`, long(maxTime / 1000), `at=253402300799999000`},
		{
			`"at","type":{"type":"long","logicalType":"timestamp-millis"}`, long(math.MinInt64),
			`flaw: column at: found -9223372036854775808, expected an integer from -62167219200000 to 253402300799999`,
		},
		{`"at","type":{"type":"long","logicalType":"timestamp-nanos"}`, long(1999), `at=1`},
		{`"at","type":{"type":"long","logicalType":"timestamp-nanos"}`, long(-1), `at=-1`},
		{`"at","type":{"type":"long","logicalType":"timestamp-nanos"}`, long(-1000), `at=-1`},
		{`"at","type":{"type":"long","logicalType":"timestamp-nanos"}`, long(math.MinInt64), `at=-9223372036854776`},
		{`"at","type":"long","logicalType":"timestamp-millis"`, long(2), `at=2000`},
		{`"at","type":["null","long"],"logicalType":"timestamp-millis"`, branch(1, long(2)), `at=2000`},

		{`"n","type":["null","long"]`, branch(1, long(8)), `n=8`},
		{`"n","type":["null","long"]`, branch(0, nil), ``},
		{`"n","type":["long","null"]`, branch(0, long(8)), `n=8`},
		{`"n","type":["long","null"]`, branch(1, nil), ``},
		{`"n","type":["null"]`, branch(0, nil), ``},
		{`"n","type":["long"]`, branch(0, long(8)), `n=8`},
		{
			`"n","type":["null","long"]`, branch(2, long(8)),
			`flaw: Avro, field n, byte 0: expected the index of a branch, found 0x0410`,
		},
		{
			`"n","type":["null","long"]`, branch(-1, nil),
			`flaw: Avro, field n, byte 0: expected the index of a branch, found 0x01`,
		},
		{`"n","type":["null","long"]`, branch(1, nil), `flaw: Avro, field n, byte 1: expected an int or a long, but the value ends`},
		{`"n","type":["null","int","string","long"]`, branch(3, long(8)), `n=8`},
		{`"n","type":["null","int","string","long"]`, branch(2, text("8")), `flaw: column n: found string, expected int or long`},
		{`"t","type":["null",{"type":"enum","name":"E","symbols":["UP","DOWN"]},"string"]`, branch(1, long(0)), `t="UP"`},
	} {
		b := mustBuilder(t, &sample{}, mustAvro(t, record(`{"name":`+c.field+`}`)))
		if c.value == nil {
			c.value = []byte{}
		}
		if got := decodeOne(t, b, c.value); got != c.want {
			t.Errorf("%s, % x\n got %s\nwant %s", c.field, c.value, got, c.want)
		}
	}
}

func TestAvroFaults(t *testing.T) {
	for _, c := range []struct {
		field string
		want  string // in the fault; "" is none
	}{
		{`"n","type":"string"`, `column n: is int, but the Avro schema has string; write it as int or long`},
		{`"n","type":"double"`, `column n: is int, but the Avro schema has double`},
		{`"n","type":["null","string"]`, `column n: is int, but the Avro schema has a union of null, string`},
		{`"b","type":"int"`, `column b: is bool, but the Avro schema has int; write it as boolean`},
		{`"f","type":"string"`, `column f: is float, but the Avro schema has string`},
		{`"t","type":"long"`, `column t: is text, but the Avro schema has long`},
		{
			`"t","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`,
			`column t: is text, but the Avro schema has bytes (decimal)`,
		},
		{`"t","type":{"type":"fixed","name":"F","size":4}`, `column t: is text, but the Avro schema has fixed n.s.F`},
		{`"t","type":{"type":"array","items":"string"}`, `column t: is text, but the Avro schema has array`},
		{`"t","type":{"type":"record","name":"Q","fields":[]}`, `column t: is text, but the Avro schema has record n.s.Q`},
		{
			`"t","type":{"type":"enum","name":"E","symbols":["` + strings.Repeat("S", maxSymbol+1) + `"]}`,
			`column t: is text, but the Avro schema has enum n.s.E with a symbol of more than 512 bytes`,
		},
		{`"at","type":"long"`, `column at: is time, but the Avro schema has long; ` +
			`write it as long with the logical type timestamp-millis, timestamp-micros or timestamp-nanos`},
		{
			`"at","type":{"type":"long","logicalType":"local-timestamp-micros"}`,
			`column at: is time, but the Avro schema has long (local-timestamp-micros)`,
		},
		{`"at","type":{"type":"int","logicalType":"date"}`, `column at: is time, but the Avro schema has int (date)`},
		{`"other","type":{"type":"int","logicalType":"date"}`, ``},
	} {
		_, err := NewBuilder(mustSchema(t, &sample{}), mustAvro(t, record(`{"name":`+c.field+`}`)))
		if c.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.field, err, c.want)
		}
	}
	_, err := NewBuilder(mustSchema(t, &sample{}),
		mustAvro(t, record(`{"name":"n","type":"string"},{"name":"b","type":"string"}`)))
	if err == nil || strings.Count(err.Error(), "but the Avro schema has") != 2 {
		t.Errorf("two faults are reported as %v", err)
	}
	for _, text := range []string{``, `{`, `"string"`, `{"type":"record","name":"R"}`, record(`{"name":"n","type":"Unknown"}`)} {
		if _, err := Avro(text); err == nil || !strings.Contains(err.Error(), "Avro schema: cannot be read") {
			t.Errorf("%s gives %v", text, err)
		}
	}
	if _, err := Avro(); err == nil {
		t.Error("no schema at all is taken")
	}
}

// nested has fields of every type around two that are columns, recursive and empty types among them.
const nested = `{"type":"record","name":"R","namespace":"n.s","fields":[
	{"name":"nothing","type":"null"},
	{"name":"empty","type":{"type":"record","name":"Empty","fields":[{"name":"x","type":"null"}]}},
	{"name":"yes","type":"boolean"},
	{"name":"i","type":"int"},
	{"name":"n","type":["null","long"]},
	{"name":"fl","type":"float"},
	{"name":"d","type":"double"},
	{"name":"s","type":"string"},
	{"name":"by","type":{"type":"bytes","logicalType":"decimal","precision":9}},
	{"name":"fx","type":{"type":"fixed","name":"Four","size":4}},
	{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
	{"name":"arr","type":{"type":"array","items":["null","E","n.s.Four"]}},
	{"name":"empties","type":{"type":"array","items":"Empty"}},
	{"name":"m","type":{"type":"map","values":{"type":"array","items":"long"}}},
	{"name":"u","type":["string",{"type":"map","values":"double"},"boolean"]},
	{"name":"list","type":["null",{"type":"record","name":"List","fields":[
		{"name":"head","type":"string"},{"name":"tail","type":["null","List"]}]}]},
	{"name":"again","type":["null","n.s.List"]},
	{"name":"t","type":"string"}]}`

// nestedValue is a value of the schema nested, as twmb/avro takes it.
func nestedValue() map[string]any {
	list := map[string]any{"head": "a", "tail": map[string]any{"head": "b", "tail": nil}}
	return map[string]any{
		"nothing": nil, "empty": map[string]any{"x": nil}, "yes": true, "i": int32(300), "n": int64(-12), "fl": float32(1),
		"d": 2.5, "s": "skipped", "by": []byte{1, 2}, "fx": [4]byte{1, 2, 3, 4}, "e": "B",
		"arr": []any{nil, "B", [4]byte{9, 9, 9, 9}}, "empties": []any{map[string]any{"x": nil}, map[string]any{"x": nil}},
		"m": map[string]any{"k": []any{int64(1), int64(1 << 40)}, "": []any{}}, "u": map[string]any{"k": 1.5},
		"list": list, "again": nil, "t": "last",
	}
}

func TestAvroSkips(t *testing.T) {
	value, err := avro.MustParse(nested).Encode(nestedValue())
	if err != nil {
		t.Fatal(err)
	}
	b := mustBuilder(t, &sample{}, mustAvro(t, nested))
	if got, want := decodeOne(t, b, value), `n=-12 t="last"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for n := range value {
		if got := decodeOne(t, b, value[:n]); !strings.HasPrefix(got, "flaw: Avro, field ") {
			t.Errorf("the first %d of %d bytes become %s", n, len(value), got)
		}
	}
}

// TestAvroBlocks skips arrays written in every form that Avro allows, and some that only look like one.
func TestAvroBlocks(t *testing.T) {
	long := AppendLong
	sized := append(long(long(nil, -2), 3), 0x02, 0x80, 0x01) // two items in three bytes
	plain := append(long(nil, 2), 0x02, 0x04)
	tail := AppendText(nil, "t")
	for _, c := range []struct {
		items string
		value []byte
		want  string
	}{
		{`"long"`, long(nil, 0), `t="t"`},
		{`"long"`, long(append(append([]byte{}, sized...), plain...), 0), `t="t"`},
		{`"null"`, long(long(long(nil, math.MaxInt64), math.MaxInt64), 0), `t="t"`}, // no bytes, so no work
		{`"long"`, long(nil, math.MaxInt64), `flaw: Avro, field a, byte 12: expected an int or a long, but the value ends`},
		{`"long"`, long(long(nil, math.MinInt64), 4), `flaw: Avro, field a, byte 13: expected as many bytes as their length says, but the value ends`},
		{`"long"`, long(long(nil, -1), -1), `flaw: Avro, field a, byte 1: expected a length, found 0x010274`},
		{`"long"`, long(nil, -1)[:0], `flaw: Avro, field a, byte 2: expected the count of a block, but the value ends`},
	} {
		b := mustBuilder(t, &sample{}, mustAvro(t, record(`{"name":"a","type":{"type":"array","items":`+c.items+`}},
			{"name":"t","type":"string"}`)))
		if got := decodeOne(t, b, append(c.value, tail...)); got != c.want {
			t.Errorf("% x\n got %s\nwant %s", c.value, got, c.want)
		}
	}
}

// TestAvroNesting reads values and types that nest without end.
func TestAvroNesting(t *testing.T) {
	list := `{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}`
	chain := func(n int) []byte { return append([]byte(strings.Repeat("\x02", n)), 0) }
	b := mustBuilder(t, &sample{}, mustAvro(t, list))
	if got := decodeOne(t, b, chain(100)); got != "" {
		t.Error(got)
	}
	if got := decodeOne(t, b, chain(1_000_000)); !strings.Contains(got, "expected less nesting") {
		t.Error(got)
	}
	endless := mustBuilder(t, &sample{}, mustAvro(t, `{"type":"record","name":"A","fields":[{"name":"x","type":"A"}]}`))
	if got := decodeOne(t, endless, []byte{1}); !strings.Contains(got, "expected less nesting") {
		t.Error(got)
	}
	// Each type holds the one before twice, and none of them a byte: to walk through them would take for ever.
	doubled := `{"type":"record","name":"E0","fields":[]}`
	for i := range 60 {
		doubled = strings.NewReplacer("INNER", doubled, "N0", "E"+string(rune('A'+i/26))+string(rune('a'+i%26))).Replace(
			`{"type":"record","name":"N0","fields":[{"name":"x","type":INNER},{"name":"y","type":"LAST"}]}`)
		last := "E0"
		if i > 0 {
			last = "E" + string(rune('A'+(i-1)/26)) + string(rune('a'+(i-1)%26))
		}
		doubled = strings.ReplaceAll(doubled, "LAST", last)
	}
	if got := decodeOne(t, mustBuilder(t, &sample{}, mustAvro(t, doubled)), []byte{}); got != "" {
		t.Error(got)
	}
}

// TestAvroReferences finds named types across namespaces and across schemas.
func TestAvroReferences(t *testing.T) {
	status := `{"type":"enum","name":"Status","namespace":"a.b","symbols":["ON","OFF"]}`
	r := `{"type":"record","name":"R","namespace":"c","fields":[
		{"name":"x","type":{"type":"record","name":"Status","fields":[{"name":"y","type":"a.b.Status"}]}},
		{"name":"skipped","type":"Status"},
		{"name":"t","type":["null","a.b.Status"]}]}`
	b := mustBuilder(t, &sample{}, mustAvro(t, status, r))
	if got, want := decodeOne(t, b, []byte{0, 2, 2, 2}), `t="OFF"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
