package kernel

import (
	"encoding/binary"
	"math"
)

// Asker answers for one key at a time from its slices. It belongs to one goroutine; its memory serves every key.
//
// A slice or block that lies wholly in every window that touches it is taken as its sums. Of what a window cuts, the rows
// are put into the log of a task, which looks at them as it does in the stream.
type Asker struct {
	task   *Task
	row    []uint64
	summed summed
	acc    []uint64 // one node's accumulators
}

// summed is what an ask knows of its key by sums alone.
type summed struct {
	nodes  []node
	picks  []picked // of each node, one a pick
	window []int64  // the windows' starts
}

// node is a slice or block that is taken as its sums.
type node struct {
	first, last int64 // times
	rows        int   // how many rows of the log come before it
	sums        []byte
}

// NewAsker makes an asker without a key.
func NewAsker(p *Program) *Asker {
	a := &Asker{task: NewTask(p, 0), row: make([]uint64, p.rowWords), acc: make([]uint64, p.sums.words)}
	a.task.summed = &a.summed
	return a
}

// Ask answers for the key at t from slices in the order of their starts, and appends one row to out. The answer is that of
// the events in the slices whose time is before t.
func (a *Asker) Ask(name []byte, at, offset int64, slices [][]byte, starts []int64, out *Rows) error {
	t := a.task
	num := t.key(name, at)
	defer t.removeKey(num)
	a.begin(at)
	for i, s := range slices {
		if !a.load(num, at, s, starts[i]) {
			return errSlice
		}
	}
	k := &t.keys[num]
	l := t.rows(k)
	high := l.lower(at)
	t.seekAll(k, &l, at, high)
	defer a.letGo()
	if !a.merge(t.block(k)) {
		return errSlice
	}
	t.answers = t.answers[:0]
	t.emit(num, k, &l, at, high, offset, 0, out)
	return nil
}

func (a *Asker) begin(at int64) {
	s := &a.summed
	s.nodes, s.picks, s.window = s.nodes[:0], s.picks[:0], s.window[:0]
	for i := range a.task.prog.windows {
		s.window = append(s.window, a.task.prog.windows[i].start(at))
	}
}

// How a node lies to the windows of an ask.
type lie uint8

const (
	outside lie = iota // of all
	whole              // within each that it is not outside of
	cut                // by one at least
)

func (s *summed) lie(first, last, at int64) lie {
	if first >= at {
		return outside
	}
	if last >= at {
		return cut
	}
	found := outside
	for _, start := range s.window {
		switch {
		case first >= start:
			found = whole
		case last >= start:
			return cut
		}
	}
	return found
}

// load takes what an ask needs of a slice; false: it is not of the form.
func (a *Asker) load(num uint32, at int64, s []byte, start int64) bool {
	r := reader{b: s}
	n := r.uvarint()
	if r.bad || n > math.MaxInt32 {
		return false
	}
	if int(n) <= blockRows {
		rest, ok := a.loadRows(num, int(n), r.b, start)
		return ok && len(rest) == 0
	}
	first, last, ok := r.span(start)
	sums := r.text()
	if !ok || r.bad {
		return false
	}
	switch a.summed.lie(first, last, at) {
	case outside:
		return true
	case whole:
		a.take(num, first, last, sums)
		return true
	}
	for left := int(n); left > 0; left -= blockRows {
		first, last, ok := r.span(start)
		sums, rows := r.text(), r.text()
		if !ok || r.bad {
			return false
		}
		switch a.summed.lie(first, last, at) {
		case whole:
			a.take(num, first, last, sums)
		case cut:
			if rest, ok := a.loadRows(num, min(left, blockRows), rows, first); !ok || len(rest) != 0 {
				return false
			}
		}
		start = last
	}
	return len(r.b) == 0
}

// span reads the times of the first and last row of a slice or block.
func (r *reader) span(before int64) (first, last int64, ok bool) {
	d, e := r.uvarint(), r.uvarint()
	first = before + int64(d)
	last = first + int64(e)
	return first, last, !r.bad && first >= before && last >= first
}

// take notes a node to be taken as its sums.
func (a *Asker) take(num uint32, first, last int64, sums []byte) {
	k := &a.task.keys[num]
	a.summed.nodes = append(a.summed.nodes, node{first, last, int(k.end), sums})
}

