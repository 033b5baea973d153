package decode

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/avro"
)

// TestAvroAgreesWithTwmb writes random values of random schemas with twmb/avro and reads them.
func TestAvroAgreesWithTwmb(t *testing.T) {
	for seed := range uint64(2000) {
		g := &avroGenerator{rng: rand.New(rand.NewPCG(seed, 7))}
		schemaText, columns := g.record()
		peer, err := avro.Parse(schemaText)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, schemaText)
		}
		b := mustBuilder(t, &sample{}, mustAvro(t, schemaText))
		var wants []string
		for range 10 {
			value, want := g.value(columns)
			bytes, err := peer.Encode(value)
			if err != nil {
				t.Fatalf("seed %d: %v of %v\n%s", seed, err, value, schemaText)
			}
			add(t, b, 0, bytes)
			wants = append(wants, want)
		}
		batch := b.Batch()
		for row, want := range wants {
			if got := show(batch, row); got != want {
				t.Fatalf("seed %d: got %s, want %s\n%s", seed, got, want, schemaText)
			}
		}
	}
}

// avroGenerator makes schemas and values.
type avroGenerator struct {
	rng   *rand.Rand
	named int
}

// avroField is a field of a random record: how to make a value, and, of a column, what it is shown as.
type avroField struct {
	name string
	make func() (value any, shown string)
}

// record is a schema with the columns of sample in any order, some absent, with other fields between.
func (g *avroGenerator) record() (text string, fields []avroField) {
	var parts []string
	put := func(name, typ string, value func() (any, string)) {
		parts = append(parts, fmt.Sprintf(`{"name":%q,"type":%s}`, name, typ))
		fields = append(fields, avroField{name, value})
	}
	for _, c := range g.rng.Perm(len(sampleNames)) {
		if g.rng.IntN(3) == 0 {
			typ, value := g.other(3)
			put("other"+strconv.Itoa(c), typ, func() (any, string) { return value(), "" })
		}
		if g.rng.IntN(6) > 0 {
			typ, value := g.column(sampleNames[c])
			if g.rng.IntN(2) == 0 {
				typ, value = g.nullable(typ, value)
			}
			put(sampleNames[c], typ, value)
		}
	}
	return record(strings.Join(parts, ",")), fields
}

var sampleNames = []string{"b", "n", "small", "f", "t", "at"}

// value is a value of the record and the row that it becomes.
func (g *avroGenerator) value(fields []avroField) (map[string]any, string) {
	v, shown := map[string]any{}, map[string]string{}
	for _, f := range fields {
		v[f.name], shown[f.name] = f.make()
	}
	var cells []string
	for _, name := range sampleNames {
		if shown[name] != "" {
			cells = append(cells, name+"="+shown[name])
		}
	}
	return v, strings.Join(cells, " ")
}

func (g *avroGenerator) nullable(typ string, value func() (any, string)) (string, func() (any, string)) {
	orNull := func() (any, string) {
		if g.rng.IntN(3) == 0 {
			return nil, ""
		}
		return value()
	}
	if g.rng.IntN(2) == 0 {
		return "[" + typ + `,"null"]`, orNull
	}
	return `["null",` + typ + "]", orNull
}

// column is one of the types that the column takes.
func (g *avroGenerator) column(name string) (typ string, value func() (any, string)) {
	long := func() int64 { return g.rng.Int64() >> g.rng.IntN(64) * (g.rng.Int64N(2)*2 - 1) }
	showInt := func(v int64) string { return strconv.FormatInt(v, 10) }
	showFloat := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	pick := g.rng.IntN(3)
	switch {
	case name == "b":
		return `"boolean"`, func() (any, string) { v := g.rng.IntN(2) == 0; return v, strconv.FormatBool(v) }
	case name == "n" && pick > 0:
		return `"long"`, func() (any, string) { v := long(); return v, showInt(v) }
	case name == "n" || name == "small":
		return `"int"`, func() (any, string) { v := int32(g.rng.Uint32()); return v, showInt(int64(v)) }
	case name == "f" && pick == 0:
		return `"float"`, func() (any, string) { v := g.rng.Float32() - 0.5; return v, showFloat(float64(v)) }
	case name == "f" && pick == 1:
		return `"long"`, func() (any, string) { v := long(); return v, showFloat(float64(v)) }
	case name == "f":
		return `"double"`, func() (any, string) {
			v := math.Float64frombits(g.rng.Uint64())
			return v, showFloat(v)
		}
	case name == "t" && pick == 0:
		symbols := []string{"UP", "DOWN", "LEFT"}
		return g.name("enum", `"symbols":["UP","DOWN","LEFT"]`), func() (any, string) {
			v := symbols[g.rng.IntN(3)]
			return v, strconv.Quote(v)
		}
	case name == "t":
		return `"string"`, func() (any, string) { v := g.text(); return v, strconv.Quote(v) }
	}
	micros := func() int64 { return g.rng.Int64N(4e15) - 2e15 } // ± 63 years, which nanoseconds hold too
	return []string{
			`{"type":"long","logicalType":"timestamp-millis"}`, `{"type":"long","logicalType":"timestamp-micros"}`,
			`{"type":"long","logicalType":"timestamp-nanos"}`,
		}[pick], func() (any, string) {
			v := micros()
			switch pick {
			case 0:
				return v / 1000, showInt(v / 1000 * 1000)
			case 1:
				return v, showInt(v)
			}
			return v*1000 + g.rng.Int64N(1000), showInt(v)
		}
}

func (g *avroGenerator) name(kind, rest string) string {
	g.named++
	return fmt.Sprintf(`{"type":%q,"name":"T%d",%s}`, kind, g.named, rest)
}

func (g *avroGenerator) text() string {
	return strings.Repeat([]string{"a", "ü", "🎉", "\x00", "longer "}[g.rng.IntN(5)], g.rng.IntN(40))
}

// other is any type, nested at most so deep, and its values.
func (g *avroGenerator) other(depth int) (typ string, value func() any) {
	n := 10
	if depth == 0 {
		n = 7
	}
	switch g.rng.IntN(n) {
	case 0:
		return `"null"`, func() any { return nil }
	case 1:
		return `"boolean"`, func() any { return true }
	case 2:
		return `"long"`, func() any { return g.rng.Int64() }
	case 3:
		return `"float"`, func() any { return g.rng.Float32() }
	case 4:
		return `"bytes"`, func() any { return []byte(g.text()) }
	case 5:
		return g.name("fixed", `"size":3`), func() any { return [3]byte{1, 2, 3} }
	case 6:
		return g.name("enum", `"symbols":["A"]`), func() any { return "A" }
	case 7:
		typ, item := g.other(depth - 1)
		return `{"type":"array","items":` + typ + `}`, func() any {
			items := make([]any, g.rng.IntN(5))
			for i := range items {
				items[i] = item()
			}
			return items
		}
	case 8:
		typ, item := g.other(depth - 1)
		return `{"type":"map","values":` + typ + `}`, func() any {
			items := map[string]any{}
			for range g.rng.IntN(5) {
				items[g.text()] = item()
			}
			return items
		}
	}
	var parts []string
	makers := map[string]func() any{}
	for i := range g.rng.IntN(4) {
		typ, item := g.other(depth - 1)
		name := "x" + strconv.Itoa(i)
		parts = append(parts, fmt.Sprintf(`{"name":%q,"type":%s}`, name, typ))
		makers[name] = item
	}
	return g.name("record", `"fields":[`+strings.Join(parts, ",")+`]`), func() any {
		v := map[string]any{}
		for name, item := range makers {
			v[name] = item()
		}
		return v
	}
}
