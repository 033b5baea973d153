package kernel

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// Task is the state of one pipeline over one partition: it takes the partition's records in the order of their offsets and
// answers as they arrive (S3). It belongs to one goroutine.
type Task struct {
	store
	prog      *Program
	partition int32
	raw       int64 // how far behind the earliest ask rows stay in the log
	keep      int64 // W − L at the start of the batch: what the batch admits stays whole until its end, for AppendSlice
	watermark int64 // W; never: minus infinity
	account   Account
	started   bool

	names *texts     // the keys
	keys  []keyState // by the number of their name
	sweep int        // where the next look for idle keys begins
	seen  remembered
	ticks ticks

	slicer slicer
	summed *summed // of an asker's task: what its key has beside the rows

	regs    *registers
	eight   [1]uint64
	ahead   ahead
	matrix  []uint64 // the batch's rows, as logs hold them but for texts
	classes []Class
	letters []Letter
	answers []DeadAnswer
	columns coordinates
}

// Letter is a record that is dead-lettered: its row in the batch, and why.
type Letter struct {
	Row    int
	Class  Class // Dead or TooLate
	Reason string
}

// DeadAnswer is an answer that does not fit its feature's field. Its row is withheld.
type DeadAnswer struct {
	Key       string
	AskTime   int64
	Partition int32
	Offset    int64 // -1 where no record asked
	Revision  int32
	Feature   string
	Reason    string
}

type coordinates struct {
	offset []int64
	stamp  []int64
	fault  *array.String
}

// NewTask makes the empty state of one partition.
func NewTask(p *Program, partition int32) *Task {
	t := &Task{prog: p, partition: partition, watermark: never, keep: never, names: newTexts(), regs: newRegisters(p.steps)}
	t.store.texts = newTexts()
	// A late event's slice must be whole when it is written again.
	t.raw = max(p.raw, p.SliceWidth())
	t.seen.init()
	t.ticks.init(p)
	return t
}

// Watermark is W of S3 and whether there is one yet.
func (t *Task) Watermark() (micros int64, ok bool) { return t.watermark, t.watermark != never }

// Account is what became of the partition's records so far (S9).
func (t *Task) Account() Account { return t.account }

// Classes are what became of the records of the last batch, row by row. They are valid until the next Push.
func (t *Task) Classes() []Class { return t.classes }

// Letters are the records of the last batch that are dead-lettered. They are valid until the next Push.
func (t *Task) Letters() []Letter { return t.letters }

// DeadAnswers are the answers of the last batch that fit no field. They are valid until the next Push.
func (t *Task) DeadAnswers() []DeadAnswer { return t.answers }

// Push takes the partition's next records, in the layout of schema.Log, and appends their answers to out. Next is the
// offset after them: what lies between records, and between the last and next, is accounted as gaps. An error leaves the
// task unusable.
func (t *Task) Push(rec arrow.RecordBatch, next int64, out *Rows) error {
	if err := t.load(rec); err != nil {
		return err
	}
	t.keep = t.admits()
	for i := range t.classes {
		if i%aheadRows == 0 {
			t.lookAhead(i, min(i+aheadRows, len(t.classes)))
			t.ahead.sum += out.touch(aheadRows)
		}
		if err := t.record(i, out); err != nil {
			return err
		}
	}
	t.sweepKeys(len(t.classes)/4 + 1)
	t.seen.expire(t.admits())
	if err := t.gapTo(next); err != nil {
		return err
	}
	return t.account.Check()
}

// load evaluates the batch and lays out its rows.
func (t *Task) load(rec arrow.RecordBatch) error {
	n := int(rec.NumRows())
	columns := len(t.prog.plan.Source.Schema.Fields)
	if int(rec.NumCols()) != columns+5 {
		return fmt.Errorf("kernel: a batch of %d columns for a source of %d", rec.NumCols(), columns)
	}
	if err := t.regs.run(rec); err != nil {
		return err
	}
	offsets, ok1 := rec.Column(columns + 1).(*array.Int64)
	stamps, ok2 := rec.Column(columns + 2).(*array.Timestamp)
	faults, ok3 := rec.Column(columns + 3).(*array.String)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("kernel: a batch that is not laid out as schema.Log: %v", rec.Schema())
	}
	t.columns = coordinates{offsets.Int64Values(), arrow.GetValues[int64](stamps.Data(), 1), nil}
	if faults.NullN() < n {
		t.columns.fault = faults
	}
	t.classes = grow(t.classes, n)
	t.letters, t.answers = t.letters[:0], t.answers[:0]
	t.layRows(n)
	return nil
}

