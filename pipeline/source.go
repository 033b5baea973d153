package pipeline

import (
	"fmt"
	"regexp"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// The defaults of a source.
const (
	DefaultLateness = 10 * time.Minute
	DefaultAhead    = 10 * time.Minute
)

// longest bounds spans of time, so that no sum of times and spans can overflow.
const longest = 3660 * window.Day

type source struct {
	name   string
	schema *schema.Schema // nil when the user's struct is none
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

var topicForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// From reads the topic (and the lake's table) of that name. The struct that row points to stands for any of its events:
// its tagged fields are the columns, one of them the key, one the time, and at most one the id. It is never read or
// written: only the addresses of its fields matter.
func From[T any](d *Draft, name string, row *T, opts ...SourceOption) *Stream {
	return from(d, fault.Caller(1), name, row, opts)
}

func from(d *Draft, pos fault.Pos, name string, row any, opts []SourceOption) *Stream {
	thing := fmt.Sprintf("source %q", name)
	d.mustRun(pos, thing, "has a nil draft", "pass the draft that Define gives to its function")
	s := &source{name: name, late: DefaultLateness, ahead: DefaultAhead}
	for _, o := range opts {
		if o == nil {
			d.fault(pos, thing, "has a nil option", "remove it")
		} else {
			o(s)
		}
	}
	d.checkName(name, pos)
	d.checkSpans(s, pos)
	sch, faults := schema.Of(row, pos)
	d.add(faults...)
	s.schema = sch
	if sch != nil {
		d.checkSource(sch, len(faults) > 0, pos)
	}
	if d.source != nil {
		d.fault(pos, thing, "is a second source", "define another pipeline for it: each has one")
	} else {
		d.source = s
	}
	return &Stream{draft: d, rows: []rowStruct{{schema: sch}}}
}

func (d *Draft) checkName(name string, pos fault.Pos) {
	thing := fmt.Sprintf("source %q", name)
	if !topicForm.MatchString(name) || name == "." || name == ".." {
		d.fault(pos, thing, "is no name of a topic", "use up to 249 letters, digits, dots, dashes and underscores")
	}
	if name == d.name+".features" || name == d.name+".dead" {
		d.fault(pos, thing, "is what this pipeline writes", "read another topic, or rename the pipeline")
	}
}

func (d *Draft) checkSpans(s *source, pos fault.Pos) {
	for _, o := range []struct {
		name string
		span time.Duration
	}{{"OutOfOrder", s.out}, {"Lateness", s.late}, {"Ahead", s.ahead}} {
		if o.span < 0 || o.span%time.Microsecond != 0 || o.span > longest {
			d.fault(pos, fmt.Sprintf("source %q", s.name), fmt.Sprintf("%s is %v", o.name, o.span),
				"use a whole number of microseconds from 0 to 3660 days")
		}
	}
}

// checkSource holds the columns' roles to what a source needs. When columns are already at fault, a missing role may be
// one of them, and saying so would only mislead.
func (d *Draft) checkSource(s *schema.Schema, faulty bool, pos fault.Pos) {
	count := map[schema.Role]int{}
	for _, f := range s.Fields {
		thing := s.Name + "." + f.GoName
		count[f.Role]++
		switch {
		case f.Nullable:
			d.fault(pos, thing, fmt.Sprintf("type %s in a source", f.GoType),
				"use the plain type: any column but key, time and id may be null as it is")
		case (f.Role == schema.Key || f.Role == schema.ID) && f.Kind != schema.Text:
			d.fault(pos, thing, fmt.Sprintf("the %s is of type %s", f.Role, f.GoType), "make it a string")
		case f.Role == schema.EventTime && f.Kind != schema.Time:
			d.fault(pos, thing, fmt.Sprintf("the time is of type %s", f.GoType), "make it a time.Time")
		}
	}
	for _, role := range []schema.Role{schema.Key, schema.EventTime, schema.ID} {
		if count[role] > 1 {
			d.fault(pos, s.Name, fmt.Sprintf("has %d fields with the role %s", count[role], role), "keep one")
		}
	}
	if faulty {
		return
	}
	if count[schema.Key] == 0 {
		d.fault(pos, s.Name, "has no key", "tag the field that names the entity, as in `spill:\"card,key\"`")
	}
	if count[schema.EventTime] == 0 {
		d.fault(pos, s.Name, "has no time", "tag the field that says when it happened, as in `spill:\"at,time\"`")
	}
}
