package pipeline

import (
	"fmt"
	"regexp"

	"github.com/spillway-go/spillway/internal/fault"
)

// Pipeline is one definition: a source, what is kept of it, and the features computed from it.
type Pipeline struct {
	name string
	pos  fault.Pos
	plan *Plan
	err  error
}

// Draft is a pipeline while its definition runs.
type Draft struct {
	faults   fault.List
	source   *source
	terminal *aggregate
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// Define runs the definition fn and keeps what it says. It never fails: Validate tells what is wrong, all of it at once.
func Define(name string, fn func(*Draft)) *Pipeline {
	p := &Pipeline{name: name, pos: fault.Caller(1)}
	d := &Draft{}
	if !nameForm.MatchString(name) {
		d.faults.Add(fault.New(fmt.Sprintf("pipeline %q", name), "has a name that topics and tables cannot carry",
			"use a lower-case letter, then up to 99 lower-case letters, digits and underscores").At(p.pos))
	}
	if fn == nil {
		d.faults.Add(fault.New("pipeline "+name, "has no definition", "pass a function that fills the draft").At(p.pos))
	} else {
		fn(d)
	}
	p.plan, p.err = d.resolve(p)
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
