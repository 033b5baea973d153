package decode

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/spillway-go/spillway/internal/fault"
)

// SchemaRegistry asks a schema registry that speaks Confluent's protocol. The client holds its URLs, credentials and time
// limits.
func SchemaRegistry(cl *sr.Client) GUIDRegistry { return schemaRegistry{cl} }

type schemaRegistry struct{ cl *sr.Client }

// maxReferences is how many schemas one schema may refer to, directly or not.
const maxReferences = 1_000

func (r schemaRegistry) Schema(ctx context.Context, id int) ([]string, error) {
	s, err := r.cl.SchemaByID(ctx, id)
	return r.whole(ctx, s, err, strconv.Itoa(id))
}

func (r schemaRegistry) SchemaByGUID(ctx context.Context, guid string) ([]string, error) {
	s, err := r.cl.SchemaByGUID(ctx, guid)
	return r.whole(ctx, s.Schema, err, guid)
}

// whole is the answer for a schema, or for the error instead of it.
func (r schemaRegistry) whole(ctx context.Context, s sr.Schema, err error, name string) ([]string, error) {
	var answer *sr.ResponseError
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.ErrorCode == sr.ErrSchemaNotFound.Code:
		return nil, ErrNoSchema
	case err != nil:
		return nil, silence(err, name)
	case s.Type != sr.TypeAvro:
		return nil, fmt.Errorf("%w: it is of type %v", ErrNoSchema, s.Type)
	}
	c := collector{client: r.cl, seen: map[sr.SchemaReference]bool{}}
	// A schema in use stays, but the subjects that it refers to may have been deleted, softly.
	if err := c.collect(sr.WithParams(ctx, sr.ShowDeleted), s); err != nil {
		return nil, silence(err, name)
	}
	return c.texts, nil
}

// collector gathers a schema's text behind those that it refers to.
type collector struct {
	client *sr.Client
	seen   map[sr.SchemaReference]bool
	texts  []string
}

func (c *collector) collect(ctx context.Context, s sr.Schema) error {
	for _, ref := range s.References {
		if c.seen[ref] {
			continue
		}
		if len(c.seen) == maxReferences {
			return fmt.Errorf("it refers to more than %d schemas", maxReferences)
		}
		c.seen[ref] = true
		next, err := c.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
		if err != nil {
			return err
		}
		if err := c.collect(ctx, next.Schema); err != nil {
			return err
		}
	}
	c.texts = append(c.texts, s.Schema)
	return nil
}

// silence is the error for a schema that could not be had. The client's own errors quote its URL as it is, which may hold
// a password; those of net/url have it removed.
func silence(err error, name string) error {
	var transport *url.Error
	var answer *sr.ResponseError
	switch {
	case errors.As(err, &transport):
		err = transport
	case errors.As(err, &answer):
		err = fmt.Errorf("status %d: %w", answer.StatusCode, answer)
	default:
		for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
			err = inner
		}
	}
	return fault.Wrap(err, "schema registry", fmt.Sprintf("schema %s could not be had", name),
		"see whether it runs, and whether its URL and credentials are right")
}
