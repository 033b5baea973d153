package pipelinetest

import (
	"cmp"
	"math"
	"slices"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Oracle answers any ask of a plan over a log by filtering and folding a sorted slice.
type Oracle struct {
	Events []*Event // in the order of the log
	plan   *pipeline.Plan
	served map[string][]*Event // by key: what entered state, sorted by position
	truth  map[string][]*Event // by key: the first event of each id, sorted by position
}

// NewOracle reads the log as the plan says.
func NewOracle(plan *pipeline.Plan, log Log) *Oracle {
	o := &Oracle{plan: plan, Events: Classify(plan, log), served: map[string][]*Event{}, truth: map[string][]*Event{}}
	first := map[[2]string]bool{}
	for _, e := range o.Events {
		if e.entered() {
			o.served[e.Key] = append(o.served[e.Key], e)
		}
		if e.valid && (plan.Source.ID < 0 || !first[[2]string{e.Key, e.ID}]) {
			first[[2]string{e.Key, e.ID}] = true
			if e.passes {
				o.truth[e.Key] = append(o.truth[e.Key], e)
			}
		}
	}
	for _, key := range o.keys() {
		slices.SortFunc(o.served[key], position)
		slices.SortFunc(o.truth[key], position)
	}
	return o
}

// position is the total order of a key's events (S1).
func position(a, b *Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
}

func (o *Oracle) keys() []string {
	var keys []string
	for _, e := range o.Events {
		if e.valid {
			keys = append(keys, e.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func filter(events []*Event, keep func(*Event) bool) []*Event {
	var kept []*Event
	for _, e := range events {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

// Window gives the events, in order, of feature f's window at the ask that the row answers.
func (o *Oracle) Window(r Reading, row *Row, f int) []*Event {
	return since(o.Before(r, row), o.plan.Features[f].Window.Start(row.AskTime))
}

func since(events []*Event, start int64) []*Event {
	return filter(events, func(e *Event) bool { return e.Time >= start })
}

// Before gives the events of the row's key, in order, that the answer knows and that lie before the ask's place.
func (o *Oracle) Before(r Reading, row *Row) []*Event {
	var known []*Event
	switch r {
	case AsServed:
		known = filter(o.served[row.Key], func(e *Event) bool { return e.Offset <= row.Offset })
	case Truth, Training:
		known = o.truth[row.Key]
	case Serving:
		known = filter(o.served[row.Key], func(e *Event) bool { return e.Place < row.After })
	case ByArrival:
		known = filter(o.served[row.Key], func(e *Event) bool { return e.Stamp <= row.AskTime })
	}
	if o.plan.Tick > 0 || r.Asked() {
		return filter(known, func(e *Event) bool { return e.Time < row.AskTime })
	}
	return filter(known, func(e *Event) bool { return e.Time < row.AskTime || e.Time == row.AskTime && e.Offset <= row.Offset })
}

// answer gives the row its values: each feature of the reading folded over its window.
func (o *Oracle) answer(r Reading, row Row) Row {
	before := o.Before(r, &row)
	for _, f := range r.Features(o.plan) {
		feature := &o.plan.Features[f]
		value := fold(feature, f, since(before, feature.Window.Start(row.AskTime)))
		row.Values = append(row.Values, value)
		row.Dead = row.Dead || value == misfit
	}
	return row
}

// Answer gives the rows of the reading; asks are those of serving and training, and are answered in their order.
func (o *Oracle) Answer(r Reading, asks []Ask) []Row {
	switch r {
	case AsServed:
		return o.asServed()
	case Truth:
		return o.inTruth()
	}
	var rows []Row
	for _, a := range asks {
		rows = append(rows, o.answer(r, Row{Key: a.Key, AskTime: a.Time, After: a.After, Partition: -1, Offset: -1}))
	}
	return rows
}

// inTruth gives the rows of truth, by key and position.
func (o *Oracle) inTruth() []Row {
	var rows []Row
	for _, key := range o.keys() {
		if o.plan.Tick > 0 {
			rows = append(rows, o.truthTicks(key)...)
			continue
		}
		for _, e := range o.truth[key] {
			rows = append(rows, o.answer(Truth, Row{Key: key, AskTime: e.Time, Partition: e.Partition, Offset: e.Offset}))
		}
	}
	return rows
}

func (o *Oracle) truthTicks(key string) []Row {
	var final Watermark
	asks := map[int64]bool{}
	for _, e := range o.truth[key] {
		for _, t := range o.ticksOf(e) {
			asks[t] = true
		}
		final = o.Watermarks()[e.Partition]
	}
	var rows []Row
	for t := range asks {
		if final.Reached(t) && o.exists(o.truth[key], t) {
			rows = append(rows, o.answer(Truth, Row{Key: key, AskTime: t, Partition: -1, Offset: -1}))
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.AskTime, b.AskTime) })
	return rows
}

// Watermarks are the partitions' watermarks after the whole log.
func (o *Oracle) Watermarks() map[int32]Watermark {
	ws := map[int32]Watermark{}
	for _, e := range o.Events {
		ws[e.Partition] = e.After
	}
	return ws
}

// start is the least lower bound of the plan's windows, historical ones among them, asked at t.
func (o *Oracle) start(t int64) int64 {
	start := int64(math.MaxInt64)
	for f := range o.plan.Features {
		start = min(start, o.plan.Features[f].Window.Start(t))
	}
	return start
}

// exists tells whether a key with these events has a row at tick t: a window holds one of them, or did so at the tick before.
func (o *Oracle) exists(events []*Event, t int64) bool {
	return slices.ContainsFunc(events, func(e *Event) bool {
		before := t - o.plan.Tick
		return o.start(t) <= e.Time && e.Time < t || o.start(before) <= e.Time && e.Time < before
	})
}

// ticksOf are the ticks at which the event can matter: those whose windows may hold it, and the first that do not.
func (o *Oracle) ticksOf(e *Event) []int64 {
	t := window.Floor(e.Time, o.plan.Tick) + o.plan.Tick
	ticks := []int64{t}
	for o.start(t) <= e.Time {
		t += o.plan.Tick
		ticks = append(ticks, t)
	}
	return ticks
}
