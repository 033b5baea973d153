package kernel

import (
	"math"

	"github.com/spillway-go/spillway/pipeline/kernel/exact"
	"github.com/spillway-go/spillway/pipeline/window"
)

func floorTo(t, step int64) int64 { return window.Floor(t, step) }

// store is what the states of keys share: memory, texts and the wide sums of exact.
type store struct {
	arena  arena
	texts  *texts
	exact  exact.Pool
	picked picked // what the last look for a pick found
}

// picked is a pick's value as a row's word, if there is one.
type picked struct {
	word uint64
	ok   bool
}

// rowTime is the word of a row that holds its time; the selections' bits follow it.
const rowTime = 0

// keyState is one key: its log of rows in the order of their positions, and its block of cursors and accumulators.
type keyState struct {
	log        ref
	block      ref
	class      uint8 // of the log's block
	begin, end int32 // the rows in use
	size       int32 // rows that fit
	used       bool
	walked     int32 // rows that cursors went over in long moves, since the log moved
	due        int64 // the next tick that needs a row; never: none
	newest     int64 // the greatest time of an admitted event, filtered ones included
	gone       int64 // the greatest time of a row that left the log; never: none
}

const never = math.MinInt64

// logRows is a key's log as it lies in memory. It is valid until the log moves.
type logRows struct {
	words []uint64
	width int
	begin int
	end   int
}

func (t *Task) rows(k *keyState) logRows {
	w := t.prog.rowWords
	if k.size == 0 {
		return logRows{width: w}
	}
	return logRows{words: t.arena.words(k.log, int(k.size)*w), width: w, begin: int(k.begin), end: int(k.end)}
}

func (l *logRows) row(i int) []uint64 { return l.words[i*l.width : (i+1)*l.width] }

func (l *logRows) time(i int) int64 { return int64(l.words[i*l.width+rowTime]) }

// counts tells whether row i belongs to the selection.
func (l *logRows) counts(i, sel int) bool { return counts(l.row(i), sel) }

func counts(row []uint64, sel int) bool {
	return sel < 0 || row[1+sel>>6]>>(sel&63)&1 != 0
}

// lower is the first row at or behind t, looked for from the end: most asks are near it.
func (l *logRows) lower(t int64) int {
	if l.end == l.begin || l.time(l.end-1) < t {
		return l.end
	}
	hi, step := l.end-1, 1
	for hi-step >= l.begin && l.time(hi-step) >= t {
		hi -= step
		step *= 2
	}
	lo := max(l.begin, hi-step)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if l.time(mid) < t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return hi
}

// lowerNear is lower, looked for from a row on that is near it.
func (l *logRows) lowerNear(t int64, from int) int {
	lo, hi, step := from, from, 1
	for hi < l.end && l.time(hi) < t {
		lo = hi + 1
		hi += step
		step *= 2
	}
	for lo > l.begin && l.time(lo-1) >= t {
		hi = lo - 1
		lo -= step
		step *= 2
	}
	lo, hi = max(lo, l.begin), min(hi, l.end)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if l.time(mid) < t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// insert puts the row behind all of its time or before, and returns its index. Its texts must be held already. In a live
// stream a tie's row has the greater offset, and in sorted input it comes in order, so that is its position (S1).
func (t *Task) insert(k *keyState, row []uint64) int {
	if k.end == k.size {
		t.makeRoom(k)
	}
	k.end++
	l := t.rows(k)
	l.end--
	at := int64(row[rowTime])
	p := l.end
	if p > l.begin && l.time(p-1) > at {
		if at == math.MaxInt64 {
			p = l.end
		} else {
			p = l.lower(at + 1)
		}
		copy(l.words[(p+1)*l.width:(l.end+1)*l.width], l.words[p*l.width:l.end*l.width])
	}
	l.end++
	copy(l.row(p), row)
	t.inserted(k, &l, p)
	return p
}

// makeRoom slides the log to the front of its block, or moves it to one twice as large.
func (t *Task) makeRoom(k *keyState) {
	w := t.prog.rowWords
	n := int(k.end - k.begin)
	from := k.begin
	old := k.log
	if k.size > 0 && int(k.begin) >= int(k.size)/2 {
		words := t.arena.words(k.log, int(k.size)*w)
		copy(words, words[int(k.begin)*w:int(k.end)*w])
	} else {
		c := class(4 * w)
		if k.size > 0 {
			c = int(k.class) + 1
		}
		block := t.arena.alloc(c)
		if k.size > 0 {
			words := t.arena.words(old, int(k.size)*w)
			copy(t.arena.words(block, n*w), words[int(k.begin)*w:int(k.end)*w])
		}
		t.dropTrees(k)
		t.dropRibs(k)
		if k.size > 0 {
			t.arena.release(old, int(k.class))
		}
		k.log, k.class, k.size = block, uint8(c), int32((1<<c)/w)
	}
	k.begin, k.end = 0, int32(n)
	t.moved(k, int(from))
}

// dropTrees gives back the trees of the key; the next ask over a long log builds them again.
func (t *Task) dropTrees(k *keyState) {
	if len(t.prog.picks) == 0 || k.size == 0 {
		return
	}
	b := t.block(k)
	for i := range t.prog.picks {
		if b[t.prog.treesAt+i] != 0 {
			t.arena.release(ref(b[t.prog.treesAt+i]), class(2*treeSize(int(k.size))))
			b[t.prog.treesAt+i] = 0
		}
	}
}

// tree is the pick's tree over the key's log, built when it is first needed.
func (t *Task) tree(k *keyState, i int, l *logRows) tree {
	b := t.block(k)
	words := 2 * treeSize(int(k.size))
	if r := b[t.prog.treesAt+i]; r != 0 {
		return t.arena.words(ref(r), words)
	}
	r := t.arena.alloc(class(words))
	b[t.prog.treesAt+i] = uint64(r)
	tr := tree(t.arena.words(r, words))
	clear(tr)
	tr.rebuild(&t.prog.picks[i], &t.store, l, l.begin, l.end)
	return tr
}

// regrow brings the trees up to date with rows [from, to).
func (t *Task) regrow(k *keyState, l *logRows, from, to int) {
	if len(t.prog.picks) == 0 || from >= to {
		return
	}
	b := t.block(k)
	for i := range t.prog.picks {
		if b[t.prog.treesAt+i] != 0 {
			t.tree(k, i, l).rebuild(&t.prog.picks[i], &t.store, l, from, to)
		}
	}
}

// block is the key's cursors, accumulators and trees.
func (t *Task) block(k *keyState) []uint64 { return t.arena.words(k.block, t.prog.keyWords) }
