package kernel

// The words of a cursor, ahead of the accumulators of its window. A cursor's accumulators always hold exactly the rows
// [low, high) of the log, which are those before high whose time is start or later, and the tiles from tile on.
const (
	cursorLow = iota
	cursorHigh
	cursorStart
	cursorTile
	cursorWords
)

// seek makes window w hold the rows before index high whose time is not before start. It moves from where the last ask
// left it: forward by what came in between, and back and forth by as much as events are out of order, never by a window.
func (t *Task) seek(k *keyState, l *logRows, w *windowProgram, start int64, high int) {
	block := t.block(k)
	cur := block[w.at : w.at+cursorWords]
	if w.tiling >= 0 {
		t.seekTiles(k, w, block, start)
	}
	lo, hi := int(cur[cursorLow]), int(cur[cursorHigh])
	cur[cursorStart] = uint64(start)
	if len(w.parts) == 0 {
		// Nothing is summed: only the bounds matter.
		lo = l.lower(start)
		cur[cursorLow], cur[cursorHigh] = uint64(min(lo, high)), uint64(high)
		return
	}
	if w.tiling < 0 && (hi == lo || l.time(hi-1) < start || high <= lo) {
		// Nothing of what it holds is wanted.
		t.empty(w, block)
		lo = min(l.lower(start), high)
		hi = lo
	}
	if hi < high {
		t.addRows(k, l, w, block, hi, high)
	} else if high < hi {
		t.subRows(k, l, w, block, max(lo, high), hi)
	}
	first := min(l.lowerNear(start, min(lo, high)), high)
	switch {
	case lo < first:
		t.subRows(k, l, w, block, lo, first)
	case first < min(lo, high):
		t.addRows(k, l, w, block, first, min(lo, high))
	}
	cur[cursorLow], cur[cursorHigh] = uint64(first), uint64(high)
}

func (t *Task) addRow(w *windowProgram, block, row []uint64) {
	for i := range w.parts {
		if c := &w.parts[i]; counts(row, c.sel) {
			c.kind.add(&t.store, block[c.at:], row, c)
		}
	}
}

func (t *Task) subRow(w *windowProgram, block, row []uint64) {
	for i := range w.parts {
		if c := &w.parts[i]; counts(row, c.sel) {
			c.kind.sub(&t.store, block[c.at:], row, c)
		}
	}
}

func (t *Task) empty(w *windowProgram, block []uint64) {
	for i := range w.parts {
		w.parts[i].kind.reset(&t.store, block[w.parts[i].at:])
	}
}

// inserted tells the cursors and trees of a row that now stands at p.
func (t *Task) inserted(k *keyState, l *logRows, p int) {
	block := t.block(k)
	row := l.row(p)
	for i := range t.prog.windows {
		w := &t.prog.windows[i]
		cur := block[w.at : w.at+cursorWords]
		lo, hi := int(cur[cursorLow]), int(cur[cursorHigh])
		switch {
		case p > hi || p == hi && p == l.end-1:
			// Behind all that it holds.
		case p < lo || int64(row[rowTime]) < int64(cur[cursorStart]):
			cur[cursorLow], cur[cursorHigh] = uint64(lo+1), uint64(hi+1)
		case p == hi:
		default:
			cur[cursorHigh] = uint64(hi + 1)
			t.addRow(w, block, row)
		}
	}
	t.regrow(k, l, p, l.end)
	t.ribInserted(k, l, p)
}

// moved tells the cursors that the log now begins at 0 instead of by.
func (t *Task) moved(k *keyState, by int) {
	if by == 0 {
		return
	}
	block := t.block(k)
	for i := range t.prog.windows {
		cur := block[t.prog.windows[i].at:]
		cur[cursorLow] -= uint64(by)
		cur[cursorHigh] -= uint64(by)
	}
	t.dropTrees(k)
	t.dropRibs(k)
}

// evict lets go of the rows before keep, which no ask to come can reach but through tiles.
func (t *Task) evict(k *keyState, keep int64) {
	l := t.rows(k)
	b := l.begin
	for ; b < l.end && l.time(b) < keep; b++ {
		t.leave(k, &l, b)
	}
	if b == l.begin {
		return
	}
	k.gone = max(k.gone, l.time(b-1))
	k.begin = int32(b)
}

// leave takes row b, the first of the log, out of the cursors and into the tiles.
func (t *Task) leave(k *keyState, l *logRows, b int) {
	block := t.block(k)
	row := l.row(b)
	t.tile(k, row)
	for i := range t.prog.windows {
		w := &t.prog.windows[i]
		cur := block[w.at : w.at+cursorWords]
		if int(cur[cursorLow]) > b {
			continue
		}
		held := int(cur[cursorHigh]) > b
		switch {
		case held && w.tiling < 0:
			t.subRow(w, block, row)
		case !held && w.tiling >= 0 && int64(row[rowTime]) >= int64(cur[cursorStart]):
			t.addRow(w, block, row) // It is in a tile now, and the window holds that tile.
		}
		cur[cursorHigh] = max(cur[cursorHigh], uint64(b+1))
		cur[cursorLow] = uint64(b + 1)
	}
	t.dropRow(row)
}

// dropRow lets go of the texts that a row holds.
func (t *Task) dropRow(row []uint64) {
	for _, w := range t.prog.textWords {
		if row[w] != noText {
			t.texts.drop(uint32(row[w]))
		}
	}
}
