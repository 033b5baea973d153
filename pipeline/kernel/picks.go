package kernel

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// pickKind is an aggregate that is one of its values: it cannot be taken away again, so windows over it are asked, not slid.
type pickKind uint8

const (
	pickMin pickKind = iota
	pickMax
	pickFirst
	pickLast
)

func pickOf(k pickKind) *pickKind { return &k }

// pick is one such aggregate over the values of a selection.
type pick struct {
	kind  pickKind
	sel   int
	value int // word of the row
	of    schema.Kind
	tile  []int // for each tiling, its place in a tile's row: whether there is a value, then the value
}

// text tells whether the pick's values are numbers of texts.
func (p *pick) text() bool { return p.of == schema.Text }

// short is the length of a log up to which a range is simply read. Longer logs have a tree for each pick.
const short = 48

// better tells whether value y, which stands behind x, replaces it.
func (p *pick) better(s *store, x, y uint64) bool {
	switch p.kind {
	case pickFirst:
		return false
	case pickLast:
		return true
	}
	var c int
	switch p.of {
	case schema.Float:
		c = compareFloats(math.Float64frombits(x), math.Float64frombits(y))
	case schema.Text:
		c = bytes.Compare(s.texts.at(uint32(x)), s.texts.at(uint32(y)))
	default:
		c = cmp.Compare(int64(x), int64(y))
	}
	if p.kind == pickMin {
		return c > 0
	}
	return c < 0
}

// winner of two rows, named by their index + 1 (0: none), the first standing before the second.
func (p *pick) winner(s *store, l *logRows, x, y uint64) uint64 {
	if x <= uint64(l.begin) { // also a row that has left the log
		return y
	}
	if y == 0 {
		return x
	}
	if p.better(s, l.row(int(x - 1))[p.value], l.row(int(y - 1))[p.value]) {
		return y
	}
	return x
}

func (p *pick) leaf(l *logRows, i int) uint64 {
	if l.counts(i, p.sel) {
		return uint64(i + 1)
	}
	return 0
}

// tree is a segment tree over the rows of a log: node n covers what 2n and 2n+1 cover, and the leaves stand at size+row.
// It answers any range in steps logarithmic in the log's length, whatever was inserted where.
type tree []uint64

func treeSize(cap int) int { return 1 << bits.Len(uint(cap-1)) }

// rebuild recomputes the leaves of rows [from, to) and all above them.
func (t tree) rebuild(p *pick, s *store, l *logRows, from, to int) {
	size := len(t) / 2
	for i := from; i < to; i++ {
		t[size+i] = p.leaf(l, i)
	}
	for a, b := (size+from)/2, (size+to-1)/2; a >= 1; a, b = a/2, b/2 {
		for n := a; n <= b; n++ {
			t[n] = p.winner(s, l, t[2*n], t[2*n+1])
		}
	}
}

// find is the winner among rows [from, to), as its index + 1, or 0.
func (t tree) find(p *pick, s *store, l *logRows, from, to int) uint64 {
	var left, right uint64
	size := len(t) / 2
	for a, b := size+from, size+to; a < b; a, b = a/2, b/2 {
		if a&1 == 1 {
			left = p.winner(s, l, left, t[a])
			a++
		}
		if b&1 == 1 {
			b--
			right = p.winner(s, l, t[b], right)
		}
	}
	return p.winner(s, l, left, right)
}

// finishPick gives what was found last: the feature's own pick, since answers look for it just before they finish it.
func finishPick(s *store, f *feature, _ []uint64, c *Column) bool {
	if !s.picked.ok {
		return c.nothing(f.plan)
	}
	w := s.picked.word
	return c.word(s, w, f.plan.Agg.Arg.Kind) && (c.Kind != schema.Int || int64(w) >= f.plan.Min && int64(w) <= f.plan.Max)
}

// look finds the pick among the tiles that window w holds and the rows from start up to index high.
func (t *Task) look(k *keyState, l *logRows, w *windowProgram, i int, start int64, high int) picked {
	p := &t.prog.picks[i]
	if t.summed != nil {
		return t.lookSummed(k, l, p, i, start, high)
	}
	var found picked
	if w.tiling >= 0 {
		found = t.lookTiles(k, w, p, i)
	}
	t.offerRows(k, l, p, i, min(l.lower(start), high), high, &found)
	return found
}

// offerRows offers the pick among rows [low, high), which stand behind what has been found.
func (t *Task) offerRows(k *keyState, l *logRows, p *pick, i, low, high int, found *picked) {
	if low >= high {
		return
	}
	var best uint64
	if l.end-l.begin > short {
		best = t.tree(k, i, l).find(p, &t.store, l, low, high)
	} else {
		for r := low; r < high; r++ {
			best = p.winner(&t.store, l, best, p.leaf(l, r))
		}
	}
	if best != 0 {
		found.offer(p, &t.store, l.row(int(best - 1))[p.value])
	}
}

// offer takes a value that stands behind those before.
func (f *picked) offer(p *pick, s *store, word uint64) {
	if !f.ok || p.better(s, f.word, word) {
		f.word, f.ok = word, true
	}
}

// word appends a value as rows hold it.
func (c *Column) word(s *store, w uint64, kind schema.Kind) bool {
	switch kind {
	case schema.Float:
		return c.float(math.Float64frombits(w))
	case schema.Text:
		return c.put(expr.Datum{S: asString(s.texts.at(uint32(w)))})
	}
	return c.put(expr.Datum{I: int64(w)})
}
