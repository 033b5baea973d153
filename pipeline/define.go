package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
)

// Pipeline is one definition: a source, what is kept of it, and the features computed from it.
type Pipeline struct {
	name string
	plan *Plan
	err  error
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// Define runs the definition fn and keeps what it says. It never fails, and a panic in fn is a mistake like any other:
// Validate tells what is wrong, all of it at once.
func Define(name string, fn func(*Draft)) *Pipeline {
	pos := fault.Caller(1)
	d := &Draft{name: name}
	if !nameForm.MatchString(name) {
		d.fault(pos, fmt.Sprintf("pipeline %q", name), "has a name that topics and tables cannot carry",
			"use a lower-case letter, then up to 99 lower-case letters, digits and underscores")
	}
	if fn == nil {
		d.fault(pos, d.thing(), "has no definition", "pass a function that fills the draft")
	} else if d.run(fn) {
		d.complete(pos)
	}
	d.over = true
	p := &Pipeline{name: name, err: d.err()}
	if p.err == nil {
		p.plan = d.plan()
	}
	return p
}

// Name is the pipeline's name.
func (p *Pipeline) Name() string { return p.name }

// Validate returns nil, or every mistake of the definition, each with the place, the thing, the fault and the remedy.
func (p *Pipeline) Validate() error { return p.err }

// Plan is the resolved definition that engines run, or Validate's error.
func (p *Pipeline) Plan() (*Plan, error) {
	if p.err != nil {
		return nil, p.err
	}
	return p.plan, nil
}

// Draft is a pipeline while its definition runs. It is of no use afterwards.
type Draft struct {
	name      string
	faults    []*fault.Error
	source    *source
	aggregate *aggregate
	resolver  expr.Resolver
	over      bool
}

// run runs the definition and reports whether it came to its end.
func (d *Draft) run(fn func(*Draft)) (ended bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *fault.Error: // what our own functions say when there is no draft to say it to
			d.add(r)
		default:
			d.fault(fault.Panicked(), d.thing(), fmt.Sprintf("its definition panicked: %v", r), "mend the function passed to Define")
		}
	}()
	fn(d)
	return true
}

// complete finds what the definition has left out.
func (d *Draft) complete(pos fault.Pos) {
	if d.source == nil {
		d.fault(pos, d.thing(), "reads nothing", "begin with pipeline.From")
	}
	if d.aggregate == nil {
		d.fault(pos, d.thing(), "computes nothing", "end with pipeline.Aggregate")
	}
}

func (d *Draft) thing() string { return "pipeline " + d.name }

func (d *Draft) fault(pos fault.Pos, thing, what, remedy string) {
	d.add(fault.New(thing, what, remedy).At(pos))
}

func (d *Draft) add(faults ...*fault.Error) { d.faults = append(d.faults, faults...) }

// resolve gives the expression over the source's columns, or nil when there is none or it has a fault. At is its place
// where it does not know its own.
func (d *Draft) resolve(s *Stream, n *expr.Node, at fault.Pos) *expr.Node {
	d.resolver.Column = s.column
	r := d.resolver.Resolve(n, at)
	d.add(d.resolver.Faults...)
	d.resolver.Faults = nil
	return r
}

// err is nil, or all faults in the order of their places, each once: one bad column may spoil several features.
func (d *Draft) err() error {
	slices.SortStableFunc(d.faults, func(a, b *fault.Error) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line))
	})
	var errs []error
	said := map[string]bool{}
	for _, f := range d.faults {
		if text := f.Error(); !said[text] {
			said[text] = true
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// mustRun refuses what cannot be told to a draft: a call without one, or with one that has ended. Define turns the panic
// into a fault of the pipeline whose definition made the call.
func (d *Draft) mustRun(pos fault.Pos, thing, otherwise, remedy string) {
	switch {
	case d == nil:
		panic(fault.New(thing, otherwise, remedy).At(pos))
	case d.over:
		panic(fault.New(thing, "belongs to the definition of pipeline "+d.name+", which has ended",
			"call it within the function passed to Define, on its own draft").At(pos))
	}
}
