package kernel

import (
	"bytes"
	"hash/maphash"
)

// texts keeps each distinct byte string once, under a dense number, for as long as somebody holds it. Keys, and the text
// values in logs, are these numbers.
type texts struct {
	seed  maphash.Seed
	slots []uint64 // open addressing: the hash's upper half and the number + 1; 0 is empty
	mask  uint64
	live  int
	items []text
	free  []uint32
	bytes arena
}

type text struct {
	hash uint64
	at   ref
	size int32
	held int32
}

func newTexts() *texts {
	return &texts{seed: maphash.MakeSeed(), slots: make([]uint64, 64), mask: 63}
}

func blockClass(size int) int { return class(max(1, (size+7)/8)) }

// find gives the number of the text, or false.
func (t *texts) find(b []byte) (uint32, bool) {
	id, _, ok := t.look(b, maphash.Bytes(t.seed, b))
	return id, ok
}

func (t *texts) look(b []byte, h uint64) (id uint32, slot uint64, ok bool) {
	for s := h >> 32 & t.mask; ; s = (s + 1) & t.mask {
		e := t.slots[s]
		if e == 0 {
			return 0, s, false
		}
		if e>>32 == h>>32 {
			id := uint32(e) - 1
			if it := &t.items[id]; it.hash == h && bytes.Equal(t.at(id), b) {
				return id, s, true
			}
		}
	}
}

// none is no text's number.
const none = 1<<32 - 1

// holdGuessed is hold with a number that the text had a moment ago, and may have lost since.
func (t *texts) holdGuessed(b []byte, id uint32) uint32 {
	if id < uint32(len(t.items)) && t.items[id].held > 0 && bytes.Equal(t.at(id), b) {
		t.items[id].held++
		return id
	}
	return t.hold(b)
}

// hold gives the number of the text, which stays its own until it is dropped as often as it was held.
func (t *texts) hold(b []byte) uint32 {
	h := maphash.Bytes(t.seed, b)
	id, slot, ok := t.look(b, h)
	if ok {
		t.items[id].held++
		return id
	}
	if n := len(t.free); n > 0 {
		id = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		id = uint32(len(t.items))
		t.items = append(room(t.items, 1), text{})
	}
	at := t.bytes.alloc(blockClass(len(b)))
	t.items[id] = text{hash: h, at: at, size: int32(len(b)), held: 1}
	copy(asBytes(t.bytes.words(at, (len(b)+7)/8)), b)
	t.slots[slot] = h>>32<<32 | uint64(id+1)
	t.live++
	if t.live*2 > len(t.slots) {
		t.grow()
	}
	return id
}

func (t *texts) grow() {
	old := t.slots
	t.slots = large[uint64](2 * len(old))
	t.mask = uint64(len(t.slots) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		s := e >> 32 & t.mask
		for t.slots[s] != 0 {
			s = (s + 1) & t.mask
		}
		t.slots[s] = e
	}
}

// keep holds a text once more, by its number.
func (t *texts) keep(id uint32) { t.items[id].held++ }

// drop lets go of a text; the last to do so frees its number.
func (t *texts) drop(id uint32) {
	it := &t.items[id]
	if it.held--; it.held > 0 {
		return
	}
	s := it.hash >> 32 & t.mask
	for uint32(t.slots[s])-1 != id || t.slots[s] == 0 {
		s = (s + 1) & t.mask
	}
	t.bytes.release(it.at, blockClass(int(it.size)))
	t.free = append(t.free, id)
	t.live--
	t.close(s)
}

// close empties a slot and moves back what was pushed past it, so that no look-up stops short.
func (t *texts) close(hole uint64) {
	for s := (hole + 1) & t.mask; t.slots[s] != 0; s = (s + 1) & t.mask {
		home := t.slots[s] >> 32 & t.mask
		if (s-home)&t.mask >= (s-hole)&t.mask {
			t.slots[hole] = t.slots[s]
			hole = s
		}
	}
	t.slots[hole] = 0
}

// at is the text of that number.
func (t *texts) at(id uint32) []byte {
	it := &t.items[id]
	return asBytes(t.bytes.words(it.at, (int(it.size)+7)/8))[:it.size]
}
