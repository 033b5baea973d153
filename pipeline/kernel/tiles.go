package kernel

// tiling is one size of tile, shared by all windows that have it: each tile is one row of sums over the events that have
// left the log, so a long window costs a row a tile instead of a row an event.
type tiling struct {
	tile     int64
	length   int64 // of its longest window
	at       int   // of its log's descriptor in the key's block
	parts    []component
	rowWords int
}

// The words of a tile log's descriptor in the key's block.
const (
	tilesBlock = iota
	tilesClass
	tilesBegin
	tilesEnd
	tilesSize
	tilesWords
)

// tileStart is the word of a tile's row that holds its lower bound.
const tileStart = 0

func (p *Program) tiling(tile int64) int {
	for i := range p.tilings {
		if p.tilings[i].tile == tile {
			return i
		}
	}
	p.tilings = append(p.tilings, tiling{tile: tile})
	return len(p.tilings) - 1
}

// layoutTiles gives the tiles' words their places: those of a tile's row, and of the logs in the key's block.
func (p *Program) layoutTiles(at int) int {
	for i := range p.tilings {
		g := &p.tilings[i]
		g.rowWords = 1
		for j := range p.windows {
			w := &p.windows[j]
			if w.tiling != i {
				continue
			}
			g.length = max(g.length, w.length)
			for c := range w.parts {
				w.parts[c].tile = g.place(&w.parts[c])
			}
		}
		for j := range p.picks {
			p.picks[j].tile = append(p.picks[j].tile, g.rowWords)
			g.rowWords += 2
		}
		g.at = at
		at += tilesWords
	}
	return at
}

func (g *tiling) place(c *component) int {
	for _, o := range g.parts {
		if o.kind == c.kind && o.sel == c.sel && o.value == c.value {
			return o.tile
		}
	}
	own := *c
	own.tile = g.rowWords
	g.parts = append(g.parts, own)
	g.rowWords += c.kind.words
	return own.tile
}

// tiles is the rows of a key's tile log.
func (t *Task) tiles(g *tiling, block []uint64) logRows {
	d := block[g.at : g.at+tilesWords]
	l := logRows{width: g.rowWords, begin: int(d[tilesBegin]), end: int(d[tilesEnd])}
	if d[tilesSize] > 0 {
		l.words = t.arena.words(ref(d[tilesBlock]), int(d[tilesSize])*g.rowWords)
	}
	return l
}

// tile adds a row that leaves the log to the last tile of each tiling, or to a new one: rows leave in order.
func (t *Task) tile(k *keyState, row []uint64) {
	block := t.block(k)
	for i := range t.prog.tilings {
		g := &t.prog.tilings[i]
		start := floorTo(int64(row[rowTime]), g.tile)
		l := t.tiles(g, block)
		if l.end == l.begin || l.time(l.end-1) != start {
			l = t.newTile(i, block, start)
		}
		tile := l.row(l.end - 1)
		for j := range g.parts {
			if c := &g.parts[j]; counts(row, c.sel) {
				c.kind.add(&t.store, tile[c.tile:], row, c)
			}
		}
		for j := range t.prog.picks {
			if p := &t.prog.picks[j]; counts(row, p.sel) {
				t.pickTile(p, tile[p.tile[i]:p.tile[i]+2], row[p.value])
			}
		}
	}
}

// pickTile offers a value to a tile, which holds its text as long as it keeps it.
func (t *Task) pickTile(p *pick, has []uint64, word uint64) {
	old := picked{word: has[1], ok: has[0] != 0}
	now := old
	now.offer(p, &t.store, word)
	if now == old && old.ok {
		return
	}
	if p.text() {
		t.texts.keep(uint32(now.word))
		if old.ok {
			t.texts.drop(uint32(old.word))
		}
	}
	has[0], has[1] = 1, now.word
}

// newTile appends an empty tile. Windows that begin behind it do not hold it.
func (t *Task) newTile(tiling int, block []uint64, start int64) logRows {
	g := &t.prog.tilings[tiling]
	d := block[g.at : g.at+tilesWords]
	if d[tilesEnd] == d[tilesSize] {
		t.makeTileRoom(tiling, block)
	}
	d[tilesEnd]++
	l := t.tiles(g, block)
	row := l.row(l.end - 1)
	clear(row)
	row[tileStart] = uint64(start)
	for i := range t.prog.windows {
		w := &t.prog.windows[i]
		if cur := block[w.at:]; w.tiling == tiling && start < int64(cur[cursorStart]) {
			cur[cursorTile] = uint64(l.end)
		}
	}
	return l
}

