package kernel

import (
	"encoding/binary"
	"errors"
)

// A slice is the rows of one key in a stretch of time, as bytes: what an online store keeps, so that a value can be asked
// for at any later moment and age without new events. Slices of one program may be read by any task of the same plan and
// the same choice of features.
//
// A slice begins with the number of its rows. Those of a slice of one block follow, its times counted from the slice's
// start. A longer one goes on with its span and its sums, so that an ask whose windows hold it whole need not read its
// rows, and then its blocks, each with its span, the lengths of its sums and of its rows, and both:
//
//	slice  rows, (its rows | span sums block…)
//	block  span sums rows, the rows counted from the block's first
//	span   first time less that before (the slice's start, the last of the block before), last time less first
//	sums   their length, then each component's accumulator, and of each pick 0, or 1 and its value
//	rows   their length, then for each its time less that of the row before (zig-zag), its selections' bits, its values
//
// A value is eight bytes, or for a text its length + 1 (0: null) and its bytes. All other numbers are varints. A block of a
// slice of one block has no length.

// blockRows is how many rows a block has at most. An ask reads at most one block's rows at either end of a window. Tests
// make it small.
var blockRows = 64

// SliceWidth is the stretch of time that one slice covers: a power of two microseconds, about a thirty-second of the
// longest window. Slices begin at its multiples.
func (p *Program) SliceWidth() int64 {
	w := int64(1 << 20) // about a second
	for w < p.longest/32 {
		w *= 2
	}
	return w
}

// Reach is how far back any computed window looks from an ask, in microseconds.
func (p *Program) Reach() int64 { return p.longest }

var errSlice = errors.New("kernel: a slice that is cut short or of another plan")

// sums is components of windows, each once, whose accumulators lie side by side in words: those of all windows in slices, and
// those that ribs hold.
type sums struct {
	parts []component
	words int
}

// place gives the index of a window's component, adding it if it is new.
func (s *sums) place(c *component) int {
	for i, o := range s.parts {
		if o.kind == c.kind && o.sel == c.sel && o.value == c.value {
			return i
		}
	}
	own := *c
	own.at = s.words
	s.words += c.kind.words
	s.parts = append(s.parts, own)
	return len(s.parts) - 1
}

// slicer is the memory for writing slices.
type slicer struct {
	all, block []uint64 // accumulators
	picked     []picked // of the block
	best       []picked // of the slice
	blocks     []byte
	part       []byte
}

// AppendSlice appends the key's rows with times in [start, start+SliceWidth) that the task still holds. It reports false
// when there are none.
func (t *Task) AppendSlice(dst []byte, name []byte, start int64) ([]byte, bool) {
	num, ok := t.names.find(name)
	if !ok {
		return dst, false
	}
	l := t.rows(&t.keys[num])
	from, to := l.lower(start), l.lower(start+t.prog.SliceWidth())
	if from == to {
		return dst, false
	}
	dst = binary.AppendUvarint(dst, uint64(to-from))
	if to-from <= blockRows {
		return t.appendRows(dst, &l, from, to, start), true
	}
	return t.appendBlocks(dst, &l, from, to, start), true
}

// appendBlocks writes the rest of a slice of several blocks.
func (t *Task) appendBlocks(dst []byte, l *logRows, from, to int, start int64) []byte {
	s := &t.slicer
	s.all, s.block = grow(s.all, t.prog.sums.words), grow(s.block, t.prog.sums.words)
	clear(s.all)
	clear(s.block)
	s.best = grow(s.best, len(t.prog.picks))
	clear(s.best)
	s.blocks = s.blocks[:0]
	last := start
	for b := from; b < to; b += blockRows {
		end := min(b+blockRows, to)
		t.sumBlock(l, b, end)
		s.blocks = appendSpan(s.blocks, last, l.time(b), l.time(end-1))
		s.part = t.appendSums(s.part[:0], s.block, s.picked)
		s.blocks = appendText(s.blocks, s.part)
		s.part = t.appendRows(s.part[:0], l, b, end, l.time(b))
		s.blocks = appendText(s.blocks, s.part)
		last = l.time(end - 1)
		t.resetSums(s.block)
	}
	dst = appendSpan(dst, start, l.time(from), last)
	s.part = t.appendSums(s.part[:0], s.all, s.best)
	dst = append(appendText(dst, s.part), s.blocks...)
	t.resetSums(s.all)
	return dst
}

