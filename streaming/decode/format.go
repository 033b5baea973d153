package decode

import (
	"context"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// Format is how the values of a topic are encoded: JSON, Avro or Confluent. One Format serves any number of builders, also
// concurrently.
type Format interface {
	decoder(s *schema.Schema) (decoder, error)
}

// decoder decodes the values of one source for one builder.
type decoder interface {
	// decode writes one row of every column. The header is that of SchemaHeader, nil if the record has none. When the value cannot be decoded it returns why (valid until the next call),
	// and whatever it has written of the row is wiped by the caller. When it returns an error it has written nothing.
	decode(ctx context.Context, columns []column, row int, header, value []byte) (flaw []byte, err error)
}
