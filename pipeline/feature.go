package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// FeatureSpec is one feature of an Aggregate.
type FeatureSpec struct {
	field      any
	agg        agg.Spec
	window     window.Window
	historical bool
	pos        fault.Pos
}

// Feature computes an aggregate over a window into the field that out points to. The field's type must be one that holds
// the aggregate's result: int64 for a count, else a pointer, a plain type after Or, or a sql.Null after Null.
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
	if f != nil {
		f.historical = true
	}
	return f
}

// features gives the plans of the features in the order of the result's fields.
func (d *Draft) features(a *aggregate, specs []*FeatureSpec, pos fault.Pos) []FeaturePlan {
	fields := a.schema.Fields
	byField := make([]*FeatureSpec, len(fields))
	for _, f := range specs {
		if f == nil {
			d.fault(pos, "Aggregate", "has a nil feature", "remove it")
			continue
		}
		i := a.schema.Index(f.field)
		switch {
		case i < 0:
			d.missing(f.pos, a.schema, f.field, "Feature", "Aggregate")
		case fields[i].Role == schema.Key:
			d.fault(f.pos, a.schema.Name+"."+fields[i].GoName, "is the key, not a feature", "use another field")
		case byField[i] != nil:
			d.fault(f.pos, a.schema.Name+"."+fields[i].GoName, "is computed twice: also at "+byField[i].pos.String(), "keep one")
		default:
			byField[i] = f
		}
	}
	var plans []FeaturePlan
	for i, field := range fields {
		switch {
		case byField[i] != nil:
			plans = append(plans, d.feature(a, byField[i], field))
		case field.Role == schema.Plain:
			d.fault(pos, a.schema.Name+"."+field.GoName, "is never computed", "add a Feature for it, or remove its tag")
		}
	}
	return plans
}

func (d *Draft) feature(a *aggregate, f *FeatureSpec, field schema.Field) FeaturePlan {
	thing := fmt.Sprintf("feature %q", field.Name)
	spec := f.agg
	if spec.Op == "" {
		d.fault(f.pos, thing, "has no aggregate", "pass one of package agg")
	}
	if spec.Op == agg.OpSlope && (spec.Per <= 0 || spec.Per%time.Microsecond != 0) {
		d.fault(spec.Pos, thing, fmt.Sprintf("its slope is per %v", spec.Per), "use a multiple of time.Microsecond above zero")
	}
	d.checkWindow(a, f, thing)
	spec.Arg = d.resolve(a.where, spec.Arg, spec.Pos)
	spec.Where = d.resolve(a.where, spec.Where, spec.Pos)
	return FeaturePlan{
		Name: field.Name, Kind: spec.Kind, Nullable: field.Nullable, Min: field.Min, Max: field.Max,
		Agg: spec, Window: f.window, Historical: f.historical,
	}
}

// maxTicks bounds the ticks whose windows can hold one event: each has a row, and a late event revises them all.
const maxTicks = 1_000_000

func (d *Draft) checkWindow(a *aggregate, f *FeatureSpec, thing string) {
	if f.window == (window.Window{}) {
		d.fault(f.pos, thing, "has no window", "pass window.Last(d)")
		return
	}
	if err := f.window.Check(); err != nil {
		if !err.Pos.Known() {
			err.Pos = f.pos
		}
		d.add(err)
		return
	}
	if g := a.grain; g.kind == tickGrain && g.valid() && (f.window.Length+f.window.Tail)/g.tick > maxTicks {
		d.fault(f.pos, thing, fmt.Sprintf("its window, %s, holds more than %d ticks of %s", f.window, maxTicks, window.Format(g.tick)),
			"use a longer period of ticks, or a shorter window")
	}
}

// reserved tells whether every row has a column of that name. SQL does not tell upper from lower case.
func reserved(column string) bool { return slices.Contains(rowColumns, strings.ToLower(column)) }
