package online

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
)

// touched collects the slices that a batch of records changed, each once. Its memory serves every batch.
type touched struct {
	seed  maphash.Seed
	slots []uint32 // open addressing: the index in list + 1; 0 is empty
	list  []touch
}

// touch is one slice of one key.
type touch struct {
	hash   uint64
	key    []byte // lies in the batch
	start  int64
	newest int64 // of its events in the batch
}

func (t *touched) reset() {
	if len(t.slots) == 0 {
		t.seed = maphash.MakeSeed()
		t.slots = make([]uint32, 1024)
	}
	clear(t.slots)
	clear(t.list) // Keys keep a batch's memory alive.
	t.list = t.list[:0]
}

func (t *touched) add(key []byte, start, at int64) {
	h := maphash.Bytes(t.seed, key) ^ uint64(start)*0x9e3779b97f4a7c15
	mask := uint64(len(t.slots) - 1)
	s := h & mask
	for ; t.slots[s] != 0; s = (s + 1) & mask {
		e := &t.list[t.slots[s]-1]
		if e.hash == h && e.start == start && bytes.Equal(e.key, key) {
			e.newest = max(e.newest, at)
			return
		}
	}
	t.list = append(t.list, touch{h, key, start, at})
	t.slots[s] = uint32(len(t.list))
	if 2*len(t.list) > len(t.slots) {
		t.grow()
	}
}

func (t *touched) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i := range t.list {
		s := t.list[i].hash & mask
		for t.slots[s] != 0 {
			s = (s + 1) & mask
		}
		t.slots[s] = uint32(i + 1)
	}
}

// sorted are the slices by key and start. Nothing may be added after it.
func (t *touched) sorted() []touch {
	slices.SortFunc(t.list, func(a, b touch) int {
		return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.start, b.start))
	})
	return t.list
}
