package kernel

import "math/bits"

// ref names a block of an arena: the slab above, the word within it below. 0 names no block.
type ref uint64

// arena hands out blocks of words whose sizes are powers of two. Everything that grows with the number of keys and events
// lives in a few large slabs without pointers, so that the collector has nothing to follow.
type arena struct {
	slabs [][]uint64
	free  [64][]ref // freed blocks by class: the block has 1<<class words
	spare []uint32  // slabs given up by large blocks
	tail  int       // the slab that small blocks are cut from; 0 is none
	used  int       // words cut from it
}

// The sizes of slabs that small blocks are cut from: each is four times the one before, so that a small state stays small.
const (
	firstSlab = 1 << 9  // 4 KiB
	slabWords = 1 << 19 // 4 MiB: two huge pages
)

// class is the least class whose blocks hold the number of words.
func class(words int) int { return bits.Len(uint(words - 1)) }

// alloc gives a block of 1<<class words, whose content is not cleared.
func (a *arena) alloc(class int) ref {
	if f := a.free[class]; len(f) > 0 {
		r := f[len(f)-1]
		a.free[class] = f[:len(f)-1]
		return r
	}
	words := 1 << class
	if words > slabWords/8 {
		return a.slab(large[uint64](words))
	}
	if a.tail == 0 || a.used+words > len(a.slabs[a.tail]) {
		size := firstSlab
		if a.tail != 0 {
			size = min(slabWords, 4*len(a.slabs[a.tail]))
		}
		for size < words {
			size *= 4
		}
		a.tail = int(a.slab(large[uint64](size)) >> 32)
		a.used = 0
	}
	r := ref(a.tail)<<32 | ref(a.used)
	a.used += words
	return r
}

func (a *arena) slab(words []uint64) ref {
	if len(a.slabs) == 0 {
		a.slabs = append(a.slabs, nil) // slab 0 stays empty, so that ref 0 names nothing
	}
	if n := len(a.spare); n > 0 {
		i := a.spare[n-1]
		a.spare = a.spare[:n-1]
		a.slabs[i] = words
		return ref(i) << 32
	}
	a.slabs = append(a.slabs, words)
	return ref(len(a.slabs)-1) << 32
}

// release takes a block back. A large one has a slab of its own, which goes back to the collector.
func (a *arena) release(r ref, class int) {
	if 1<<class > slabWords/8 {
		a.slabs[r>>32] = nil
		a.spare = append(a.spare, uint32(r>>32))
		return
	}
	a.free[class] = append(a.free[class], r)
}

// word is the word at r, which may lie within a block.
func (a *arena) word(r ref) *uint64 { return &a.slabs[r>>32][uint32(r)] }

// words is the first n words of the block.
func (a *arena) words(r ref, n int) []uint64 {
	s := a.slabs[r>>32]
	o := int(uint32(r))
	return s[o : o+n : o+n]
}
