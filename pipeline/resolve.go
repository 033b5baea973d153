package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// resolve turns the draft into a plan, or gives all that is wrong with it.
func (d *Draft) resolve(p *Pipeline) (*Plan, error) {
	if d.source == nil {
		d.faults.Add(fault.New("pipeline "+p.name, "reads nothing", "begin with pipeline.From").At(p.pos))
	}
	if d.terminal == nil {
		d.faults.Add(fault.New("pipeline "+p.name, "computes nothing", "end with pipeline.Aggregate").At(p.pos))
	}
	if d.source == nil || d.source.schema == nil || d.terminal == nil || d.terminal.schema == nil {
		return nil, d.faults.Err()
	}
	a, s := d.terminal, d.source
	plan := &Plan{
		Name: p.name,
		Source: SourcePlan{
			Name: s.name, Schema: s.schema,
			Key: s.schema.ByRole(schema.Key), Time: s.schema.ByRole(schema.EventTime), ID: s.schema.ByRole(schema.ID),
			OutOfOrder: s.out.Microseconds(), Lateness: s.late.Microseconds(), Ahead: s.ahead.Microseconds(), SkipNullKey: s.skip,
		},
		Tick:     a.grain.Tick.Microseconds(),
		RowName:  a.schema.Name,
		Features: d.features(a),
	}
	if k := a.schema.ByRole(schema.Key); k >= 0 {
		plan.KeyName = a.schema.Fields[k].Name
	}
	plan.Where = d.expression(a.stream, a.stream.where)
	if err := d.faults.Err(); err != nil {
		return nil, err
	}
	plan.seal()
	return plan, nil
}

// expression resolves and checks one expression of the definition.
func (d *Draft) expression(s *Stream, n *expr.Node) *expr.Node {
	if n == nil {
		return nil
	}
	r, err := s.resolve(n)
	if err != nil {
		d.faults.Add(err)
		return nil
	}
	d.checkCalls(r)
	return r
}

var callForm = regexp.MustCompile(`^[a-z][a-z0-9_]*/v[1-9][0-9]*$`)

func (d *Draft) checkCalls(n *expr.Node) {
	if n.Op == expr.OpCall {
		thing := fmt.Sprintf("function %q", n.Func.Name)
		if !callForm.MatchString(n.Func.Name) {
			d.faults.Add(fault.New(thing, "its name has no version or a form that plans cannot carry",
				`name it as in "risky_bin/v1" and raise the version when its answers change`).At(n.Pos))
		}
		if n.Func.Missing {
			d.faults.Add(fault.New(thing, "is nil", "pass a function").At(n.Pos))
		}
	}
	for _, a := range n.Args {
		d.checkCalls(a)
	}
}

// features resolves the features in the order of the result's fields.
func (d *Draft) features(a *aggregate) []FeaturePlan {
	byField := make([]*FeatureSpec, len(a.schema.Fields))
	for _, f := range a.features {
		if f == nil {
			d.faults.Add(fault.New("Aggregate", "has a nil feature", "remove it").At(a.pos))
			continue
		}
		i := a.schema.Index(f.field)
		switch {
		case i < 0:
			d.faults.Add(fault.New("Feature", "its field is no column of "+a.schema.Name,
				"pass the address of a tagged field of the variable that Aggregate was given").At(f.pos))
		case a.schema.Fields[i].Role == schema.Key:
			d.faults.Add(fault.New(a.schema.Name+"."+a.schema.Fields[i].GoName, "is the key, not a feature", "use another field").At(f.pos))
		case byField[i] != nil:
			d.faults.Add(fault.New(a.schema.Name+"."+a.schema.Fields[i].GoName,
				"is computed twice: also at "+byField[i].pos.String(), "keep one").At(f.pos))
		default:
			byField[i] = f
		}
	}
	var out []FeaturePlan
	for i, field := range a.schema.Fields {
		f := byField[i]
		if f == nil {
			if field.Role == schema.Plain {
				d.faults.Add(fault.New(a.schema.Name+"."+field.GoName, "is never computed", "add a Feature for it, or remove its tag").At(a.pos))
			}
			continue
		}
		if slices.Contains(rowColumns, field.Name) {
			d.faults.Add(fault.New(a.schema.Name+"."+field.GoName, fmt.Sprintf("column %q is one that every row has", field.Name),
				"choose another name").At(f.pos))
		}
		out = append(out, d.feature(a.stream, f, field))
	}
	return out
}

func (d *Draft) feature(s *Stream, f *FeatureSpec, field schema.Field) FeaturePlan {
	thing := fmt.Sprintf("feature %q", field.Name)
	spec := f.agg
	if spec.Op == "" {
		d.faults.Add(fault.New(thing, "has no aggregate", "pass one of package agg").At(f.pos))
	}
	if spec.Op == agg.OpSlope && (spec.Per <= 0 || spec.Per%time.Microsecond != 0) {
		d.faults.Add(fault.New(thing, fmt.Sprintf("its slope is per %v", spec.Per), "use a multiple of time.Microsecond above zero").At(f.pos))
	}
	if f.window == (window.Window{}) {
		d.faults.Add(fault.New(thing, "has no window", "pass window.Last(d)").At(f.pos))
	} else if err := f.window.Check(); err != nil {
		d.faults.Add(err)
	}
	spec.Arg = d.expression(s, spec.Arg)
	spec.Where = d.expression(s, spec.Where)
	return FeaturePlan{
		Name: field.Name, Kind: spec.Kind, Nullable: field.Nullable, Min: field.Min, Max: field.Max,
		Agg: spec, Window: f.window, Historical: f.historical,
	}
}
