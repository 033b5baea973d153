package pipeline

import (
	"fmt"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Grain is when a pipeline is asked.
type Grain struct {
	Tick time.Duration // the period of the ticks; 0: at every event
	pos  fault.Pos
	set  bool
}

// EveryEvent asks immediately after each event.
func EveryEvent() Grain { return Grain{pos: fault.Caller(1), set: true} }

// Every asks at each multiple of d since 1970-01-01T00:00Z.
func Every(d time.Duration) Grain {
	g := Grain{Tick: d, pos: fault.Caller(1), set: true}
	if d == 0 {
		g.Tick = -1 // The plan refuses it; 0 means every event.
	}
	return g
}

// String is the grain as the user wrote it.
func (g Grain) String() string {
	if g.Tick == 0 {
		return "every event"
	}
	return "every " + g.Tick.String()
}

// FeatureSpec is one feature of an Aggregate.
type FeatureSpec struct {
	field      any
	agg        agg.Spec
	window     window.Window
	historical bool
	pos        fault.Pos
}

// Feature computes an aggregate over a window into the field that out points to. The field's type must be one that holds
// the aggregate's result: a plain type for a count or after Or, else a pointer, or after Null a sql.Null.
func Feature[O any](out *O, a agg.Of[O], w window.Window) *FeatureSpec {
	f := &FeatureSpec{field: out, window: w, pos: fault.Caller(1)}
	if a != nil {
		f.agg = a.Spec()
	}
	return f
}

// Historical leaves the feature to the batch: it is computed by the nightly run and served from its newest, merged with the
// live features at read. Taking the word away makes the feature live.
func (f *FeatureSpec) Historical() *FeatureSpec {
	f.historical = true
	return f
}

type aggregate struct {
	stream   *Stream
	schema   *schema.Schema
	grain    Grain
	features []*FeatureSpec
	pos      fault.Pos
}

// Aggregate computes features for each key at each ask of the grain. The struct that out points to is a row of the result:
// its key field is the entity, and each other tagged field is one feature.
func Aggregate[T any](s *Stream, out *T, grain Grain, features ...*FeatureSpec) {
	pos := fault.Caller(1)
	d := s.draft
	if d.terminal != nil {
		d.faults.Add(fault.New("Aggregate", "is the second of its pipeline", "define another pipeline for it").At(pos))
		return
	}
	sch, errs := schema.Of(out, pos)
	for _, err := range errs {
		d.faults.Add(err)
	}
	d.terminal = &aggregate{stream: s, schema: sch, grain: grain, features: features, pos: pos}
	switch {
	case !grain.set:
		d.faults.Add(fault.New("Aggregate", "has no grain", "pass pipeline.EveryEvent() or pipeline.Every(d)").At(pos))
	case grain.Tick < 0 || grain.Tick%time.Microsecond != 0 || grain.Tick > 3660*window.Day:
		d.faults.Add(fault.New("grain "+grain.String(), "is no period of ticks", "use a multiple of time.Microsecond above zero").At(grain.pos))
	}
	if len(features) == 0 {
		d.faults.Add(fault.New("Aggregate", "has no features", "add a pipeline.Feature").At(pos))
	}
	if sch != nil {
		d.terminal.check(d, len(errs) > 0)
	}
}

func (a *aggregate) check(d *Draft, faulty bool) {
	keys := 0
	for _, f := range a.schema.Fields {
		switch f.Role {
		case schema.Key:
			keys++
			if f.Kind != schema.Text || f.Nullable {
				d.faults.Add(fault.New(a.schema.Name+"."+f.GoName, fmt.Sprintf("the key is of type %s", f.GoType), "make it a string").At(a.pos))
			}
		case schema.EventTime, schema.ID:
			d.faults.Add(fault.New(a.schema.Name+"."+f.GoName, fmt.Sprintf("has the role %s in a result", f.Role),
				"remove the role: a row's time is its ask").At(a.pos))
		}
	}
	if keys != 1 && !faulty {
		d.faults.Add(fault.New(a.schema.Name, fmt.Sprintf("has %d key fields", keys),
			"tag the one field that names the entity, as in `spill:\"card,key\"`").At(a.pos))
	}
}
