package decode

import (
	"context"

	"github.com/twmb/avro"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Avro is the format of values that are one Avro record each, bare, all written with the schema of the given text. Texts
// before the last define named types that later ones refer to.
//
// A column is the record's field of its name; fields that are no columns are skipped, whatever their type, and a column
// without a field is null. A column takes these types, alone or within a union, whose null is null:
//
//   - Bool: boolean.
//   - Int: int and long, whatever their logical type, within the range of the Go type.
//   - Float: double and float, exactly; int and long, correctly rounded.
//   - Text: string; bytes, if they are UTF-8 and no decimal; enum, by its symbol.
//   - Time: long with the logical type timestamp-millis, timestamp-micros or timestamp-nanos, floored to the microsecond,
//     within the years 0 to 9999. Local timestamps are no points in time.
//
// A field that cannot fill its column is a fault when the builder is made. A union needs one branch that can; a record
// that comes with another branch has a flaw, as has one with bytes left over behind it.
func Avro(schemas ...string) (Format, error) {
	w, err := parseWriter(schemas)
	if err != nil {
		return nil, fault.Wrap(err, "Avro schema", "cannot be read", "give the schema of a record, as JSON")
	}
	return avroFormat{writer: w}, nil
}

type avroFormat struct{ writer *avro.SchemaNode }

// parseWriter reads the last schema, which is the writer's, and those before it, which it refers to.
func parseWriter(schemas []string) (*avro.SchemaNode, error) {
	var cache avro.SchemaCache
	var last *avro.Schema
	for _, text := range schemas {
		s, err := cache.Parse(text)
		if err != nil {
			return nil, err
		}
		last = s
	}
	if last == nil {
		return nil, fault.New("Avro schema", "is missing", "")
	}
	root := last.Root()
	if root.Type != "record" {
		return nil, fault.New("Avro schema", "is of type "+root.Type, "")
	}
	return root, nil
}

func (f avroFormat) decoder(s *schema.Schema) (decoder, error) {
	p, err := compileAvro(f.writer, s.Fields)
	if err != nil {
		return nil, err
	}
	return &avroDecoder{own: p}, nil
}

// avroDecoder decodes bare Avro records of one schema.
type avroDecoder struct {
	avroReader
	own *program
}

func (d *avroDecoder) decode(_ context.Context, columns []column, row int, _, value []byte) ([]byte, error) {
	return d.read(d.own, columns, row, value, 0), nil
}
