package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// event is one that the stream's state or truth holds, and that passes the pipeline's Where.
type event struct {
	at, offset, stamp int64
	place             place
	class             kernel.Class // what the stream made of it: Late, OnTime or TooLate
	truth             bool         // it is the first of its id
}

// admitted tells whether the event entered the stream's state.
func (e *event) admitted() bool { return e.class != kernel.TooLate }

// known tells whether the stream knew of the event once it had read up to a frontier.
func (e *event) known(frontier int64) bool { return e.admitted() && e.offset < frontier }

// history is all that is to be known about one key.
type history struct {
	programs  *programs
	partition int32
	classes   *classes
	mark      Mark
	arrived   []arrow.RecordBatch // all its records, by offset
	entered   [][]bool            // of these, which entered state
	events    []event             // by position (S1)
	batch     arrow.RecordBatch   // the events' records, in their order

	late, onTime, tooLate, copies arrivals
}

// programs are the plan as it is executed again.
type programs struct {
	plan    *pipeline.Plan
	fold    *kernel.Program // the live features
	all     *kernel.Program // all features
	truth   *kernel.Program // of these two, what truth's rows were computed by
	arrival *kernel.Program // the same, asked at every event, of whatever is put in
	screen  *kernel.Fold    // computes nothing, and only tells what Where keeps
	rows    *kernel.Rows    // scratch for arrival
	live    []int           // the live features among all
	narrow  kernel.Rows     // scratch for liveOf
}

func newPrograms(plan *pipeline.Plan) (*programs, error) {
	p := &programs{plan: plan}
	var err error
	if p.fold, err = kernel.Compile(plan, kernel.Live); err != nil {
		return nil, err
	}
	if p.all, err = kernel.Compile(plan, kernel.All); err != nil {
		return nil, err
	}
	p.truth = p.fold
	for i := range plan.Features {
		if plan.Features[i].Live() {
			p.live = append(p.live, i)
		}
	}
	// What enters is decided before: here nothing is a duplicate, and nothing too late. A quarter of all time is enough.
	open := *plan
	open.Tick, open.Source.ID, open.Source.Lateness = 0, -1, math.MaxInt64/4
	if p.arrival, err = kernel.Compile(&open, kernel.Live); err != nil {
		return nil, err
	}
	bare, err := classifier(&open)
	if err != nil {
		return nil, err
	}
	p.screen = kernel.NewFold(bare, nil, func(*kernel.Rows) error { return nil })
	p.rows = p.arrival.NewRows()
	return p, nil
}

// partitionClasses gives the classes of a partition's records.
type partitionClasses func(partition int32) (*classes, error)

// newHistory sorts out the records of a key, of which there is at least one, and releases them when it is closed.
func newHistory(p *programs, arrived []arrow.RecordBatch, f Frontier, partitions partitionClasses) (*history, error) {
	h := &history{programs: p, arrived: arrived}
	if err := h.sortOut(f, partitions); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *history) close() {
	releaseAll(h.arrived)
	if h.batch != nil {
		h.batch.Release()
	}
}

func (h *history) sortOut(frontier Frontier, partitions partitionClasses) error {
	columns := len(h.programs.plan.Source.Schema.Fields)
	first, ok := h.arrived[0].Column(columns).(*array.Int32)
	if !ok {
		return fault.New("the log", "gives records without a partition", "give them in the layout of schema.Log")
	}
	h.partition = first.Value(0)
	h.mark = frontier[h.partition]
	var err error
	if h.classes, err = partitions(h.partition); err != nil {
		return err
	}
	ids := map[string]bool{}
	last := int64(-1)
	for b := range h.arrived {
		if last, err = h.sortBatch(int32(b), last, ids); err != nil {
			return err
		}
	}
	slices.SortFunc(h.events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.offset, b.offset)) })
	order := make([]place, len(h.events))
	for i := range h.events {
		order[i] = h.events[i].place
	}
	if h.batch, err = gather(h.arrived, order); err != nil {
		return err
	}
	h.index()
	return nil
}