// layRows fills the batch's rows column by column. Texts stay out: only an admitted row holds them.
func (t *Task) layRows(n int) {
	p, w := t.prog, t.prog.rowWords
	t.matrix = grow(t.matrix, n*w)
	m := t.matrix
	at := t.regs.v[p.timeReg()].i
	for i := range n {
		m[i*w] = uint64(at[i])
		clear(m[i*w+1 : i*w+1+p.bitWords])
	}
	for s, sel := range p.selections {
		word, mask := 1+s>>6, uint64(1)<<(s&63)
		for i := range n {
			if t.selected(&sel, i) {
				m[i*w+word] |= mask
			}
		}
	}
	for j, val := range p.values {
		word := 1 + p.bitWords + j
		switch v := &t.regs.v[val.reg]; {
		case val.text:
		case v.kind == schema.Float:
			for i := range n {
				m[i*w+word] = math.Float64bits(canonical(v.f[i&v.mask]))
			}
		case v.kind == schema.Bool:
			for i := range n {
				m[i*w+word] = uint64(bit(v.b[i&v.mask]))
			}
		default:
			for i := range n {
				m[i*w+word] = uint64(v.i[i&v.mask])
			}
		}
	}
}

func (t *Task) selected(s *selection, i int) bool {
	if s.arg >= 0 {
		v := &t.regs.v[s.arg]
		if !v.ok(i) || s.truth && !v.b[i&v.mask] {
			return false
		}
	}
	return s.where < 0 || t.isTrue(s.where, i)
}

// isTrue tells whether a predicate is true; one that is null is not (S4).
func (t *Task) isTrue(reg, i int) bool {
	v := &t.regs.v[reg]
	return v.ok(i) && v.b[i&v.mask]
}

// record takes one record: it classifies it against W before it, admits it, answers, and raises W.
func (t *Task) record(i int, out *Rows) error {
	offset := t.columns.offset[i]
	if err := t.gapTo(offset); err != nil {
		return err
	}
	t.account.Next = offset + 1
	class := t.take(i, out)
	t.classes[i] = class
	t.account.Counts[class]++
	return nil
}

func (t *Task) gapTo(offset int64) error {
	if !t.started {
		t.account.First, t.account.Next, t.started = offset, offset, true
	}
	if offset < t.account.Next {
		return fmt.Errorf("kernel: partition %d: offset %d after %d", t.partition, offset, t.account.Next-1)
	}
	t.account.Gap += offset - t.account.Next
	t.account.Next = offset
	return nil
}

func (t *Task) take(i int, out *Rows) Class {
	class, reason := t.validate(i)
	if class != OnTime {
		if class == Dead {
			t.letters = append(t.letters, Letter{i, class, reason})
		}
		return class
	}
	at := int64(t.matrix[i*t.prog.rowWords])
	// Whether the id is remembered comes first (S9), and needs no state of the key: one without has none.
	num, known := t.known(i)
	withID := t.prog.plan.Source.ID >= 0
	var id []byte
	var tag uint32
	if withID {
		id = t.regs.v[t.prog.idReg()].text(i)
		if known {
			if tag = t.ahead.tags[i]; tag == 0 {
				tag = t.seen.tagOf(num, id)
			}
			if t.seen.has(num, id, tag, t.admits()) {
				return Duplicate
			}
		}
	}
	if at < t.admits() {
		return t.tooLate(i, at)
	}
	if !known {
		num = t.newKey(t.regs.v[t.prog.keyReg()].text(i), at)
		tag = t.seen.tagOf(num, id)
	}
	k := &t.keys[num]
	k.newest = max(k.newest, at)
	if withID {
		t.seen.remember(num, id, tag, at)
	}
	return t.admit(i, num, at, out)
}

