package pipelinetest

import (
	"cmp"
	"slices"

	"github.com/spillway-go/spillway/pipeline/expr"
)

// asServed gives the rows that the stream answers, in the order in which it does: those of one record by ask time, then key.
func (o *Oracle) asServed() []Row {
	var rows []Row
	standing := map[tick]Row{} // the newest answer of each tick, withheld ones too
	for _, e := range o.Events {
		switch {
		case o.plan.Tick > 0:
			rows = append(rows, o.settle(e, standing)...)
			rows = append(rows, o.revise(e, standing)...)
		case e.entered():
			row := Row{Key: e.Key, AskTime: e.Time, Partition: e.Partition, Offset: e.Offset}
			rows = append(rows, o.answer(AsServed, row))
		}
	}
	return rows
}

type tick struct {
	key string
	at  int64
}

// settle answers the ticks that the record lifts the watermark to or beyond.
func (o *Oracle) settle(e *Event, standing map[tick]Row) []Row {
	if e.After == e.Before {
		return nil
	}
	asks := map[tick]bool{}
	for _, x := range o.Events {
		if x.Partition != e.Partition || x.Offset > e.Offset || !x.entered() {
			continue
		}
		for _, t := range o.ticksOf(x) {
			if e.After.Reached(t) && !e.Before.Reached(t) {
				asks[tick{x.Key, t}] = true
			}
		}
	}
	var rows []Row
	for a := range asks {
		if o.exists(o.knownAt(a.key, e), a.at) {
			row := Row{Key: a.key, AskTime: a.at, Partition: e.Partition, Offset: e.Offset}
			standing[a] = o.answer(AsServed, row)
			rows = append(rows, standing[a])
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(cmp.Compare(a.AskTime, b.AskTime), cmp.Compare(a.Key, b.Key)) })
	return rows
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
