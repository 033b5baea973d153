package hostile

import (
	"slices"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Fails tells whether something still fails for the plan over the log.
type Fails func(fixture.Plan, pipelinetest.Log) bool

// Shrink gives a smaller plan and log for which fails is still true: it leaves out features, the Where, records and values,
// as long as something can be left out, or until fails has been asked the given number of times.
func Shrink(p fixture.Plan, log pipelinetest.Log, tries int, fails Fails) (fixture.Plan, pipelinetest.Log) {
	try := func(q fixture.Plan, l pipelinetest.Log) bool {
		if tries == 0 {
			return false
		}
		tries--
		if !fails(q, l) {
			return false
		}
		p, log = q, l
		return true
	}
	for _, features := range fewer(p.Features) {
		q := p
		q.Features = features
		if try(q, log) {
			break
		}
	}
	if p.Where != "" {
		q := p
		q.Where = ""
		try(q, log)
	}
	for size := len(log) / 2; size > 0; {
		shrunk := false
		for end := len(log); end > 0; end = min(end-size, len(log)) {
			part := slices.Concat(log[:max(0, end-size)], log[end:])
			shrunk = try(p, part) || shrunk
		}
		if !shrunk || size > len(log) {
			size = min(size, len(log)) / 2
		}
	}
	for c, f := range fixture.Fields {
		if f.Role == schema.Plain {
			try(p, without(log, c))
		}
	}
	return p, log
}

// without gives the log with nulls in column c.
func without(log pipelinetest.Log, c int) pipelinetest.Log {
	log = slices.Clone(log)
	for i := range log {
		if log[i].Values != nil {
			log[i].Values = slices.Clone(log[i].Values)
			log[i].Values[c] = expr.Datum{Null: true}
		}
	}
	return log
}

// fewer gives each feature alone, then each pair.
func fewer(features []string) [][]string {
	var choices [][]string
	for _, f := range features {
		choices = append(choices, []string{f})
	}
	for i, f := range features {
		for _, g := range features[i+1:] {
			choices = append(choices, []string{f, g})
		}
	}
	return choices
}
