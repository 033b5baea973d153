package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// view is a view that is served, with the names that its features have in answers.
type view struct {
	*online.View
	features map[string]int // by name, of the plan
	plain    []string       // by feature of the plan: ,"name"
	full     []string       // ,"view__name"
}

func newView(v *online.View) *view {
	plan := v.Plan()
	s := &view{View: v, features: map[string]int{}}
	for i := range plan.Features {
		name := plan.Features[i].Name
		s.features[name] = i
		s.plain = append(s.plain, string(schema.AppendJSONText([]byte{','}, name)))
		s.full = append(s.full, string(schema.AppendJSONText([]byte{','}, plan.Name+"__"+name)))
	}
	return s
}

func (v *view) names(full bool) []string {
	if full {
		return v.full
	}
	return v.plain
}

// selection is the features of one view that a request asks for.
type selection struct {
	view     *view
	features []int // of the plan, in the order of the request
	answer   online.Answer
}

// output is one feature of an answer.
type output struct {
	selection int
	feature   int
}

// exchange is one request and its answer. Its memory serves one after another.
type exchange struct {
	request    request
	body, out  []byte
	selections []selection
	outputs    []output
	names      map[string]bool // of the outputs
	key        online.Answer   // of a request for a single key
}

// resolve finds the views and features that the request names.
func (s *Server) resolve(x *exchange) error {
	q := &x.request
	x.outputs = x.outputs[:0]
	for i := range x.selections {
		x.selections[i].features = x.selections[i].features[:0]
	}
	x.selections = x.selections[:0]
	clear(x.names)
	if len(q.service) > 0 {
		if err := s.resolveService(x); err != nil {
			return err
		}
		return s.checkEntities(x)
	}
	if len(q.features) == 0 {
		return mistake("no features are asked for: name them as view:feature")
	}
	for _, ref := range q.features {
		name, feature, ok := bytes.Cut(ref, []byte{':'})
		if !ok {
			return mistake("feature %q does not name its view: write it as view:feature", ref)
		}
		v := s.views[string(name)]
		if v == nil {
			return &problem{http.StatusNotFound, viewNotFound, "there is no feature view " + string(name)}
		}
		f, ok := v.features[string(feature)]
		if !ok {
			return mistake("view %s has no feature %q", name, feature)
		}
		text := v.names(q.full)[f]
		if x.names[text] {
			return mistake("two features have the name %s in the answer: ask for each once, or set full_feature_names", text[1:])
		}
		x.names[text] = true
		n := x.selection(v)
		x.selections[n].features = append(x.selections[n].features, f)
		x.outputs = append(x.outputs, output{n, f})
	}
	return s.checkEntities(x)
}

// resolveService asks for all features of a pipeline: each is a service of its own name, and takes the place of features that
// are named beside it.
func (s *Server) resolveService(x *exchange) error {
	v := s.views[string(x.request.service)]
	if v == nil {
		return &problem{http.StatusNotFound, serviceNotFound, "there is no feature service " + string(x.request.service) +
			": each pipeline is one, or name features as view:feature"}
	}
	n := x.selection(v)
	for f := range v.plain {
		x.selections[n].features = append(x.selections[n].features, f)
		x.outputs = append(x.outputs, output{n, f})
	}
	return nil
}

// selection is the index of the view's.
func (x *exchange) selection(v *view) int {
	for i := range x.selections {
		if x.selections[i].view == v {
			return i
		}
	}
	n := len(x.selections)
	if n < cap(x.selections) {
		x.selections = x.selections[:n+1]
		x.selections[n].view = v
	} else {
		x.selections = append(x.selections, selection{view: v})
	}
	return n
}

