package kernel

import (
	"hash/maphash"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// ahead is what a batch will need, looked up before its records are taken one by one: one record after the other, each
// look-up would wait for memory alone. It holds guesses only, and changes no answer.
//
// What a record needs is a chain of reads of which each says where the next is: slot, item, bytes; key, block, row, text,
// table. So all records go one step of the chain together, in loops so short that the processor has many of their reads
// under way at once.
type ahead struct {
	keys  []uint32   // the key's number; none: not known when the batch began
	tags  []uint32   // the hash of the id, or 0
	texts [][]uint32 // for each value of the rows, the number of its text
	spots []spot
	sum   uint64 // of all that is read, lest the compiler leave the reading out
}

// spot is where a record's chain has come to.
type spot struct {
	hash       uint64 // of the text that is looked up
	word       uint64 // of its slot
	at         ref    // of its bytes
	log, block ref    // of the record's key, if the log is not empty
	begin, end int
	table      ref // of a distinct count
	mask       int // of the table
	leaves     uint64
	first      uint64
}

// aheadRows is how many records are looked up together: enough for their memory to be waited for at once, and so few that
// it is still at hand when they are taken.
const aheadRows = 128

// lineWords is how many words a line of the caches has.
const lineWords = 8

// lookAhead fills in the guesses of records [from, to) and reads the memory that they will need: the keys' states, both
// ends of their logs, and where their texts are counted.
func (t *Task) lookAhead(from, to int) {
	a := &t.ahead
	if n := len(t.classes); from == 0 {
		a.keys, a.tags = grow(a.keys, n), grow(a.tags, n)
	}
	a.spots = grow(a.spots, aheadRows)
	spots := a.spots[:to-from]
	for i := from * t.prog.rowWords; i < to*t.prog.rowWords; i += lineWords {
		a.sum += t.matrix[i]
	}
	keys := &t.regs.v[t.prog.keyReg()]
	a.sum += t.names.guess(keys, from, spots, a.keys)
	t.names.confirm(keys, from, to, a.keys)
	t.guessTexts(from, to)
	if t.prog.plan.Source.ID >= 0 {
		a.sum += t.seen.touch(&t.regs.v[t.prog.idReg()], a.keys, from, to, a.tags)
	}
	if t.prog.keyWords > 0 {
		a.sum += t.touchKeys(a.keys[from:to], spots)
		for w := range t.prog.windows {
			a.sum += t.touchWindow(&t.prog.windows[w], from, spots)
		}
	}
}

// guessTexts fills in the numbers of the texts of records [from, to).
func (t *Task) guessTexts(from, to int) {
	a := &t.ahead
	a.spots = grow(a.spots, aheadRows)
	if a.texts == nil {
		a.texts = make([][]uint32, len(t.prog.values))
	}
	for j, val := range t.prog.values {
		if val.text && t.regs.v[val.reg].kind == schema.Text {
			if from == 0 {
				a.texts[j] = grow(a.texts[j], len(t.classes))
			}
			a.sum += t.texts.guess(&t.regs.v[val.reg], from, a.spots[:to-from], a.texts[j])
		}
	}
}

// guess gives the numbers that the texts of a batch from row from on probably have, and none for others, and reads the
// memory that proves them.
func (t *texts) guess(v *vector, from int, spots []spot, to []uint32) (sum uint64) {
	for j := range spots {
		spots[j].hash = 0
		if v.ok(from + j) {
			spots[j].hash = maphash.Bytes(t.seed, v.text(from+j))
		}
	}
	for j := range spots {
		s := &spots[j]
		s.word = t.slots[s.hash>>32&t.mask]
	}
	for j := range spots {
		s := &spots[j]
		for at := s.hash >> 32; s.word != 0 && s.word>>32 != s.hash>>32; s.word = t.slots[at&t.mask] {
			at++
		}
		to[from+j] = uint32(s.word) - 1 // an empty slot is none
	}
	for j := range spots {
		if id := to[from+j]; id != none {
			spots[j].at = t.items[id].at
		} else {
			spots[j].at = 0
		}
	}
	for j := range spots {
		if at := spots[j].at; at != 0 {
			sum += *t.bytes.word(at)
		}
	}
	return sum
}

// confirm looks for what was guessed wrong: none is right, and so is what has the same bytes.
func (t *texts) confirm(v *vector, from, to int, ids []uint32) {
	for i := from; i < to; i++ {
		id := ids[i]
		switch {
		case !v.ok(i):
			ids[i] = none
		case id != none && string(t.at(id)) != string(v.text(i)):
			if right, ok := t.find(v.text(i)); ok {
				ids[i] = right
			} else {
				ids[i] = none
			}
		}
	}
}

// touchKeys reads the states of the keys, their cursors and accumulators, and both ends of their logs.
func (t *Task) touchKeys(keys []uint32, spots []spot) (sum uint64) {
	for j, key := range keys {
		s := &spots[j]
		s.log = 0
		if key == none {
			continue
		}
		if k := &t.keys[key]; k.end > k.begin {
			s.log, s.block, s.begin, s.end = k.log, k.block, int(k.begin), int(k.end)
		}
	}
	last := ref(t.prog.keyWords - 1)
	for j := range spots {
		if s := &spots[j]; s.log != 0 {
			sum += *t.arena.word(s.block)
			for w := ref(lineWords); w < last; w += lineWords {
				sum += *t.arena.word(s.block + w)
			}
			sum += *t.arena.word(s.block + last)
		}
	}
	width := t.prog.rowWords
	for j := range spots {
		if s := &spots[j]; s.log != 0 {
			sum += *t.arena.word(s.log + ref((s.end-1)*width))
			sum += *t.arena.word(s.log + ref(s.end*width-1))
		}
	}
	for j := range spots {
		if s := &spots[j]; s.log != 0 {
			sum += *t.arena.word(s.log + ref(s.begin*width))
			sum += *t.arena.word(s.log + ref(min(s.begin+2, s.end)*width-1))
		}
	}
	for _, word := range t.prog.textWords {
		for j := range spots {
			if s := &spots[j]; s.log != 0 {
				s.first = *t.arena.word(s.log + ref(s.begin*width+word))
			}
		}
		for j := range spots {
			if s := &spots[j]; s.log != 0 && s.first != noText {
				sum += uint64(t.texts.items[s.first].held)
			}
		}
	}
	return sum
}

// touchWindow reads the first rows that the window holds, and where its texts and the records' own are counted.
func (t *Task) touchWindow(w *windowProgram, from int, spots []spot) (sum uint64) {
	width := t.prog.rowWords
	for j := range spots {
		s := &spots[j]
		if s.log == 0 {
			continue
		}
		if low := int(*t.arena.word(s.block + ref(w.at+cursorLow))); low < s.end {
			s.at = s.log + ref(low*width)
			sum += *t.arena.word(s.log + ref(max(low-1, s.begin)*width))
			sum += *t.arena.word(s.log + ref((low+1)*width-1))
			sum += *t.arena.word(s.log + ref(min(low+2, s.end)*width-1))
		} else {
			s.at = s.log + ref(s.begin*width)
		}
	}
	for c := range w.parts {
		if part := &w.parts[c]; part.kind.text {
			sum += t.touchTables(part, from, spots)
		}
	}
	return sum
}

// touchTables reads where the distinct count holds the records' texts, and that of the row at s.at, which is about to leave.
func (t *Task) touchTables(part *component, from int, spots []spot) (sum uint64) {
	texts := t.ahead.texts[part.value-1-t.prog.bitWords]
	for j := range spots {
		s := &spots[j]
		s.table, s.leaves = 0, noText
		if s.log == 0 {
			continue
		}
		if class := *t.arena.word(s.block + ref(part.at+2)); class != 0 {
			s.table, s.mask = ref(*t.arena.word(s.block + ref(part.at+1))), 1<<(class-1)-1
			s.leaves = *t.arena.word(s.at + ref(part.value))
		}
	}
	for j := range spots {
		if s := &spots[j]; s.leaves != noText {
			sum += *t.arena.word(s.table + ref(spread(uint32(s.leaves))&s.mask))
		}
	}
	if len(texts) == 0 {
		return sum
	}
	for j, id := range texts[from : from+len(spots)] {
		if s := &spots[j]; s.table != 0 && id != none {
			sum += *t.arena.word(s.table + ref(spread(id)&s.mask))
		}
	}
	return sum
}

// known is the number of the record's key, if it has one by now.
func (t *Task) known(i int) (uint32, bool) {
	if num := t.ahead.keys[i]; num != none {
		return num, true
	}
	return t.names.find(t.regs.v[t.prog.keyReg()].text(i))
}