// sortBatch adds the events of batch b, whose offsets must lie behind last.
func (h *history) sortBatch(b int32, last int64, ids map[string]bool) (int64, error) {
	src := &h.programs.plan.Source
	batch, columns := h.arrived[b], len(src.Schema.Fields)
	offsets, err := offsetsOf(batch, src.Schema)
	if err != nil {
		return 0, err
	}
	parts, ok1 := batch.Column(columns).(*array.Int32)
	stamps, ok2 := micros(batch.Column(columns + 2))
	times, ok3 := micros(batch.Column(src.Time))
	if !ok1 || !ok2 || !ok3 {
		return 0, fault.New("the log", "gives records whose partition or times are of other types",
			"give them in the layout of schema.Log")
	}
	var names *array.String
	if src.ID >= 0 {
		var ok bool
		if names, ok = batch.Column(src.ID).(*array.String); !ok {
			return 0, fault.New("the log", "gives records whose id is no text", "give them in the layout of schema.Log")
		}
	}
	entered := make([]bool, len(offsets))
	h.entered = append(h.entered, entered)
	for i, offset := range offsets {
		if parts.Value(i) != h.partition {
			return 0, fault.New("the log", fmt.Sprintf("has a key in the partitions %d and %d", h.partition, parts.Value(i)),
				"key the source by the entity, and keep its number of partitions")
		}
		if offset <= last {
			return 0, fault.New("the log", fmt.Sprintf("gives offset %d of partition %d behind %d", offset, h.partition, last),
				"sort the records by key (as bytes), partition and offset")
		}
		last = offset
		class, ok := h.classes.of(offset)
		if !ok {
			where := fmt.Sprintf("gives %d/%d among a key's records, but not among the partition's", h.partition, offset)
			return 0, fault.New("the log", where, "read both at one snapshot")
		}
		if class == kernel.Dead || class == kernel.Duplicate {
			continue
		}
		e := event{at: times[i], offset: offset, stamp: stamps[i], place: place{b, int32(i)}, class: class, truth: true}
		if names != nil {
			e.truth = !ids[names.Value(i)]
			ids[names.Value(i)] = true
		}
		entered[i] = class == kernel.Late || class == kernel.OnTime
		if class == kernel.TooLate {
			if !e.truth {
				continue
			}
			passes, err := h.passes(batch, i)
			if err != nil {
				return 0, err
			}
			if !passes {
				continue
			}
		}
		if class != kernel.Filtered {
			h.events = append(h.events, e)
		}
	}
	return last, nil
}

// passes tells whether the pipeline's Where keeps record i, which the stream never asked of a record that came too late.
func (h *history) passes(batch arrow.RecordBatch, i int) (bool, error) {
	one := batch.NewSlice(int64(i), int64(i)+1)
	defer one.Release()
	before := h.programs.screen.Summary().Filtered
	err := h.programs.screen.Push(one)
	return h.programs.screen.Summary().Filtered == before, err
}

// index prepares the look for causes.
func (h *history) index() {
	for i := range h.events {
		e := &h.events[i]
		switch {
		case !e.truth:
			h.copies.add(i, -e.offset)
		case e.class == kernel.Late:
			h.late.add(i, e.offset)
		case e.class == kernel.OnTime:
			h.onTime.add(i, e.offset)
		default:
			h.tooLate.add(i, e.offset)
		}
	}
	for _, a := range []*arrivals{&h.late, &h.onTime, &h.tooLate, &h.copies} {
		a.build()
	}
}

// within is the range of events that can matter to an ask: from the start of its windows to its place.
func (h *history) within(a *ask) (lo, hi int) {
	start := func(from int64) int {
		i, _ := slices.BinarySearchFunc(h.events, from, func(e event, at int64) int { return cmp.Compare(e.at, at) })
		return i
	}
	plan := h.programs.plan
	if plan.Tick > 0 {
		// Whether a row stands at a tick is also a matter of the tick before (the closing row), and of all windows (S2).
		from := a.at - plan.Tick
		return start(from - plan.LongestWindow(from)), start(a.at)
	}
	from := a.at
	for i := range plan.Features {
		if f := &plan.Features[i]; f.Live() {
			from = min(from, f.Window.Start(a.at))
		}
	}
	hi, found := slices.BinarySearchFunc(h.events, a, func(e event, a *ask) int {
		return cmp.Or(cmp.Compare(e.at, a.at), cmp.Compare(e.offset, a.offset))
	})
	if found {
		hi++
	}
	return start(from), hi
}

// causesIn are the causes of the events in [lo, hi) that one side knows of and the other does not, where the stream had
// read up to frontier.
func (h *history) causesIn(lo, hi int, frontier int64) causeSet {
	var s causeSet
	if h.late.reach(lo, hi, frontier) {
		s = s.with(Late)
	}
	if h.onTime.reach(lo, hi, frontier) {
		s = s.with(ArrivedLater)
	}
	if h.tooLate.reach(lo, hi, math.MinInt64) {
		s = s.with(TooLate)
	}
	if h.copies.reach(lo, hi, 1-frontier) { // -offset ≥ 1-frontier: it was known
		s = s.with(ForgottenDuplicate)
	}
	return s
}

// causeOf is why only one side knows of an event; false when both do, or neither.
func (e *event) causeOf(frontier int64) (Cause, bool) {
	switch known := e.known(frontier); {
	case known == e.truth:
		return 0, false
	case known:
		return ForgottenDuplicate, true
	case e.class == kernel.Late:
		return Late, true
	case e.class == kernel.OnTime:
		return ArrivedLater, true
	}
	return TooLate, true
}
