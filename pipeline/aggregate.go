package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Grain is when a pipeline is asked: EveryEvent or Every.
type Grain struct {
	tick time.Duration
	kind grainKind
	pos  fault.Pos
}

type grainKind uint8

const (
	noGrain grainKind = iota
	eventGrain
	tickGrain
)

// EveryEvent asks immediately after each event.
func EveryEvent() Grain { return Grain{kind: eventGrain} }

// Every asks at each multiple of d since 1970-01-01T00:00Z.
//
//go:noinline
func Every(d time.Duration) Grain {
	// Inlined into the initialisation of a package's variable, this function would not learn where it was called.
	return Grain{kind: tickGrain, tick: d, pos: fault.Caller(1)}
}

// valid tells whether ticks, if it has any, are of a period that can be.
func (g Grain) valid() bool {
	return g.kind != tickGrain || g.tick > 0 && g.tick <= longest && g.tick%time.Microsecond == 0
}

// String is the grain in words, as in "every 10m".
func (g Grain) String() string {
	switch g.kind {
	case eventGrain:
		return "every event"
	case tickGrain:
		return "every " + window.Format(g.tick)
	}
	return "no grain"
}

type aggregate struct {
	schema   *schema.Schema
	grain    Grain
	where    *Stream
	features []FeaturePlan // in the order of the struct's fields
}

// Aggregate computes features for each key at each ask of the grain, and ends a definition. The struct that out points to
// is a row of the result: its key field is the entity, and each other tagged field is one feature.
func Aggregate[T any](s *Stream, out *T, grain Grain, features ...*FeatureSpec) {
	pos := fault.Caller(1)
	s.mustRun(pos, "Aggregate")
	s.aggregate(pos, out, grain, features)
}

func (s *Stream) aggregate(pos fault.Pos, out any, grain Grain, features []*FeatureSpec) {
	d := s.draft
	if d.aggregate != nil {
		d.fault(pos, "Aggregate", "is the second of its pipeline", "define another pipeline for it")
		return
	}
	sch, faults := schema.Of(out, pos)
	d.add(faults...)
	a := &aggregate{schema: sch, grain: grain, where: s}
	d.aggregate = a
	switch {
	case grain.kind == noGrain:
		d.fault(pos, "Aggregate", "has no grain", "pass pipeline.EveryEvent() or pipeline.Every(d)")
	case !grain.valid():
		d.fault(grain.pos, "grain "+grain.String(), "is no period of ticks", "use a multiple of time.Microsecond above zero, up to 3660 days")
	}
	if len(features) == 0 {
		d.fault(pos, "Aggregate", "has no features", "add a pipeline.Feature")
	}
	if sch != nil {
		d.checkResult(sch, len(faults) > 0, pos)
		a.features = d.features(a, features, pos)
	}
}

// rowColumns are the columns that every feature row has beside the key and the features; see S7.
var rowColumns = []string{"ask_time", "partition", "offset", "revision", "retracted", "plan"}

// checkResult holds the columns of a result to what a row of features needs.
func (d *Draft) checkResult(s *schema.Schema, faulty bool, pos fault.Pos) {
	keys := 0
	for _, f := range s.Fields {
		thing := s.Name + "." + f.GoName
		switch f.Role {
		case schema.Key:
			keys++
			if f.Kind != schema.Text || f.Nullable {
				d.fault(pos, thing, fmt.Sprintf("the key is of type %s", f.GoType), "make it a string")
			}
		case schema.EventTime, schema.ID:
			d.fault(pos, thing, fmt.Sprintf("has the role %s in a result", f.Role), "remove the role: a row's time is its ask")
		}
		if reserved(f.Name) || f.Role != schema.Key && strings.EqualFold(f.Name, "key") {
			d.fault(pos, thing, fmt.Sprintf("column %q is one that every row has", f.Name), "choose another name")
		}
	}
	if keys != 1 && !faulty {
		d.fault(pos, s.Name, fmt.Sprintf("has %d key fields", keys), "tag the one field that names the entity, as in `spill:\"card,key\"`")
	}
}
