package kernel

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// remembered is the ids of admitted events, each with its key, for as long as its time is W − L or later (S3).
//
// It is on every event's path, so it is laid out for the cache: entries lie one behind the other in the order of their
// arrival, and leave from the front; a table of their places is probed, which for a new id reads one line of memory.
type remembered struct {
	seed    maphash.Seed
	slots   []uint64 // tag above, place + 1 below; 0 is empty
	live    int
	entries []byte // each a multiple of eight bytes long; places count these from origin
	origin  uint32
	head    int    // of the first entry that is still in the table
	sum     uint64 // of slots read ahead
}

// An entry is its hash's tag, its time, its key's number, the length of the id, the id, and padding.
const entryHead = 4 + 8 + 4 + 4

func entrySize(id []byte) int { return (entryHead + len(id) + 7) &^ 7 }

func (r *remembered) init() {
	r.seed = maphash.MakeSeed()
	r.slots = make([]uint64, 256)
}

// tagOf mixes the key into the id's hash: ids are a key's own.
func (r *remembered) tagOf(key uint32, id []byte) uint32 {
	// The top bit keeps a slot from looking empty.
	return uint32((maphash.Bytes(r.seed, id)^uint64(key)*0x9E3779B97F4A7C15)>>32) | 1<<31
}

func (r *remembered) entry(place uint32) []byte { return r.entries[int(place-r.origin)*8:] }

func entryTime(e []byte) int64 { return int64(binary.LittleEndian.Uint64(e[4:])) }
func entryKey(e []byte) uint32 { return binary.LittleEndian.Uint32(e[12:]) }
func entryID(e []byte) []byte {
	return e[entryHead : entryHead+int(binary.LittleEndian.Uint32(e[16:]))]
}

// touch reads the slots that ids [from, to) of a batch will ask for, so that the memory is at hand when they do, and keeps
// their hashes. It gives a sum of them, lest the compiler leave the reading out.
func (r *remembered) touch(ids *vector, keys []uint32, from, to int, tags []uint32) (sum uint64) {
	mask := len(r.slots) - 1
	for i := from; i < to; i++ {
		tags[i] = 0
		if keys[i] != none && ids.ok(i) {
			tags[i] = r.tagOf(keys[i], ids.text(i))
		}
	}
	for _, tag := range tags[from:to] {
		sum += r.slots[int(tag)&mask]
	}
	return sum
}

// has tells whether the id is remembered, where from is the earliest time that still is. Tag is tagOf's.
func (r *remembered) has(key uint32, id []byte, tag uint32, from int64) bool {
	mask := len(r.slots) - 1
	for s := int(tag) & mask; r.slots[s] != 0; s = (s + 1) & mask {
		if uint32(r.slots[s]>>32) != tag {
			continue
		}
		e := r.entry(uint32(r.slots[s]) - 1)
		if entryTime(e) >= from && entryKey(e) == key && bytes.Equal(entryID(e), id) {
			return true
		}
	}
	return false
}

// remember keeps the id of an admitted event. Tag is tagOf's.
func (r *remembered) remember(key uint32, id []byte, tag uint32, at int64) {
	if 2*(r.live+1) > len(r.slots) {
		r.grow()
	}
	mask := len(r.slots) - 1
	place := r.origin + uint32(len(r.entries)/8)
	r.entries = room(r.entries, entrySize(id))
	r.entries = binary.LittleEndian.AppendUint32(r.entries, tag)
	r.entries = binary.LittleEndian.AppendUint64(r.entries, uint64(at))
	r.entries = binary.LittleEndian.AppendUint32(r.entries, key)
	r.entries = binary.LittleEndian.AppendUint32(r.entries, uint32(len(id)))
	r.entries = append(r.entries, id...)
	for len(r.entries)%8 != 0 {
		r.entries = append(r.entries, 0)
	}
	s := int(tag) & mask
	for r.slots[s] != 0 {
		s = (s + 1) & mask
	}
	r.slots[s] = uint64(tag)<<32 | uint64(place+1)
	r.live++
}

func (r *remembered) grow() {
	old := r.slots
	r.slots = large[uint64](2 * len(old))
	mask := len(r.slots) - 1
	for _, e := range old {
		if e == 0 {
			continue
		}
		s := int(e>>32) & mask
		for r.slots[s] != 0 {
			s = (s + 1) & mask
		}
		r.slots[s] = e
	}
}

// expire lets go of ids from the front. Times are nearly in order there, so what waits behind a later one waits shortly.
func (r *remembered) expire(from int64) {
	var sum uint64
	for ahead, i := r.head, 0; r.head < len(r.entries); i++ {
		e := r.entries[r.head:]
		if entryTime(e) >= from {
			break
		}
		if i%aheadRows == 0 {
			sum, ahead = r.touchFrom(ahead, from)
			r.sum += sum
		}
		r.close(binary.LittleEndian.Uint32(e), r.origin+uint32(r.head/8))
		r.head += entrySize(entryID(e))
		r.live--
	}
	if r.head > 1<<16 && 2*r.head > len(r.entries) {
		r.origin += uint32(r.head / 8)
		r.entries = r.entries[:copy(r.entries, r.entries[r.head:])]
		r.head = 0
	}
}

// touchFrom reads the slots of the next entries to be let go of, all at once, and gives the place behind them.
func (r *remembered) touchFrom(at int, from int64) (sum uint64, next int) {
	mask := len(r.slots) - 1
	for n := 0; n < aheadRows && at < len(r.entries); n++ {
		e := r.entries[at:]
		if entryTime(e) >= from {
			break
		}
		sum += r.slots[int(binary.LittleEndian.Uint32(e))&mask]
		at += entrySize(entryID(e))
	}
	return sum, at
}

// close empties the slot of a place and moves back what was pushed past it, so that no probe stops short.
func (r *remembered) close(tag, place uint32) {
	mask := len(r.slots) - 1
	hole := int(tag) & mask
	for uint32(r.slots[hole]) != place+1 {
		hole = (hole + 1) & mask
	}
	for s := (hole + 1) & mask; r.slots[s] != 0; s = (s + 1) & mask {
		home := int(r.slots[s]>>32) & mask
		if (s-home)&mask >= (s-hole)&mask {
			r.slots[hole] = r.slots[s]
			hole = s
		}
	}
	r.slots[hole] = 0
}
