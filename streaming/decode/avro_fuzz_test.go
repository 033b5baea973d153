package decode

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/avro"
)

// FuzzAvro reads arbitrary bytes as a record of the schema nested. What twmb/avro reads from them, when it too skips the
// fields that are no columns, has to come out the same. (One that reads those would take blocks whose size is not what it
// says.) Of bytes that it refuses, those are read all the same that break the schema only within a skipped value.
func FuzzAvro(f *testing.F) {
	writer := avro.MustParse(nested)
	value, err := writer.Encode(nestedValue())
	if err != nil {
		f.Fatal(err)
	}
	peer, err := avro.Resolve(writer, avro.MustParse(`{"type":"record","name":"R","namespace":"n.s","fields":[
		{"name":"n","type":["null","long"]},{"name":"t","type":"string"}]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(value[:len(value)/2])
	f.Add(append(value, 0))
	format := mustAvro(f, nested)
	f.Fuzz(func(t *testing.T, v []byte) {
		if v == nil {
			v = []byte{}
		}
		b := mustBuilder(t, &sample{}, format)
		for row, v := range [][]byte{v, value, v} {
			add(t, b, int64(row), v)
		}
		batch := b.Batch()
		checkRow(t, batch, 0, v)
		got := show(batch, 0)
		if again := show(batch, 2); got != again {
			t.Fatalf("first %s, then %s", got, again)
		}
		var want map[string]any
		rest, err := peer.Decode(v, &want)
		flawed := strings.HasPrefix(got, "flaw: ")
		switch {
		case err != nil || len(rest) > 0:
			if len(rest) > 0 && err == nil && !flawed {
				t.Fatalf("%s, but twmb/avro has %d bytes left", got, len(rest))
			}
		case flawed:
			if text := want["t"].(string); utf8.ValidString(text) {
				t.Fatalf("%s, but twmb/avro reads %v", got, want)
			}
		default:
			text := "t=" + strconv.Quote(want["t"].(string))
			if n, ok := want["n"].(int64); ok {
				text = fmt.Sprintf("n=%d %s", n, text)
			}
			if got != text {
				t.Fatalf("got %s, want %s", got, text)
			}
		}
	})
}
