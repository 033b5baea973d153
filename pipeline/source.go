package pipeline

import (
	"fmt"
	"regexp"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The defaults of a source.
const (
	DefaultLateness = 10 * time.Minute
	DefaultAhead    = 10 * time.Minute
)

type source struct {
	name   string
	schema *schema.Schema
	pos    fault.Pos
	out    time.Duration
	late   time.Duration
	ahead  time.Duration
	skip   bool
}

// SourceOption says how a source behaves in time.
type SourceOption func(*source)

// OutOfOrder is how far behind the newest event others may come and still be on time. It holds the watermark back: ticks
// wait for it, events' own answers do not. The default is 0.
func OutOfOrder(d time.Duration) SourceOption { return func(s *source) { s.out = d } }

// Lateness is how far behind the watermark an event may come and still be let in; one that comes later is dead-lettered.
// It is also how long ids are remembered. The default is 10 minutes.
func Lateness(d time.Duration) SourceOption { return func(s *source) { s.late = d } }

// Ahead is how far an event's time may lie beyond its Kafka timestamp; an event beyond that is invalid, so that one
// poisoned record cannot run the watermark away. The default is 10 minutes.
func Ahead(d time.Duration) SourceOption { return func(s *source) { s.ahead = d } }

// SkipNullKey counts records without a key as filtered instead of dead-lettering them.
func SkipNullKey() SourceOption { return func(s *source) { s.skip = true } }

// Stream is the events of a source, or what Where and Select keep of them.
type Stream struct {
	draft  *Draft
	where  *expr.Node
	rows   []*schema.Schema                // structs whose fields stand for columns
	values map[*schema.Schema][]*expr.Node // for a Select's struct: the expression of each column
}

var topicForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// From reads the topic (and the lake's table) of that name. The struct that row points to stands for any of its events:
// its tagged fields are the columns, one of them the key, one the time, and at most one the id.
func From[T any](d *Draft, name string, row *T, opts ...SourceOption) *Stream {
	pos := fault.Caller(1)
	thing := fmt.Sprintf("source %q", name)
	s := &source{name: name, pos: pos, late: DefaultLateness, ahead: DefaultAhead}
	for _, o := range opts {
		o(s)
	}
	if d.source != nil {
		d.faults.Add(fault.New(thing, "is a second source", "use one source a pipeline").At(pos))
	}
	if !topicForm.MatchString(name) || name == "." || name == ".." {
		d.faults.Add(fault.New(thing, "is no name of a topic", "use up to 249 letters, digits, dots, dashes and underscores").At(pos))
	}
	for _, o := range []struct {
		name string
		d    time.Duration
	}{{"OutOfOrder", s.out}, {"Lateness", s.late}, {"Ahead", s.ahead}} {
		if o.d < 0 || o.d%time.Microsecond != 0 || o.d > 3660*24*time.Hour {
			d.faults.Add(fault.New(thing, fmt.Sprintf("%s is %v", o.name, o.d),
				"use a whole number of microseconds from 0 to 3660 days").At(pos))
		}
	}
	sch, errs := schema.Of(row, pos)
	for _, err := range errs {
		d.faults.Add(err)
	}
	st := &Stream{draft: d}
	if sch != nil {
		s.schema = sch
		s.check(d, len(errs) > 0)
		st.rows = []*schema.Schema{sch}
	}
	d.source = s
	return st
}

// check holds the columns' roles to what a source needs. When columns are already at fault, a missing role may be one of
// them, and saying so would only mislead.
func (s *source) check(d *Draft, faulty bool) {
	thing := s.schema.Name
	count := map[schema.Role]int{}
	for _, f := range s.schema.Fields {
		count[f.Role]++
		if f.Nullable {
			d.faults.Add(fault.New(thing+"."+f.GoName, fmt.Sprintf("type %s in a source", f.GoType),
				"use the plain type: any column but key, time and id may be null as it is").At(s.pos))
		}
		if (f.Role == schema.Key || f.Role == schema.ID) && f.Kind != schema.Text {
			d.faults.Add(fault.New(thing+"."+f.GoName, fmt.Sprintf("a %s is of type %s", f.Role, f.GoType), "make it a string").At(s.pos))
		}
		if f.Role == schema.EventTime && f.Kind != schema.Time {
			d.faults.Add(fault.New(thing+"."+f.GoName, fmt.Sprintf("the time is of type %s", f.GoType), "make it a time.Time").At(s.pos))
		}
	}
	for role, n := range count {
		if role != schema.Plain && n > 1 {
			d.faults.Add(fault.New(thing, fmt.Sprintf("has %d fields with the role %s", n, role), "keep one").At(s.pos))
		}
	}
	if faulty {
		return
	}
	if count[schema.Key] == 0 {
		d.faults.Add(fault.New(thing, "has no key", "tag the field that names the entity, as in `spill:\"card,key\"`").At(s.pos))
	}
	if count[schema.EventTime] == 0 {
		d.faults.Add(fault.New(thing, "has no time", "tag the field that says when it happened, as in `spill:\"at,time\"`").At(s.pos))
	}
}
