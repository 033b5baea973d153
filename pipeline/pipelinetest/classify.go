package pipelinetest

import (
	"fmt"
	"math"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Class is what becomes of one record (S9).
type Class uint8

// The classes, in the order in which the first that applies is taken.
const (
	Dead Class = iota
	Duplicate
	TooLate
	Filtered
	Late
	OnTime
	classes
)

var classNames = [...]string{"dead", "duplicate", "too late", "filtered", "late", "on time"}

// String is the class as fixtures write it.
func (c Class) String() string { return classNames[c] }

// Watermark is W of S3. The zero Watermark is minus infinity.
type Watermark struct {
	Known bool
	Time  int64
}

// Passed tells whether W is beyond the time: a record of that time is not on time.
func (w Watermark) Passed(t int64) bool { return w.Known && t < w.Time }

// Reached tells whether W is at the time or beyond: a tick of that time is settled.
func (w Watermark) Reached(t int64) bool { return w.Known && t <= w.Time }

func (w Watermark) lift(t int64) Watermark {
	if !w.Known || t > w.Time {
		return Watermark{true, t}
	}
	return w
}

// String is W in µs, or −∞.
func (w Watermark) String() string {
	if !w.Known {
		return "−∞"
	}
	return fmt.Sprint(w.Time)
}

// Event is a record as the plan sees it.
type Event struct {
	*Record
	Place         int // in the log
	Class         Class
	Reason        string    // why it is dead
	Before, After Watermark // of its partition
	Key, ID       string
	Time          int64
	valid         bool         // not dead, and its key not null
	passes        bool         // Where is true
	taken         []bool       // by feature: the feature's Where is true
	args          []expr.Datum // by feature: the aggregate's argument
}

// entered tells whether the event is in state: admitted, and passing Where.
func (e *Event) entered() bool { return e.Class == Late || e.Class == OnTime }

// Classify reads the log as S3 and S9 say. The events are in the order of the log.
func Classify(plan *pipeline.Plan, log Log) []*Event {
	type name struct {
		partition int32
		key, id   string
	}
	src := &plan.Source
	watermarks := map[int32]Watermark{}
	admitted := map[name][]int64{} // the times of the events admitted under that name
	var events []*Event
	for i := range log {
		e := read(plan, &log[i])
		e.Place = i
		events = append(events, e)
		w := watermarks[e.Partition]
		e.Before, e.After = w, w
		if !e.valid {
			continue
		}
		tooLate := func(t int64) bool { return w.Passed(t + src.Lateness) }
		id := name{e.Partition, e.Key, e.ID}
		remembered := false
		for _, t := range admitted[id] {
			remembered = remembered || !tooLate(t)
		}
		switch {
		case src.ID >= 0 && remembered:
			e.Class = Duplicate
			continue // Neither its content nor its time matters.
		case tooLate(e.Time):
			e.Class = TooLate
			continue
		case !e.passes:
			e.Class = Filtered
		case w.Passed(e.Time):
			e.Class = Late
		default:
			e.Class = OnTime
		}
		admitted[id] = append(admitted[id], e.Time)
		e.After = w.lift(e.Time - src.OutOfOrder)
		watermarks[e.Partition] = e.After
	}
	return events
}

const (
	goZeroTime int64 = -62135596800 * 1_000_000         // 0001-01-01T00:00Z
	lastTime   int64 = 253402300799*1_000_000 + 999_999 // 9999-12-31T23:59:59.999999Z
)

// read evaluates the plan's expressions on a record, or tells why it is dead.
func read(plan *pipeline.Plan, r *Record) *Event {
	src := &plan.Source
	e := &Event{Record: r, Class: Dead}
	if r.Fault != "" {
		e.Reason = r.Fault
		return e
	}
	key, at := r.Values[src.Key], r.Values[src.Time]
	e.Key, e.Time = key.S, at.I
	switch {
	case key.Null && src.SkipNullKey:
		e.Class = Filtered // whatever else it holds: it is no entity's
		return e
	case key.Null:
		e.Reason = "null key"
	case at.Null:
		e.Reason = "null time"
	case src.ID >= 0 && r.Values[src.ID].Null:
		e.Reason = "null id"
	case at.I == goZeroTime:
		e.Reason = "zero time"
	case at.I < goZeroTime || at.I > lastTime:
		e.Reason = "not in the years 1 to 9999"
	case at.I > r.Stamp+src.Ahead:
		e.Reason = "ahead"
	}
	if e.Reason != "" {
		return e
	}
	if src.ID >= 0 {
		e.ID = r.Values[src.ID].S
	}
	v := evaluator{row: r.Values}
	predicate := func(n *expr.Node) bool { return n == nil || isTrue(v.eval(n)) }
	e.passes = predicate(plan.Where)
	for i := range plan.Features {
		spec := &plan.Features[i].Agg
		e.taken = append(e.taken, predicate(spec.Where))
		arg := null
		if spec.Arg != nil {
			arg = canonical(spec.Arg.Kind, v.eval(spec.Arg))
		}
		e.args = append(e.args, arg)
	}
	if v.overflow {
		e.Reason = "overflow"
		return e
	}
	e.valid = true
	return e
}

// canonical is the one representative of the values that count as equal: +0 for −0, and one NaN.
func canonical(kind schema.Kind, d expr.Datum) expr.Datum {
	switch {
	case kind != schema.Float || d.Null:
		return d
	case d.F != d.F:
		return expr.Datum{F: math.NaN()}
	case d.F == 0:
		return expr.Datum{F: 0}
	}
	return d
}

// Account is S9's for one partition: the gap and the counts add up to Next − First.
type Account struct {
	First, Next int64
	Gap         int64
	Counts      [classes]int64
}

// Accounts counts the classes of each partition's records.
func Accounts(events []*Event) map[int32]Account {
	accounts := map[int32]Account{}
	for _, e := range events {
		a, ok := accounts[e.Partition]
		if !ok {
			a.First, a.Next = e.Offset, e.Offset
		}
		a.Gap += e.Offset - a.Next
		a.Next = e.Offset + 1
		a.Counts[e.Class]++
		accounts[e.Partition] = a
	}
	return accounts
}