func appendSpan(dst []byte, before, first, last int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(first-before))
	return binary.AppendUvarint(dst, uint64(last-first))
}

// sumBlock accumulates a block's rows, and adds them to the slice's.
func (t *Task) sumBlock(l *logRows, from, to int) {
	s := &t.slicer
	for i := range t.prog.sums.parts {
		c := &t.prog.sums.parts[i]
		for r := from; r < to; r++ {
			if row := l.row(r); counts(row, c.sel) {
				c.kind.add(&t.store, s.block[c.at:], row, c)
			}
		}
		c.kind.merge(&t.store, s.all[c.at:], s.block[c.at:])
	}
	s.picked = grow(s.picked, len(t.prog.picks))
	clear(s.picked)
	for i := range t.prog.picks {
		p := &t.prog.picks[i]
		for r := from; r < to; r++ {
			if row := l.row(r); counts(row, p.sel) {
				s.picked[i].offer(p, &t.store, row[p.value])
			}
		}
		if s.picked[i].ok {
			s.best[i].offer(p, &t.store, s.picked[i].word)
		}
	}
}

func (t *Task) appendSums(dst []byte, acc []uint64, picks []picked) []byte {
	for i := range t.prog.sums.parts {
		c := &t.prog.sums.parts[i]
		dst = c.kind.encode(&t.store, dst, acc[c.at:])
	}
	for i, has := range picks {
		switch {
		case !has.ok:
			dst = append(dst, 0)
		case t.prog.picks[i].text():
			dst = appendText(append(dst, 1), t.texts.at(uint32(has.word)))
		default:
			dst = binary.LittleEndian.AppendUint64(append(dst, 1), has.word)
		}
	}
	return dst
}

func (t *Task) resetSums(acc []uint64) {
	for i := range t.prog.sums.parts {
		c := &t.prog.sums.parts[i]
		c.kind.reset(&t.store, acc[c.at:])
	}
}

// appendRows writes rows [from, to) of a log; last is what the first row's time is counted from.
func (t *Task) appendRows(dst []byte, l *logRows, from, to int, last int64) []byte {
	for i := from; i < to; i++ {
		row := l.row(i)
		dst = binary.AppendVarint(dst, l.time(i)-last)
		last = l.time(i)
		for _, w := range row[1 : 1+t.prog.bitWords] {
			dst = binary.AppendUvarint(dst, w)
		}
		dst = t.appendValues(dst, row)
	}
	return dst
}

func (t *Task) appendValues(dst []byte, row []uint64) []byte {
	for j, val := range t.prog.values {
		w := row[1+t.prog.bitWords+j]
		switch {
		case !val.text:
			dst = binary.LittleEndian.AppendUint64(dst, w)
		case w == noText:
			dst = append(dst, 0)
		default:
			b := t.texts.at(uint32(w))
			dst = binary.AppendUvarint(dst, uint64(len(b))+1)
			dst = append(dst, b...)
		}
	}
	return dst
}

// Admitted tells whether record i of the last batch entered the state of its key, and gives the key and the time.
func (t *Task) Admitted(i int) (name []byte, micros int64, ok bool) {
	if c := t.classes[i]; c != OnTime && c != Late {
		return nil, 0, false
	}
	return t.regs.v[t.prog.keyReg()].text(i), int64(t.matrix[i*t.prog.rowWords]), true
}
