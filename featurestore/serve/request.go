package serve

import (
	"bytes"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// request is a request of Feast's. What it holds lies in the body that it was read from, and in its own memory.
type request struct {
	entities []entityColumn
	features [][]byte
	service  []byte
	full     bool // names in the answer are view__feature
	asOf     int64
	hasAsOf  bool
	text     []byte
	given    []string // members that have been read
}

// entityColumn is the keys of one entity.
type entityColumn struct {
	name []byte
	keys [][]byte
}

// read reads the body, in place of what the request held before. Members that are not known are read over.
func (q *request) read(body []byte) error {
	q.entities, q.features, q.given = q.entities[:0], q.features[:0], q.given[:0]
	q.service, q.full, q.hasAsOf = nil, false, false
	if !utf8.Valid(body) {
		return &syntaxError{0, "the body is not UTF-8"}
	}
	s := &scanner{b: body, text: q.text[:0]}
	err := s.object("the body", func(name []byte) error { return q.member(s, name) })
	q.text = s.text
	if err != nil {
		return err
	}
	return s.end()
}

func (q *request) member(s *scanner, name []byte) error {
	var read func(*scanner) error
	var member string
	switch string(name) {
	case "entities":
		member, read = "entities", q.readEntities
	case "features":
		member, read = "features", q.readFeatures
	case "feature_service":
		member, read = "feature_service", q.readService
	case "full_feature_names":
		member, read = "full_feature_names", q.readFull
	case "as_of":
		member, read = "as_of", q.readAsOf
	default:
		return s.skip(0)
	}
	if slices.Contains(q.given, member) {
		return s.fail("%s is given twice", member)
	}
	q.given = append(q.given, member)
	return read(s)
}

func (q *request) readEntities(s *scanner) error {
	return s.object("entities", func(name []byte) error {
		for i := range q.entities {
			if bytes.Equal(q.entities[i].name, name) {
				return s.fail("entity %q is given twice", name)
			}
		}
		e := q.entity(name)
		return s.array(fmt.Sprintf("entity %q", name), func() error {
			if s.word("null") {
				return s.fail("a key of entity %q is null", name)
			}
			if s.peek() != '"' {
				return s.fail("a key of entity %q is not a string", name)
			}
			key, err := s.string("")
			e.keys = append(e.keys, key)
			return err
		})
	})
}

// entity adds an empty column, in the memory of one that stood there before.
func (q *request) entity(name []byte) *entityColumn {
	n := len(q.entities)
	if n < cap(q.entities) {
		q.entities = q.entities[:n+1]
	} else {
		q.entities = append(q.entities, entityColumn{})
	}
	e := &q.entities[n]
	e.name, e.keys = name, e.keys[:0]
	return e
}

func (q *request) readFeatures(s *scanner) error {
	if s.word("null") {
		return nil
	}
	return s.array("features", func() error {
		f, err := s.string("a feature")
		q.features = append(q.features, f)
		return err
	})
}

func (q *request) readService(s *scanner) (err error) {
	if s.word("null") {
		return nil
	}
	q.service, err = s.string("feature_service")
	return err
}

func (q *request) readFull(s *scanner) error {
	switch {
	case s.word("true"):
		q.full = true
	case !s.word("false"):
		return s.fail("full_feature_names is neither true nor false")
	}
	return nil
}

func (q *request) readAsOf(s *scanner) error {
	if s.word("null") {
		return nil
	}
	text, err := s.string("as_of")
	if err != nil {
		return err
	}
	if q.asOf, err = parseAsOf(string(text)); err != nil {
		return s.fail("%v", err)
	}
	q.hasAsOf = true
	return nil
}

// parseAsOf reads a moment that can be asked about, in µs.
func parseAsOf(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("as_of is %q, not a time such as 2026-01-31T12:00:00Z", text)
	}
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return 0, fmt.Errorf("as_of is %q, outside the years 1 to 9999", text)
	}
	return schema.Micros(t), nil
}
