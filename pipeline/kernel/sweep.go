package kernel

// sweepKeys looks at a few keys in turn and removes those that nothing to come can ask about, so that memory follows the
// keys in use and not all that ever were.
func (t *Task) sweepKeys(n int) {
	if t.watermark == never || len(t.keys) == 0 {
		return
	}
	n = min(n, len(t.keys))
	t.ahead.sum += t.touchSwept(n)
	for range n {
		t.sweep++
		if t.sweep >= len(t.keys) {
			t.sweep = 0
		}
		k := &t.keys[t.sweep]
		if !k.used || k.due != never {
			continue
		}
		t.forget(k)
		if t.keep != never && k.newest < saturatingSub(t.keep, t.reach()) {
			t.removeKey(uint32(t.sweep))
		}
	}
}

// touchSwept reads the first rows of the next n keys to be looked at, which wait for memory together.
func (t *Task) touchSwept(n int) (sum uint64) {
	at := t.sweep
	for range n {
		at++
		if at >= len(t.keys) {
			at = 0
		}
		if k := &t.keys[at]; k.end > k.begin {
			sum += *t.arena.word(k.log + ref(int(k.begin)*t.prog.rowWords))
		}
	}
	return sum
}

// reach is how long after its time an event can still matter to an ask that is admitted.
func (t *Task) reach() int64 { return t.prog.longest + t.ticks.reach }

// removeKey gives back all that a key holds.
func (t *Task) removeKey(num uint32) {
	k := &t.keys[num]
	for l := t.rows(k); l.begin < l.end; l.begin++ {
		t.dropRow(l.row(l.begin))
	}
	k.begin = k.end
	block := t.block(k)
	for i := range t.prog.windows {
		t.empty(&t.prog.windows[i], block)
	}
	for i := range t.prog.tilings {
		g := &t.prog.tilings[i]
		for l := t.tiles(g, block); l.begin < l.end; l.begin++ {
			t.clearTile(g, i, l.row(l.begin))
		}
		if d := block[g.at:]; d[tilesSize] > 0 {
			t.arena.release(ref(d[tilesBlock]), int(d[tilesClass]))
		}
	}
	t.dropTrees(k)
	t.dropRibs(k)
	if k.size > 0 {
		t.arena.release(k.log, int(k.class))
	}
	t.arena.release(k.block, class(max(1, t.prog.keyWords)))
	*k = keyState{}
	t.names.drop(num)
}
