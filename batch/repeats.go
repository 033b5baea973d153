package batch

// repeats finds the numbers that come more than once, at least one time of them inside of what matters. The numbers are
// hashes: they are dealt out to buckets by their upper bits, and each bucket is looked through by itself, in a table that
// stays in the processor's cache. It takes eight bytes a number.
type repeats struct {
	buckets [1 << bucketBits][]uint64 // the number + 1, then the mark
	slots   []uint64                  // open addressing: as in buckets, with a second mark; 0 is empty
}

const (
	numberBits = 61 // of a number
	bucketBits = 6
)

const (
	inside = 1 << iota // it came inside
	again              // it came again
	marks  = inside | again
)

func (r *repeats) reset() {
	for i := range r.buckets {
		r.buckets[i] = r.buckets[i][:0]
	}
}

// add notes a number below 1<<numberBits.
func (r *repeats) add(number uint64, isInside bool) {
	v := (number + 1) << 2
	if isInside {
		v |= inside
	}
	b := &r.buckets[number>>(numberBits-bucketBits)]
	*b = append(*b, v)
}

// found are the numbers that came more than once, and inside.
func (r *repeats) found() []int64 {
	var found []int64
	for _, bucket := range r.buckets {
		r.clear(2 * len(bucket))
		mask := len(r.slots) - 1
		for _, v := range bucket {
			// The lowest bits may be the same in all numbers: they say which pass over the keys it is.
			s := int(v>>20) & mask
			for r.slots[s] != 0 && r.slots[s]>>2 != v>>2 {
				s = (s + 1) & mask
			}
			if r.slots[s] == 0 {
				r.slots[s] = v
				continue
			}
			was := r.slots[s] & marks
			if r.slots[s] |= v | again; was != marks && r.slots[s]&marks == marks {
				found = append(found, int64(v>>2-1))
			}
		}
	}
	return found
}

// clear makes at least n empty slots.
func (r *repeats) clear(n int) {
	size := 1 << 10
	for size < n {
		size *= 2
	}
	if cap(r.slots) < size {
		r.slots = make([]uint64, size)
		return
	}
	r.slots = r.slots[:size]
	clear(r.slots)
}