func (t *Task) tooLate(i int, at int64) Class {
	t.letters = append(t.letters, Letter{i, TooLate, fmt.Sprintf(
		"too late: its time %s is %v behind the watermark %s, and lateness allows %v",
		clockTime(at), micros(t.watermark-at), clockTime(t.watermark), micros(t.prog.plan.Source.Lateness))})
	return TooLate
}

// admits is the earliest time that is let in: W − L.
func (t *Task) admits() int64 {
	if t.watermark == never {
		return never
	}
	return t.watermark - t.prog.plan.Source.Lateness
}

// admit takes a valid event that is neither a duplicate nor too late into the state of its key.
func (t *Task) admit(i int, key uint32, at int64, out *Rows) Class {
	class := OnTime
	if t.watermark != never && at < t.watermark {
		class = Late
	}
	keep := t.prog.where < 0 || t.isTrue(t.prog.where, i)
	if keep {
		row := t.hold(i)
		switch {
		case t.prog.plan.Tick == 0:
			k := &t.keys[key]
			p := t.insert(k, row)
			t.answerEvent(key, k, p, i, at, out)
			t.forget(k)
		case class == Late:
			t.reviseTicks(key, row, t.columns.offset[i], out)
		default:
			t.insert(&t.keys[key], row)
			t.schedule(key)
		}
	} else {
		class = Filtered
	}
	if w := at - t.prog.plan.Source.OutOfOrder; w > t.watermark {
		t.watermark = w
		if t.prog.plan.Tick > 0 {
			t.settle(t.columns.offset[i], out)
		}
	}
	return class
}

// hold completes the row with its texts, each held once for the log.
func (t *Task) hold(i int) []uint64 {
	w := t.prog.rowWords
	row := t.matrix[i*w : (i+1)*w]
	for j, val := range t.prog.values {
		if !val.text {
			continue
		}
		word := &row[1+t.prog.bitWords+j]
		v := &t.regs.v[val.reg]
		switch {
		case !v.ok(i):
			*word = noText
		case v.kind == schema.Text:
			*word = uint64(t.texts.holdGuessed(v.text(i), t.ahead.texts[j][i]))
		default:
			t.eight[0] = v.bits(i)
			*word = uint64(t.texts.hold(asBytes(t.eight[:])))
		}
	}
	return row
}

// bits is a value that is no text as a word: equal values, and only they, have equal words.
func (v *vector) bits(i int) uint64 {
	j := i & v.mask
	switch v.kind {
	case schema.Float:
		return math.Float64bits(canonical(v.f[j]))
	case schema.Bool:
		return uint64(bit(v.b[j]))
	}
	return uint64(v.i[j])
}

// forget lets go of what no ask to come can reach.
func (t *Task) forget(k *keyState) {
	keep := t.keep
	if t.prog.plan.Tick > 0 {
		keep = min(keep, t.ticks.settled)
	}
	if keep == never {
		return
	}
	t.evict(k, saturatingSub(keep, t.raw))
	if len(t.prog.tilings) > 0 {
		t.evictTiles(k, keep)
	}
}

// key is the number of a key, whose state is made when it is first seen.
func (t *Task) key(name []byte, at int64) uint32 {
	num, known := t.names.find(name)
	if !known {
		num = t.newKey(name, at)
	}
	k := &t.keys[num]
	k.newest = max(k.newest, at)
	return num
}

func (t *Task) newKey(name []byte, at int64) uint32 {
	num := t.names.hold(name)
	for int(num) >= len(t.keys) {
		t.keys = append(room(t.keys, 1), keyState{})
	}
	c := class(max(1, t.prog.keyWords))
	block := t.arena.alloc(c)
	clear(t.arena.words(block, 1<<c))
	t.keys[num] = keyState{block: block, used: true, due: never, newest: at, gone: never}
	return num
}
