package lakehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// archiveNamespace holds the tables of topics.
const archiveNamespace = "raw"

// Log is how the records of a topic are laid out.
type Log struct {
	Topic string
	// Schema is the columns of the records, then the coordinates, as schema.Schema.Log has them.
	Schema *arrow.Schema
	// Key and Time are the columns to sort and to partition by; Key holds text. ID is the column that names records,
	// or "".
	Key, Time, ID string
}

// LogOf is the log of a topic whose records have the columns of a source.
func LogOf(topic string, s *schema.Schema) Log {
	name := func(r schema.Role) string {
		if i := s.ByRole(r); i >= 0 {
			return s.Fields[i].Name
		}
		return ""
	}
	return Log{Topic: topic, Schema: s.Log(), Key: name(schema.Key), Time: name(schema.EventTime), ID: name(schema.ID)}
}

// archiveID is the name of a topic's table: the topic's own, with dots and dashes as underscores. Where another topic
// has taken that name ("a.b" and "a_b" ask for the same), a part of the topic's hash follows it. The table's property
// says which topic it holds.
func (l *Lake) archiveID(ctx context.Context, topic string) (table.Identifier, error) {
	if topic == "" {
		return nil, fault.New("topic", "has no name", "name it")
	}
	plain := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, topic)
	id := table.Identifier{archiveNamespace, plain}
	tbl, err := l.load(ctx, id)
	switch {
	case errors.Is(err, catalog.ErrNoSuchTable), errors.Is(err, catalog.ErrNoSuchNamespace):
		return id, nil
	case err != nil:
		return nil, l.explain("table "+joined(id), err)
	case tbl.Properties()[propKind] == kindArchive && tbl.Properties()[propOf] != topic:
		sum := sha256.Sum256([]byte(topic))
		id[1] += "_" + hex.EncodeToString(sum[:4])
	}
	return id, nil
}
