package kernel

// Ribs are sums of the rows of a log, ribRows rows each, for the accumulators that are merged about as fast as a row is added.
// Where events are out of order, a cursor of a hot key swings back and forth by all that lies between the times of two asks;
// along the ribs that costs a rib instead of ribRows rows. A key has none until its cursors have walked far.
type ribs struct {
	sums     // their accumulators' places are those in a rib, which has so many words
	at   int // in the key's block: of the reference to the key's ribs, 0 if it has none
}

// ribRows weighs what an insert costs, two rows for each rib behind it, against what a cursor's move does.
const ribRows = 16

// Variables only so that tests can have ribs everywhere.
var (
	// farRows is from how many rows on a move is worth to look for ribs.
	farRows = 3 * ribRows
	// ribWalks is how often cursors have to have walked the length of the log before ribs are made, which costs as much
	// as one walk, and one more row for each that comes in.
	ribWalks = 4
)

// place gives the index of a window's component in a rib, or -1 if ribs do not hold it.
func (r *ribs) place(c *component) int {
	if !c.kind.ribbed {
		return -1
	}
	return r.sums.place(c)
}

// class is the class of the block that holds the ribs of a log of so many rows.
func (r *ribs) class(rows int32) int { return class((int(rows)/ribRows + 1) * r.words) }

// ribsOf is the key's ribs: rib i is the sums of the rows [i·ribRows, (i+1)·ribRows) that have been in the log since the
// ribs were made. It is nil if the key has none.
func (t *Task) ribsOf(k *keyState) []uint64 {
	r := &t.prog.ribs
	if r.words == 0 {
		return nil
	}
	if at := t.block(k)[r.at]; at != 0 {
		return t.arena.words(ref(at), (int(k.size)/ribRows+1)*r.words)
	}
	return nil
}

// walk tells the key that a cursor is about to go over so many rows, and gives the ribs to do it along, or nil.
func (t *Task) walk(k *keyState, l *logRows, rows int) []uint64 {
	if rows < farRows || t.prog.ribs.words == 0 {
		return nil
	}
	if all := t.ribsOf(k); all != nil {
		return all
	}
	k.walked += int32(rows)
	if int(k.walked) < ribWalks*(l.end-l.begin) {
		return nil
	}
	return t.makeRibs(k, l)
}

func (t *Task) makeRibs(k *keyState, l *logRows) []uint64 {
	r := &t.prog.ribs
	c := r.class(k.size)
	at := t.arena.alloc(c)
	t.block(k)[r.at] = uint64(at)
	all := t.ribsOf(k)
	clear(all)
	for i := l.begin; i < l.end; i++ {
		t.ribRow(all, i/ribRows, l.row(i), 1)
	}
	return all
}

// ribRow adds a row to a rib, or takes it away.
func (t *Task) ribRow(all []uint64, rib int, row []uint64, sign int) {
	r := &t.prog.ribs
	for i := range r.parts {
		c := &r.parts[i]
		if !counts(row, c.sel) {
			continue
		}
		acc := all[rib*r.words+c.at:]
		if sign > 0 {
			c.kind.add(&t.store, acc, row, c)
		} else {
			c.kind.sub(&t.store, acc, row, c)
		}
	}
}

// ribInserted tells the ribs of a row that now stands at p: one row has gone over the end of each rib behind it.
func (t *Task) ribInserted(k *keyState, l *logRows, p int) {
	all := t.ribsOf(k)
	if all == nil {
		return
	}
	t.ribRow(all, p/ribRows, l.row(p), 1)
	for i := (p/ribRows + 1) * ribRows; i < l.end; i += ribRows {
		t.ribRow(all, i/ribRows-1, l.row(i), -1)
		t.ribRow(all, i/ribRows, l.row(i), 1)
	}
}

// dropRibs gives back the ribs of the key, whose log is about to move.
func (t *Task) dropRibs(k *keyState) {
	all := t.ribsOf(k)
	k.walked = 0
	if all == nil {
		return
	}
	r := &t.prog.ribs
	for at := 0; at+r.words <= len(all); at += r.words {
		for i := range r.parts {
			r.parts[i].kind.reset(&t.store, all[at+r.parts[i].at:])
		}
	}
	t.arena.release(ref(t.block(k)[r.at]), r.class(k.size))
	t.block(k)[r.at] = 0
}

// addRows makes the window hold the rows [from, to) as well.
func (t *Task) addRows(k *keyState, l *logRows, w *windowProgram, block []uint64, from, to int) {
	all := t.walk(k, l, to-from)
	if all == nil {
		for ; from < to; from++ {
			t.addRow(w, block, l.row(from))
		}
		return
	}
	for i := range w.parts {
		c := &w.parts[i]
		at := from
		for ; at < to && (c.rib < 0 || at%ribRows != 0); at++ {
			t.addTo(c, block, l.row(at))
		}
		for ; at+ribRows <= to; at += ribRows {
			c.kind.merge(&t.store, block[c.at:], t.rib(all, at/ribRows, c))
		}
		for ; at < to; at++ {
			t.addTo(c, block, l.row(at))
		}
	}
}

// subRows makes the window hold the rows [from, to), which it holds, no longer.
func (t *Task) subRows(k *keyState, l *logRows, w *windowProgram, block []uint64, from, to int) {
	all := t.walk(k, l, to-from)
	if all == nil {
		for ; from < to; from++ {
			t.subRow(w, block, l.row(from))
		}
		return
	}
	for i := range w.parts {
		c := &w.parts[i]
		at := from
		for ; at < to && (c.rib < 0 || at%ribRows != 0); at++ {
			t.subFrom(c, block, l.row(at))
		}
		for ; at+ribRows <= to; at += ribRows {
			c.kind.unmerge(&t.store, block[c.at:], t.rib(all, at/ribRows, c))
		}
		for ; at < to; at++ {
			t.subFrom(c, block, l.row(at))
		}
	}
}

func (t *Task) rib(all []uint64, rib int, c *component) []uint64 {
	r := &t.prog.ribs
	return all[rib*r.words+r.parts[c.rib].at:]
}

func (t *Task) addTo(c *component, block, row []uint64) {
	if counts(row, c.sel) {
		c.kind.add(&t.store, block[c.at:], row, c)
	}
}

func (t *Task) subFrom(c *component, block, row []uint64) {
	if counts(row, c.sel) {
		c.kind.sub(&t.store, block[c.at:], row, c)
	}
}
