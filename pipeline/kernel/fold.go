package kernel

import (
	"bytes"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Fold answers the asks of truth (S10): of all valid events of the history, the first of each (key, id), whenever they
// arrived. It takes records sorted by (key, time, partition, offset) and gives rows by key, in the order of their asks. It
// keeps the state of one key at a time, and where events have ids also that key's rows, since a later one may turn out to
// be the first of its id.
type Fold struct {
	task    *Task
	final   func(partition int32) (micros int64, ok bool)
	emit    func(*Rows) error
	rows    *Rows
	key     []byte
	open    bool
	number  uint32
	pending []pending
	words   []uint64 // the rows of pending
	ids     *texts
	first   []int32 // the pending row of each id
	parts   []int32
	summary FoldSummary
	spine   Spine
	ask     Ask // the spine's next
	asking  bool
	every   bool // keep every copy of an id
}

// Ask is a key and a time: the ask of a label, or of a moment as of which values are published. It sits before every event
// at its time (S2).
type Ask struct {
	Key []byte
	At  int64 // µs
}

// Spine gives asks sorted by key and then time; false ends it. The key is the caller's again at the next call.
type Spine func() (Ask, bool)

type pending struct {
	at, offset int64
	partition  int32
	skip       bool // filtered, or not the first of its id
	id         uint32
}

// FoldSummary is what became of the records of a fold.
type FoldSummary struct{ Records, Dead, Duplicate, Filtered, Kept, Answers int64 }

const flushRows = 1 << 15

// NewFold makes a fold. Final gives the watermark of a partition at the frontier, up to which ticks are settled; emit takes
// the rows, which are valid until it returns.
func NewFold(p *Program, final func(partition int32) (micros int64, ok bool), emit func(*Rows) error) *Fold {
	f := &Fold{task: NewTask(p, 0), final: final, emit: emit, rows: p.NewRows()}
	if p.plan.Source.ID >= 0 {
		f.ids = newTexts()
	}
	return f
}

// Along makes the fold answer the asks of a spine, one row each and in their order, instead of those of the events or ticks.
// A key without events has the answers of nothing. It is called before the first Push.
func (f *Fold) Along(s Spine) *Fold {
	f.spine = s
	f.ask, f.asking = s()
	return f
}

// EveryCopy makes the fold take every record of an id, not only the first: to answer from a given set of events.
func (f *Fold) EveryCopy() *Fold {
	f.every = true
	return f
}

// Summary is what became of the records so far.
func (f *Fold) Summary() FoldSummary { return f.summary }

// DeadAnswers are the answers so far that fit no field.
func (f *Fold) DeadAnswers() []DeadAnswer { return f.task.answers }

// Push takes the next records, in the layout of schema.Log.
func (f *Fold) Push(rec arrow.RecordBatch) error {
	t := f.task
	answers := t.answers
	if err := t.load(rec); err != nil {
		return err
	}
	t.answers = answers
	for at := 0; at < len(t.classes); at += aheadRows {
		t.guessTexts(at, min(at+aheadRows, len(t.classes)))
	}
	parts, ok := rec.Column(int(rec.NumCols()) - 5).(*array.Int32)
	if !ok {
		return fmt.Errorf("kernel: a batch that is not laid out as schema.Log: %v", rec.Schema())
	}
	f.parts = parts.Int32Values()
	for i := range t.classes {
		f.summary.Records++
		class, _ := t.validate(i)
		if class != OnTime {
			if class == Dead {
				f.summary.Dead++
			} else {
				f.summary.Filtered++
			}
			continue
		}
		if err := f.record(i); err != nil {
			return err
		}
	}
	return nil
}

// Close answers what is left. The fold is of no use after it.
func (f *Fold) Close() error {
	if err := f.closeKey(); err != nil {
		return err
	}
	for f.asking {
		if err := f.askNothing(); err != nil {
			return err
		}
	}
	return f.flush()
}

func (f *Fold) record(i int) error {
	t := f.task
	name := t.regs.v[t.prog.keyReg()].text(i)
	if !f.open || string(name) != string(f.key) {
		if err := f.closeKey(); err != nil {
			return err
		}
		for f.asking && bytes.Compare(f.ask.Key, name) < 0 {
			if err := f.askNothing(); err != nil {
				return err
			}
		}
		f.key = append(f.key[:0], name...)
		f.open = true
		f.number = t.key(f.key, never)
	}
	p := pending{at: int64(t.matrix[i*t.prog.rowWords]), offset: t.columns.offset[i], partition: f.parts[i]}
	filtered := t.prog.where >= 0 && !t.isTrue(t.prog.where, i)
	p.skip = filtered
	if f.ids == nil || f.every {
		if filtered {
			f.summary.Filtered++
			return nil
		}
		return f.take(&p, t.hold(i))
	}
	f.enter(i, &p)
	row := t.matrix[i*t.prog.rowWords : (i+1)*t.prog.rowWords]
	if !p.skip {
		row = t.hold(i)
	}
	f.words = append(f.words, row...)
	f.pending = append(f.pending, p)
	return nil
}

// enter finds which record of the id is the first by offset: all of a key's are of one partition.
func (f *Fold) enter(i int, p *pending) {
	t := f.task
	p.id = f.ids.hold(t.regs.v[t.prog.idReg()].text(i))
	for int(p.id) >= len(f.first) {
		f.first = append(f.first, -1)
	}
	was := f.first[p.id]
	switch {
	case was < 0:
	case p.offset < f.pending[was].offset:
		f.lose(int(was))
		f.summary.Duplicate++
	default:
		p.skip = true
		f.summary.Duplicate++
		return
	}
	f.first[p.id] = int32(len(f.pending))
	if p.skip {
		f.summary.Filtered++
	}
}

// lose takes back a pending row that is not the first of its id after all.
func (f *Fold) lose(i int) {
	p := &f.pending[i]
	if p.skip {
		f.summary.Filtered--
		return
	}
	p.skip = true
	f.task.dropRow(f.row(i))
}

func (f *Fold) row(i int) []uint64 {
	w := f.task.prog.rowWords
	return f.words[i*w : (i+1)*w]
}

// closeKey folds the rows that wait and gives the ticks that are left.
func (f *Fold) closeKey() error {
	if !f.open {
		return nil
	}
	t := f.task
	for i := range f.pending {
		p := &f.pending[i]
		if !p.skip {
			if err := f.take(p, f.row(i)); err != nil {
				return err
			}
		}
	}
	for i := range f.pending {
		f.first[f.pending[i].id] = -1
		f.ids.drop(f.pending[i].id)
	}
	f.pending, f.words = f.pending[:0], f.words[:0]
	if f.spine != nil {
		if err := f.askUpTo(math.MaxInt64); err != nil {
			return err
		}
	} else if t.prog.plan.Tick > 0 {
		if w, ok := f.final(t.partition); ok {
			if err := f.settle(w); err != nil {
				return err
			}
		}
	}
	t.removeKey(f.number)
	f.open = false
	return nil
}

// take folds one event in, after the ticks that lie before it.
func (f *Fold) take(p *pending, row []uint64) error {
	t := f.task
	t.partition = p.partition
	f.summary.Kept++
	if f.spine != nil {
		if err := f.askUpTo(p.at); err != nil {
			return err
		}
		k := &t.keys[f.number]
		t.insert(k, row)
		return nil
	}
	if t.prog.plan.Tick > 0 {
		if w, ok := f.final(p.partition); ok {
			if err := f.settle(min(p.at, w)); err != nil {
				return err
			}
		}
	}
	k := &t.keys[f.number]
	at := t.insert(k, row)
	if t.prog.plan.Tick > 0 {
		if d := floorTo(p.at, t.ticks.period) + t.ticks.period; k.due == never || d < k.due {
			k.due = d
		}
		return nil
	}
	l := t.rows(k)
	t.seekAll(k, &l, p.at, at+1)
	t.emit(f.number, k, &l, p.at, at+1, p.offset, 0, f.rows)
	f.forget(k, p.at)
	return f.flushAt(flushRows)
}

// askUpTo answers the spine's asks of the open key at times up to t: every event before them has been taken.
func (f *Fold) askUpTo(at int64) error {
	t := f.task
	k := &t.keys[f.number]
	for f.asking && f.ask.At <= at && bytes.Equal(f.ask.Key, f.key) {
		l := t.rows(k)
		high := l.lower(f.ask.At)
		t.seekAll(k, &l, f.ask.At, high)
		t.emit(f.number, k, &l, f.ask.At, high, -1, 0, f.rows)
		f.forget(k, f.ask.At)
		f.ask, f.asking = f.spine()
		if err := f.flushAt(flushRows); err != nil {
			return err
		}
	}
	return nil
}

// askNothing answers the spine's next ask for a key without events.
func (f *Fold) askNothing() error {
	t := f.task
	num := t.key(f.ask.Key, never)
	k := &t.keys[num]
	l := t.rows(k)
	t.seekAll(k, &l, f.ask.At, 0)
	t.emit(num, k, &l, f.ask.At, 0, -1, 0, f.rows)
	t.removeKey(num)
	f.ask, f.asking = f.spine()
	return f.flushAt(flushRows)
}

// settle gives the key's rows at the ticks up to a time, all of whose events have been taken.
func (f *Fold) settle(upTo int64) error {
	t := f.task
	k := &t.keys[f.number]
	for k.due != never && k.due <= upTo {
		tick := k.due
		l := t.rows(k)
		if t.stands(k, &l, tick) {
			high := l.lower(tick)
			t.seekAll(k, &l, tick, high)
			t.emit(f.number, k, &l, tick, high, -1, 0, f.rows)
		}
		k.due = t.nextDue(k, &l, tick)
		f.forget(k, tick-t.ticks.period)
		if err := f.flushAt(flushRows); err != nil {
			return err
		}
	}
	return nil
}

// forget lets go of what no ask at or after t can reach: input is sorted, so none comes before.
func (f *Fold) forget(k *keyState, t int64) {
	f.task.evict(k, saturatingSub(t, f.task.prog.raw))
	if len(f.task.prog.tilings) > 0 {
		f.task.evictTiles(k, t)
	}
}

func (f *Fold) flushAt(n int) error {
	if f.rows.Len() < n {
		return nil
	}
	return f.flush()
}

func (f *Fold) flush() error {
	f.summary.Answers += int64(f.rows.Len())
	err := f.emit(f.rows)
	f.rows.Reset()
	return err
}