// merge adds the nodes' sums to the windows that hold them, and reads their picks; false: one is not of the form.
func (a *Asker) merge(block []uint64) bool {
	t := a.task
	for i := range a.summed.nodes {
		n := &a.summed.nodes[i]
		rest := n.sums
		for s := range t.prog.sums.parts {
			c := &t.prog.sums.parts[s]
			acc := a.acc[c.at : c.at+c.kind.words]
			clear(acc)
			var bad bool
			if rest, bad = c.kind.decode(&t.store, rest, acc); bad {
				c.kind.reset(&t.store, acc)
				return false
			}
			for w := range t.prog.windows {
				if win := &t.prog.windows[w]; n.first >= a.summed.window[w] {
					win.mergeSum(&t.store, block, s, acc)
				}
			}
			c.kind.reset(&t.store, acc)
		}
		if !a.loadPicks(rest) {
			return false
		}
	}
	return true
}

// mergeSum adds a sum to the window's component that it is of, if the window has it.
func (w *windowProgram) mergeSum(s *store, block []uint64, sum int, acc []uint64) {
	for i := range w.parts {
		if c := &w.parts[i]; c.sum == sum {
			c.kind.merge(s, block[c.at:], acc)
			return
		}
	}
}

// loadPicks reads the picks of a node. Their texts are held until letGo.
func (a *Asker) loadPicks(b []byte) bool {
	for i := range a.task.prog.picks {
		if len(b) == 0 || b[0] > 1 {
			return false
		}
		has := picked{ok: b[0] == 1}
		b = b[1:]
		switch {
		case !has.ok:
		case a.task.prog.picks[i].text():
			r := reader{b: b}
			text := r.text()
			if r.bad {
				return false
			}
			has.word, b = uint64(a.task.texts.hold(text)), r.b
		case len(b) < 8:
			return false
		default:
			has.word, b = binary.LittleEndian.Uint64(b), b[8:]
		}
		a.summed.picks = append(a.summed.picks, has)
	}
	return len(b) == 0
}

// letGo gives back the texts of the nodes' picks.
func (a *Asker) letGo() {
	picks := a.task.prog.picks
	for i, has := range a.summed.picks {
		if has.ok && picks[i%len(picks)].text() {
			a.task.texts.drop(uint32(has.word))
		}
	}
	a.summed.picks = a.summed.picks[:0]
}

// lookSummed finds a pick among nodes and rows, in the order of their positions.
func (t *Task) lookSummed(k *keyState, l *logRows, p *pick, i int, start int64, high int) picked {
	var found picked
	at := min(l.lower(start), high)
	for n := range t.summed.nodes {
		node := &t.summed.nodes[n]
		if node.first < start {
			continue
		}
		to := min(node.rows, high)
		t.offerRows(k, l, p, i, at, to, &found)
		at = max(at, to)
		if has := t.summed.picks[n*len(t.prog.picks)+i]; has.ok {
			found.offer(p, &t.store, has.word)
		}
	}
	t.offerRows(k, l, p, i, at, high, &found)
	return found
}

// loadRows puts n rows into the key's log, whose times are counted from last, and gives what lies behind them; false: they
// are not of the form.
func (a *Asker) loadRows(num uint32, n int, s []byte, last int64) (rest []byte, ok bool) {
	for range n {
		d, k := binary.Varint(s)
		if k <= 0 {
			return nil, false
		}
		last, s = last+d, s[k:]
		a.row[rowTime] = uint64(last)
		for b := range a.task.prog.bitWords {
			w, k := binary.Uvarint(s)
			if k <= 0 {
				return nil, false
			}
			a.row[1+b], s = w, s[k:]
		}
		if s, ok = a.loadValues(s); !ok {
			return nil, false
		}
		a.task.insert(&a.task.keys[num], a.row)
	}
	return s, true
}

// loadValues reads a row's values. On an error the texts read so far are let go of, since no row holds them.
func (a *Asker) loadValues(s []byte) (rest []byte, ok bool) {
	p := a.task.prog
	values := a.row[1+p.bitWords:]
	for j, val := range p.values {
		if !val.text {
			if len(s) < 8 {
				return nil, a.unhold(j)
			}
			values[j], s = binary.LittleEndian.Uint64(s), s[8:]
			continue
		}
		n, k := binary.Uvarint(s)
		if k <= 0 || n > uint64(len(s)-k)+1 {
			return nil, a.unhold(j)
		}
		s = s[k:]
		values[j] = noText
		if n > 0 {
			values[j] = uint64(a.task.texts.hold(s[:n-1]))
			s = s[n-1:]
		}
	}
	return s, true
}

// unhold lets go of the texts among the row's first values, and is false.
func (a *Asker) unhold(values int) bool {
	for j, val := range a.task.prog.values[:values] {
		if w := a.row[1+a.task.prog.bitWords+j]; val.text && w != noText {
			a.task.texts.drop(uint32(w))
		}
	}
	return false
}

// DeadAnswers are those of the last ask.
func (a *Asker) DeadAnswers() []DeadAnswer { return a.task.answers }