// checkEntities holds the request to columns of one length, and one for the key of each view.
func (s *Server) checkEntities(x *exchange) error {
	q := &x.request
	for i := range x.selections {
		if key := x.selections[i].view.Plan().KeyName; q.keys(key) == nil {
			return &problem{http.StatusUnprocessableEntity, entityNotFound, "entities lack the column " + key +
				", which is the key of view " + x.selections[i].view.Plan().Name}
		}
	}
	first := &q.entities[0]
	for i := range q.entities {
		if e := &q.entities[i]; len(e.keys) != len(first.keys) {
			return mistake("entity %q has %d keys, and entity %q has %d", first.name, len(first.keys), e.name, len(e.keys))
		}
	}
	switch n := len(first.keys); {
	case n == 0:
		return mistake("entity %q has no keys", first.name)
	case n > s.config.MaxKeys:
		return mistake("%d keys are asked for at once: ask for at most %d", n, s.config.MaxKeys)
	}
	return nil
}

// keys are those of the entity, nil if there is no such.
func (q *request) keys(entity string) *entityColumn {
	for i := range q.entities {
		if string(q.entities[i].name) == entity {
			return &q.entities[i]
		}
	}
	return nil
}

// answer asks the views and renders what they say.
func (s *Server) answer(ctx context.Context, x *exchange) error {
	now := x.request.asOf
	if !x.request.hasAsOf {
		now = s.now()
	}
	for i := range x.selections {
		sel := &x.selections[i]
		keys := x.request.keys(sel.view.Plan().KeyName).keys
		if err := sel.view.Get(ctx, keys, sel.features, now, &sel.answer); err != nil {
			return asProblem(err)
		}
	}
	x.render()
	return nil
}

// asProblem tells a mistake of the client from trouble here.
func asProblem(err error) error {
	var behind *online.BehindError
	if errors.As(err, &behind) {
		return mistake("%v", behind)
	}
	return err
}

const unixZero = `"1970-01-01T00:00:00Z"`

// render writes the answer column by column: the entities first, then the features as they were asked for.
func (x *exchange) render() {
	q := &x.request
	b := append(x.out[:0], `{"metadata":{"feature_names":[`...)
	for i := range q.entities {
		if i > 0 {
			b = append(b, ',')
		}
		b = schema.AppendJSONText(b, q.entities[i].name)
	}
	for _, o := range x.outputs {
		b = append(b, x.selections[o.selection].view.names(q.full)[o.feature]...)
	}
	b = append(b, `]},"results":[`...)
	for i := range q.entities {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntity(b, q.entities[i].keys)
	}
	for _, o := range x.outputs {
		b = append(b, ',')
		b = appendFeature(b, &x.selections[o.selection].answer, o.feature, len(q.entities[0].keys))
	}
	x.out = append(b, `]}`...)
}

func appendEntity(b []byte, keys [][]byte) []byte {
	b = append(b, `{"values":[`...)
	for i, k := range keys {
		b = schema.AppendJSONText(separate(b, i), k)
	}
	b = append(b, `],"statuses":[`...)
	for i := range keys {
		b = append(separate(b, i), `"PRESENT"`...)
	}
	b = append(b, `],"event_timestamps":[`...)
	for i := range keys {
		b = append(separate(b, i), unixZero...)
	}
	return append(b, `]}`...)
}

func appendFeature(b []byte, a *online.Answer, f, keys int) []byte {
	c := a.Column(f)
	b = append(b, `{"values":[`...)
	for i := range keys {
		b = c.AppendJSON(separate(b, i), i)
	}
	b = append(b, `],"statuses":[`...)
	for i := range keys {
		b = append(separate(b, i), '"')
		b = append(b, a.Status(f, i).String()...)
		b = append(b, '"')
	}
	b = append(b, `],"event_timestamps":[`...)
	for i := range keys {
		b = separate(b, i)
		if at, ok := a.Time(f, i); ok {
			b = schema.AppendJSONTime(b, at)
		} else {
			b = append(b, unixZero...)
		}
	}
	return append(b, `]}`...)
}

// separate appends the comma before element i.
func separate(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}
