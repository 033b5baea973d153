package kernel

import (
	"bytes"
	"slices"
)

// ticks is when which keys need a row, and which rows have been revised.
type ticks struct {
	period   int64
	reach    int64 // added to the longest window: how long after its time an event can still give a key a row
	settled  int64 // the last tick that W has reached; never: none
	standing []span
	due      map[int64][]uint32 // keys by the tick that they wait for
	order    timeHeap           // the ticks of due
	spare    [][]uint32
	revised  map[revised]int32 // the numbers of revisions above 0
	before   []Column
	after    []Column
	stood    []int // for each tick looked at, its row in before, or -1
}

// span is a window that a row stands on, whether or not its feature is computed here.
type span struct{ length, tile int64 }

type revised struct {
	tick int64
	key  uint32
}

func (c *ticks) init(p *Program) {
	c.period, c.settled = p.plan.Tick, never
	if c.period == 0 {
		return
	}
	c.due, c.revised = map[int64][]uint32{}, map[revised]int32{}
	c.before, c.after = p.NewRows().Columns, p.NewRows().Columns
	var longest int64
	for i := range p.plan.Features {
		w := &p.plan.Features[i].Window
		s := span{w.Micros(), w.TileMicros()}
		longest = max(longest, s.length+s.tile)
		if !slices.Contains(c.standing, s) {
			c.standing = append(c.standing, s)
		}
	}
	// Beyond the windows computed here come those that only say where rows stand, and the closing row.
	c.reach = max(0, longest-p.longest) + 2*c.period
}

// earliest is the lower bound of all windows at a tick.
func (c *ticks) earliest(tick int64) int64 {
	start := tick
	for _, s := range c.standing {
		e := tick - s.length
		if s.tile > 0 {
			e = floorTo(e, s.tile)
		}
		start = min(start, e)
	}
	return start
}

// full tells whether a window of the pipeline holds an event at the tick.
func (t *Task) full(k *keyState, l *logRows, tick int64) bool {
	last := k.gone
	if h := l.lower(tick); h > l.begin {
		last = l.time(h - 1)
	}
	return last != never && last < tick && last >= t.ticks.earliest(tick)
}

// stands tells whether the key has a row at the tick: a window holds an event, or one did a tick ago (the closing row).
func (t *Task) stands(k *keyState, l *logRows, tick int64) bool {
	return t.full(k, l, tick) || t.full(k, l, tick-t.ticks.period)
}

// nextDue is the first tick after the given one that may need a row of the key, or never.
func (t *Task) nextDue(k *keyState, l *logRows, tick int64) int64 {
	if tick != never && t.full(k, l, tick) {
		return tick + t.ticks.period
	}
	from := l.begin
	if tick != never {
		from = l.lower(tick)
	}
	if from == l.end {
		return never
	}
	return floorTo(l.time(from), t.ticks.period) + t.ticks.period
}

// wait enters the key for a tick.
func (t *Task) wait(key uint32, tick int64) {
	t.keys[key].due = tick
	if tick == never {
		return
	}
	c := &t.ticks
	waiting, ok := c.due[tick]
	if !ok {
		c.order.push(tick)
		if n := len(c.spare); n > 0 {
			waiting, c.spare = c.spare[n-1], c.spare[:n-1]
		}
	}
	c.due[tick] = append(waiting, key)
}

// schedule enters a key whose event lies ahead of W for the first tick behind that event.
func (t *Task) schedule(key uint32) {
	k := &t.keys[key]
	l := t.rows(k)
	if d := t.nextDue(k, &l, t.ticks.settled); d != never && (k.due == never || d < k.due) {
		t.wait(key, d)
	}
}

// settle answers all ticks that W has reached, in order; each key's answer is revision 0.
func (t *Task) settle(offset int64, out *Rows) {
	c := &t.ticks
	upTo := floorTo(t.watermark, c.period)
	for len(c.order) > 0 && c.order[0] <= upTo {
		tick := c.order.pop()
		waiting := c.due[tick]
		delete(c.due, tick)
		c.settled = tick
		slices.SortFunc(waiting, func(a, b uint32) int { return bytes.Compare(t.nameOf(a), t.nameOf(b)) })
		for _, key := range waiting {
			if t.keys[key].due == tick {
				t.settleKey(key, tick, offset, out)
				t.forget(&t.keys[key])
			}
		}
		c.spare = append(c.spare, waiting[:0])
	}
	if upTo > c.settled {
		c.settled = upTo
		t.pruneRevisions()
	}
}

// nameOf is a key's name, or nothing for a number that has been given back.
func (t *Task) nameOf(key uint32) []byte {
	if !t.keys[key].used {
		return nil
	}
	return t.names.at(key)
}

// settleKey gives the key's row at the tick, if it has one, and enters it for the next.
func (t *Task) settleKey(key uint32, tick, offset int64, out *Rows) {
	k := &t.keys[key]
	l := t.rows(k)
	if t.stands(k, &l, tick) {
		high := l.lower(tick)
		t.seekAll(k, &l, tick, high)
		t.emit(key, k, &l, tick, high, offset, 0, out)
	}
	t.wait(key, t.nextDue(k, &l, tick))
}

// pruneRevisions forgets the revisions of ticks that no event to come can change.
func (t *Task) pruneRevisions() {
	if len(t.ticks.revised) < 1024 {
		return
	}
	for r := range t.ticks.revised {
		if r.tick <= t.admits() {
			delete(t.ticks.revised, r)
		}
	}
}

// reviseTicks takes in a late event and answers again every settled tick whose values it changes. Where no row stood the
// first one is revision 1: what was known when W passed is that there was none.
func (t *Task) reviseTicks(key uint32, row []uint64, offset int64, out *Rows) {
	c := &t.ticks
	at := int64(row[rowTime])
	first := floorTo(at, c.period) + c.period
	last := min(c.settled, floorTo(at+t.reach(), c.period))
	k := &t.keys[key]
	for i := range c.before {
		c.before[i].cut(0)
	}
	c.stood = c.stood[:0]
	l := t.rows(k)
	for tick := first; tick <= last; tick += c.period {
		c.stood = append(c.stood, t.peek(k, &l, tick, c.before))
	}
	t.insert(k, row)
	l = t.rows(k)
	for i, tick := 0, first; tick <= last; i, tick = i+1, tick+c.period {
		for j := range c.after {
			c.after[j].cut(0)
		}
		if t.peek(k, &l, tick, c.after) < 0 || c.stood[i] >= 0 && t.unchanged(c.stood[i]) {
			continue
		}
		r := revised{tick, key}
		c.revised[r]++
		t.emit(key, k, &l, tick, l.lower(tick), offset, c.revised[r], out)
	}
	if d := t.nextDue(k, &l, c.settled); d != never && (k.due == never || d < k.due) {
		t.wait(key, d)
	}
}

// peek appends the key's answer at the tick to the columns and gives its row, or -1 where no row stands.
func (t *Task) peek(k *keyState, l *logRows, tick int64, columns []Column) int {
	if !t.stands(k, l, tick) {
		return -1
	}
	high := l.lower(tick)
	t.seekAll(k, l, tick, high)
	n := 0
	if len(columns) > 0 {
		n = len(columns[0].Valid)
	}
	t.finishAll(k, l, tick, high, columns)
	return n
}

// unchanged tells whether the answer in after is that of a row in before.
func (t *Task) unchanged(row int) bool {
	for i := range t.ticks.after {
		if !t.ticks.after[i].same(0, &t.ticks.before[i], row) {
			return false
		}
	}
	return true
}
