package reconcile

import (
	"cmp"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// ask is one that the sides answer differently.
type ask struct {
	at        int64
	partition int32
	offset    int64 // of an event's ask: the event's; of a tick: that of the record behind the served row, or -1
	revision  int32
	served    int // rows of the differences, or -1
	truth     int

	// What executing the key again has shown.
	servedAgain, truthAgain rowState
	servedHolds, truthHolds bool // it gives the side's answer
	why                     explanation
}

// rowState is what a side has for an ask.
type rowState uint8

const (
	noRow    rowState = iota
	withheld          // an answer that fits no field
	row
)

var rowStateNames = [...]string{"none", "withheld", "row"}

// differences are the asks of one key that the sides answer differently, by time and offset.
type differences struct {
	ticks         bool
	asks          []ask
	served, truth *kernel.Rows
}

// find is the ask at a time, of the event at an offset (ticks have one ask a time), or nil.
func (d *differences) find(at, offset int64) *ask {
	i, ok := slices.BinarySearchFunc(d.asks, at, func(a ask, at int64) int {
		if c := cmp.Compare(a.at, at); c != 0 || d.ticks {
			return c
		}
		return cmp.Compare(a.offset, offset)
	})
	if !ok {
		return nil
	}
	return &d.asks[i]
}

// pushRows is how many records go into the kernel at once.
const pushRows = 1 << 14

// push gives the rows of the batch that keep admits to fn, in slices.
func push(batch arrow.RecordBatch, lo, hi int, keep func(int) bool, fn func(arrow.RecordBatch) error) error {
	for lo < hi {
		if !keep(lo) {
			lo++
			continue
		}
		end := lo + 1
		for end < hi && end-lo < pushRows && keep(end) {
			end++
		}
		s := batch.NewSlice(int64(lo), int64(end))
		err := fn(s)
		s.Release()
		if err != nil {
			return err
		}
		lo = end
	}
	return nil
}

// execution is what a fold of some of the key's events gives.
type execution struct {
	row      func(rows *kernel.Rows, i int)
	withheld func(at, offset int64)
}

// fold executes the events [lo, hi) that keep admits, as truth is: the asks are those of these events, or the ticks up to
// final.
func (h *history) fold(p *kernel.Program, lo, hi int, final Mark, keep func(int) bool, x execution) error {
	f := kernel.NewFold(p,
		func(int32) (int64, bool) { return final.Watermark, final.Known },
		func(rows *kernel.Rows) error {
			for i := range rows.Len() {
				x.row(rows, i)
			}
			return nil
		}).EveryCopy()
	if err := push(h.batch, lo, hi, keep, f.Push); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, a := range f.DeadAnswers() {
		x.withheld(a.AskTime, a.Offset)
	}
	return nil
}

// arrivals executes what entered the state in the order of its arrival, as the stream did, each event's ask as it comes.
func (h *history) arrival(x execution) error {
	task := kernel.NewTask(h.programs.arrival, h.partition)
	rows := h.programs.rows
	for b, batch := range h.arrived {
		offsets, err := offsetsOf(batch, h.programs.plan.Source.Schema)
		if err != nil {
			return err
		}
		at := 0
		keep := func(i int) bool { return h.entered[b][i] }
		err = push(batch, 0, len(offsets), keep, func(s arrow.RecordBatch) error {
			for !keep(at) {
				at++
			}
			at += int(s.NumRows())
			rows.Reset()
			if err := task.Push(s, offsets[at-1]+1, rows); err != nil {
				return err
			}
			for i := range rows.Len() {
				x.row(rows, i)
			}
			for _, a := range task.DeadAnswers() {
				x.withheld(a.AskTime, a.Offset)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// replayServed derives the served answers again: from what the stream knew when it gave each. A tick's last revision is
// what it knows at the frontier of the comparison.
func (h *history) replayServed(d *differences) error {
	x := execution{
		row: func(rows *kernel.Rows, i int) {
			if a := d.find(rows.AskTime[i], rows.Offset[i]); a != nil {
				a.servedAgain = row
				a.servedHolds = a.served >= 0 && sameValues(rows, i, d.served, a.served)
			}
		},
		withheld: func(at, offset int64) {
			if a := d.find(at, offset); a != nil {
				a.servedAgain = withheld
			}
		},
	}
	var err error
	if d.ticks {
		err = h.fold(h.programs.fold, 0, len(h.events), h.mark, func(i int) bool { return h.events[i].known(h.mark.Next) }, x)
	} else {
		err = h.arrival(x)
	}
	if err != nil {
		return err
	}
	for i := range d.asks {
		a := &d.asks[i]
		if a.servedAgain == row {
			continue
		}
		a.servedHolds = a.served < 0
		if d.ticks && a.servedAgain == withheld && a.served >= 0 {
			// The newest answer was withheld, so an older revision stands: it must be that of its own frontier.
			if err := h.replayRevision(d, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// replayRevision derives the served row of a tick from what the stream knew when it gave that revision.
func (h *history) replayRevision(d *differences, a *ask) error {
	lo, hi := h.within(a)
	got, err := h.answer(a, lo, hi, func(i int) bool { return h.events[i].known(a.offset + 1) })
	if err != nil {
		return err
	}
	a.servedHolds = got.state == row && sameValues(got.rows, 0, d.served, a.served)
	return nil
}

// replayTruth derives truth's answers again: from all events, the first of each id.
func (h *history) replayTruth(d *differences) error {
	err := h.fold(h.programs.truth, 0, len(h.events), h.mark, func(i int) bool { return h.events[i].truth }, execution{
		row: func(rows *kernel.Rows, i int) {
			if a := d.find(rows.AskTime[i], rows.Offset[i]); a != nil {
				a.truthAgain = row
				a.truthHolds = a.truth >= 0 && sameValues(h.programs.liveOf(rows), i, d.truth, a.truth)
			}
		},
		withheld: func(at, offset int64) {
			if a := d.find(at, offset); a != nil {
				a.truthAgain = withheld
			}
		},
	})
	for i := range d.asks {
		if a := &d.asks[i]; a.truthAgain != row {
			a.truthHolds = a.truth < 0
		}
	}
	return err
}

// liveOf gives truth's rows with the live features only.
func (p *programs) liveOf(rows *kernel.Rows) *kernel.Rows {
	if p.truth == p.fold {
		return rows
	}
	p.narrow.Columns = p.narrow.Columns[:0]
	for _, c := range p.live {
		p.narrow.Columns = append(p.narrow.Columns, rows.Columns[c])
	}
	return &p.narrow
}

// answer is what some events give for one ask.
type answer struct {
	state rowState
	rows  *kernel.Rows // one row, when the state is row
}

// answer executes the events [lo, hi) that keep admits for one ask.
func (h *history) answer(a *ask, lo, hi int, keep func(int) bool) (answer, error) {
	var got answer
	ticks := h.programs.plan.Tick > 0
	asked := func(at, offset int64) bool { return at == a.at && (ticks || offset == a.offset) }
	err := h.fold(h.programs.fold, lo, hi, Mark{Next: math.MaxInt64, Watermark: a.at, Known: true}, keep, execution{
		row: func(rows *kernel.Rows, i int) {
			if asked(rows.AskTime[i], rows.Offset[i]) {
				got = answer{row, h.programs.fold.NewRows()}
				copyRow(got.rows, rows, i)
			}
		},
		withheld: func(at, offset int64) {
			if asked(at, offset) {
				got = answer{state: withheld}
			}
		},
	})
	return got, err
}

// givesTruth tells whether the answer is truth's. No row and a withheld one are the same to who asks.
func (d *differences) givesTruth(a *ask, got answer) bool {
	if got.state != row || a.truth < 0 {
		return got.state != row && a.truth < 0
	}
	return sameValues(got.rows, 0, d.truth, a.truth)
}
