package pipelinetest

import (
	"cmp"
	"slices"

	"github.com/spillway-go/spillway/pipeline/expr"
)

// asServed gives the rows that the stream answers, in the order in which it does: those of one record by ask time, then key.
func (o *Oracle) asServed() []Row {
	var rows []Row
	if o.plan.Tick == 0 {
		for _, e := range filter(o.Events, (*Event).entered) {
			row := Row{Key: e.Key, AskTime: e.Time, Partition: e.Partition, Offset: e.Offset}
			rows = append(rows, o.answer(AsServed, row))
		}
		return rows
	}
	open := o.ticks()
	standing := map[tick]Row{} // the newest answer of each tick, withheld ones too
	for _, e := range o.Events {
		for p := e.Partition; len(open[p]) > 0 && e.After.Reached(open[p][0].at); open[p] = open[p][1:] {
			rows = append(rows, o.settle(e, open[p][0], standing)...)
		}
		rows = append(rows, o.revise(e, standing)...)
	}
	return rows
}

// tick is a tick of one key.
type tick struct {
	key string
	at  int64
}

// ticks are, by partition, the ticks at which an event that enters state can matter, by time, then key.
func (o *Oracle) ticks() map[int32][]tick {
	ticks := map[int32][]tick{}
	for _, e := range filter(o.Events, (*Event).entered) {
		for _, t := range o.ticksOf(e) {
			ticks[e.Partition] = append(ticks[e.Partition], tick{e.Key, t})
		}
	}
	for p := range ticks {
		slices.SortFunc(ticks[p], func(a, b tick) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
		ticks[p] = slices.Compact(ticks[p])
	}
	return ticks
}

// settle answers a tick that the record lifts the watermark to or beyond, if the key has a row there by then.
func (o *Oracle) settle(e *Event, a tick, standing map[tick]Row) []Row {
	if !o.exists(o.knownAt(a.key, e), a.at) {
		return nil
	}
	row := Row{Key: a.key, AskTime: a.at, Partition: e.Partition, Offset: e.Offset}
	standing[a] = o.answer(AsServed, row)
	return []Row{standing[a]}
}

// revise answers again the settled ticks whose row a late event brings about, or whose live values it changes.
func (o *Oracle) revise(e *Event, standing map[tick]Row) []Row {
	if e.Class != Late {
		return nil
	}
	var rows []Row
	known := o.knownAt(e.Key, e)
	for _, t := range o.ticksOf(e) {
		if !e.After.Reached(t) || !o.exists(known, t) {
			continue
		}
		old, stood := standing[tick{e.Key, t}]
		row := Row{Key: e.Key, AskTime: t, Partition: e.Partition, Offset: e.Offset, Revision: old.Revision + 1}
		row = o.answer(AsServed, row)
		if stood && slices.EqualFunc(old.Values, row.Values, identical) {
			continue
		}
		standing[tick{e.Key, t}] = row
		rows = append(rows, row)
	}
	return rows
}

// knownAt is what the stream knows of a key of the record's partition once it has read the record.
func (o *Oracle) knownAt(key string, e *Event) []*Event {
	return filter(o.served[key], func(x *Event) bool { return x.Offset <= e.Offset })
}

// identical compares canonical values: NaN is identical to itself.
func identical(a, b expr.Datum) bool { return a == b || a.F != a.F && b.F != b.F }
