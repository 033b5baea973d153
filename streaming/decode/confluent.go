package decode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/twmb/avro"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// ErrNoSchema says that a registry answered that it has no Avro schema of that id, so that asking again is of no use.
var ErrNoSchema = errors.New("the registry has no Avro schema of that id")

// Registry knows the schemas that values in Confluent framing name by their ids.
type Registry interface {
	// Schema is the text of a schema, behind the texts of those that it refers to, each behind its own. An error that is
	// not ErrNoSchema says that it could not be had now.
	Schema(ctx context.Context, id int) ([]string, error)
}

// Confluent is the format of values that are a zero byte, the id of a schema in four bytes, big-endian, and one Avro
// record written with that schema. What Avro says of columns and types holds here, but since schemas come with the
// records, a schema that does not fit the columns, cannot be read or does not exist makes flaws of its records.
//
// A registry that does not answer makes no flaws: Builder.Add returns its error, and the record waits. Schemas are asked
// for once and then shared by all builders; that there is none of an id is believed for a while only.
func Confluent(r Registry) Format {
	return &confluentFormat{registry: r, writers: map[uint32]*avro.SchemaNode{}}
}

// The limits of what is remembered of schemas. Ids in broken records are at random.
const (
	maxWriters = 10_000 // schemas, and so many programs
	recheck    = 1_000  // records with an id that does not exist, until the registry is asked again
)

type confluentFormat struct {
	registry Registry
	mu       sync.Mutex
	writers  map[uint32]*avro.SchemaNode // as the registry gave them; a schema of an id never changes
}

func (f *confluentFormat) decoder(s *schema.Schema) (decoder, error) {
	return &confluentDecoder{format: f, fields: s.Fields, known: map[uint32]*framed{}}, nil
}

// writer is the schema of that id. Without a lock around the question two builders may both ask, which does no harm.
func (f *confluentFormat) writer(ctx context.Context, id uint32) (*avro.SchemaNode, error) {
	f.mu.Lock()
	w := f.writers[id]
	f.mu.Unlock()
	if w != nil {
		return w, nil
	}
	if id > math.MaxInt32 {
		return nil, ErrNoSchema // ids are positive: a registry would not even understand the question
	}
	texts, err := f.registry.Schema(ctx, int(id))
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
	f.writers[id] = w
	return w, nil
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
	known  map[uint32]*framed
	id     uint32 // of last
	last   *framed
}

const frameLen = 5

func (d *confluentDecoder) decode(ctx context.Context, columns []column, row int, value []byte) ([]byte, error) {
	if len(value) < frameLen || value[0] != 0 {
		d.text = append(d.text[:0], "Avro: the value does not begin with a zero byte and the id of a schema"...)
		return d.text, nil
	}
	id := binary.BigEndian.Uint32(value[1:])
	s := d.last
	if s == nil || d.id != id {
		var err error
		if s, err = d.lookUp(ctx, id); err != nil {
			return nil, err
		}
		d.last, d.id = s, id
	}
	if s.flaw == "" {
		return d.read(s.program, columns, row, value, frameLen), nil
	}
	if s.left--; s.left == 0 {
		d.last = nil
		delete(d.known, id)
	}
	d.text = append(d.text[:0], s.flaw...)
	return d.text, nil
}

// lookUp is what is known of the schema, after asking the registry if need be. An error is the registry's silence.
func (d *confluentDecoder) lookUp(ctx context.Context, id uint32) (*framed, error) {
	if s := d.known[id]; s != nil {
		return s, nil
	}
	s := &framed{left: -1}
	w, err := d.format.writer(ctx, id)
	switch {
	case errors.Is(err, ErrNoSchema):
		s.left = recheck
	case err != nil:
		return nil, err
	default:
		s.program, err = compileAvro(w, d.fields)
	}
	if err != nil {
		s.flaw = fmt.Sprintf("Avro, schema %d: %v", id, err)
	}
	if len(d.known) >= maxWriters {
		clear(d.known)
	}
	d.known[id] = s
	return s, nil
}
