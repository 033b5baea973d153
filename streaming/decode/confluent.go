package decode

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/twmb/avro"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// ErrNoSchema says that a registry answered that it has no Avro schema of that id, so that asking again is of no use.
var ErrNoSchema = errors.New("the registry has no Avro schema of that id")

// Registry knows the schemas that records in Confluent framing name by their ids.
type Registry interface {
	// Schema is the text of a schema, behind the texts of those that it refers to, each behind its own. An error that is
	// not ErrNoSchema says that it could not be had now.
	Schema(ctx context.Context, id int) ([]string, error)
}

// GUIDRegistry is a Registry that knows schemas by their GUIDs too.
type GUIDRegistry interface {
	Registry
	// SchemaByGUID is Schema for a GUID, 32 hexadecimal digits in five groups.
	SchemaByGUID(ctx context.Context, guid string) ([]string, error)
}

// Confluent is the format of values that are a zero byte, the id of a schema in four bytes, big-endian, and one Avro
// record written with that schema. Where the record has the header SchemaHeader, that names the schema instead, by its id
// or, behind a byte that is one, by its GUID, and the value is the Avro record alone. What Avro says of columns and types
// holds here, but since schemas come with the records, a schema that does not fit the columns, cannot be read or does not
// exist makes flaws of its records.
//
// A registry that does not answer makes no flaws: Builder.Add returns its error, and the record waits. Schemas are asked
// for once and then shared by all builders; that there is none of an id is believed for a while only.
func Confluent(r Registry) Format {
	return &confluentFormat{registry: r, writers: map[schemaName]*avro.SchemaNode{}}
}

// The limits of what is remembered of schemas. Ids in broken records are at random.
const (
	maxWriters = 10_000 // schemas, and so many programs
	recheck    = 1_000  // records with an id that does not exist, until the registry is asked again
)

type confluentFormat struct {
	registry Registry
	mu       sync.Mutex
	writers  map[schemaName]*avro.SchemaNode // as the registry gave them; a schema of a name never changes
}

func (f *confluentFormat) decoder(s *schema.Schema) (decoder, error) {
	return &confluentDecoder{format: f, fields: s.Fields, known: map[schemaName]*framed{}}, nil
}

// writer is the schema of that name. Without a lock around the question two builders may both ask, which does no harm.
func (f *confluentFormat) writer(ctx context.Context, name schemaName) (*avro.SchemaNode, error) {
	f.mu.Lock()
	w := f.writers[name]
	f.mu.Unlock()
	if w != nil {
		return w, nil
	}
	texts, err := f.ask(ctx, name)
	if err != nil {
		return nil, err
	}
	if w, err = parseWriter(texts); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSchema, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.writers) >= maxWriters {
		clear(f.writers)
	}
	f.writers[name] = w
	return w, nil
}

func (f *confluentFormat) ask(ctx context.Context, name schemaName) ([]string, error) {
	if name.byGUID {
		r, ok := f.registry.(GUIDRegistry)
		if !ok {
			return nil, ErrNoSchema
		}
		return r.SchemaByGUID(ctx, name.String())
	}
	if name.id > math.MaxInt32 {
		return nil, ErrNoSchema // ids are positive: a registry would not even understand the question
	}
	return f.registry.Schema(ctx, int(name.id))
}

// framed is what a decoder knows of one schema.
type framed struct {
	program *program
	flaw    string // why records with the schema cannot be decoded, or ""
	left    int    // for how many more of them that is believed without asking again; -1 is for all
}

// confluentDecoder decodes framed Avro records.
type confluentDecoder struct {
	avroReader
	format *confluentFormat
	fields []schema.Field
	known  map[schemaName]*framed
	name   schemaName // of last
	last   *framed
}

func (d *confluentDecoder) decode(ctx context.Context, columns []column, row int, header, value []byte) ([]byte, error) {
	name, begin, ok := nameSchema(header, value)
	switch {
	case !ok && header != nil:
		d.text = append(d.text[:0], "Avro: the header "+SchemaHeader+" holds neither the id of a schema nor a GUID"...)
		return d.text, nil
	case !ok:
		d.text = append(d.text[:0], "Avro: the value does not begin with a zero byte and the id of a schema"...)
		return d.text, nil
	}
	s := d.last
	if s == nil || d.name != name {
		var err error
		if s, err = d.lookUp(ctx, name); err != nil {
			return nil, err
		}
		d.last, d.name = s, name
	}
	if s.flaw == "" {
		return d.read(s.program, columns, row, value, begin), nil
	}
	if s.left--; s.left == 0 {
		d.last = nil
		delete(d.known, name)
	}
	d.text = append(d.text[:0], s.flaw...)
	return d.text, nil
}

// lookUp is what is known of the schema, after asking the registry if need be. An error is the registry's silence.
func (d *confluentDecoder) lookUp(ctx context.Context, name schemaName) (*framed, error) {
	if s := d.known[name]; s != nil {
		return s, nil
	}
	s := &framed{left: -1}
	w, err := d.format.writer(ctx, name)
	switch {
	case errors.Is(err, ErrNoSchema):
		s.left = recheck
	case err != nil:
		return nil, err
	default:
		s.program, err = compileAvro(w, d.fields)
	}
	if err != nil {
		s.flaw = fmt.Sprintf("Avro, schema %v: %v", name, err)
	}
	if len(d.known) >= maxWriters {
		clear(d.known)
	}
	d.known[name] = s
	return s, nil
}