func (t *Task) makeTileRoom(tiling int, block []uint64) {
	g := &t.prog.tilings[tiling]
	d := block[g.at : g.at+tilesWords]
	from, n := int(d[tilesBegin]), int(d[tilesEnd]-d[tilesBegin])
	old := t.tiles(g, block)
	live := old.words[from*g.rowWords : (from+n)*g.rowWords]
	if d[tilesSize] > 0 && from >= int(d[tilesSize])/2 {
		copy(old.words, live)
	} else {
		c := class(4 * g.rowWords)
		if d[tilesSize] > 0 {
			c = int(d[tilesClass]) + 1
		}
		r := t.arena.alloc(c)
		copy(t.arena.words(r, n*g.rowWords), live)
		if d[tilesSize] > 0 {
			t.arena.release(ref(d[tilesBlock]), int(d[tilesClass]))
		}
		d[tilesBlock], d[tilesClass], d[tilesSize] = uint64(r), uint64(c), uint64((1<<c)/g.rowWords)
	}
	d[tilesBegin], d[tilesEnd] = 0, uint64(n)
	for i := range t.prog.windows {
		if w := &t.prog.windows[i]; w.tiling == tiling {
			block[w.at+cursorTile] -= uint64(from)
		}
	}
}

// seekTiles makes a window hold the tiles from start on.
func (t *Task) seekTiles(k *keyState, w *windowProgram, block []uint64, start int64) {
	l := t.tiles(&t.prog.tilings[w.tiling], block)
	at := int(block[w.at+cursorTile])
	for ; at < l.end && l.time(at) < start; at++ {
		t.unmergeTile(w, block, l.row(at))
	}
	for ; at > l.begin && l.time(at-1) >= start; at-- {
		t.mergeTile(w, block, l.row(at-1))
	}
	block[w.at+cursorTile] = uint64(at)
}

func (t *Task) mergeTile(w *windowProgram, block, tile []uint64) {
	for i := range w.parts {
		c := &w.parts[i]
		c.kind.merge(&t.store, block[c.at:], tile[c.tile:])
	}
}

func (t *Task) unmergeTile(w *windowProgram, block, tile []uint64) {
	for i := range w.parts {
		c := &w.parts[i]
		c.kind.unmerge(&t.store, block[c.at:], tile[c.tile:])
	}
}

// lookTiles finds a pick among the tiles that the window holds.
func (t *Task) lookTiles(k *keyState, w *windowProgram, p *pick, i int) (found picked) {
	block := t.block(k)
	l := t.tiles(&t.prog.tilings[w.tiling], block)
	for at := int(block[w.at+cursorTile]); at < l.end; at++ {
		if has := l.row(at)[p.tile[w.tiling]:]; has[0] != 0 {
			found.offer(p, &t.store, has[1])
		}
	}
	return found
}

// evictTiles lets go of the tiles that no ask after keep can reach.
func (t *Task) evictTiles(k *keyState, keep int64) {
	block := t.block(k)
	for i := range t.prog.tilings {
		g := &t.prog.tilings[i]
		l := t.tiles(g, block)
		first := floorTo(saturatingSub(keep, g.length), g.tile)
		at := l.begin
		for ; at < l.end && l.time(at) < first; at++ {
			t.leaveTile(i, block, l.row(at), at)
		}
		block[g.at+tilesBegin] = uint64(at)
	}
}

func (t *Task) leaveTile(tiling int, block, tile []uint64, at int) {
	for i := range t.prog.windows {
		w := &t.prog.windows[i]
		if w.tiling == tiling && int(block[w.at+cursorTile]) <= at {
			t.unmergeTile(w, block, tile)
			block[w.at+cursorTile] = uint64(at + 1)
		}
	}
	t.clearTile(&t.prog.tilings[tiling], tiling, tile)
}

// clearTile gives back what a tile holds outside its words.
func (t *Task) clearTile(g *tiling, tiling int, tile []uint64) {
	for i := range g.parts {
		g.parts[i].kind.reset(&t.store, tile[g.parts[i].tile:])
	}
	for i := range t.prog.picks {
		p := &t.prog.picks[i]
		if has := tile[p.tile[tiling]:]; p.text() && has[0] != 0 {
			t.texts.drop(uint32(has[1]))
		}
	}
}
