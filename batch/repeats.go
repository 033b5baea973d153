package batch

// repeats finds the numbers that come more than once, at least one time of them inside of what matters. It takes
// 16 bytes or a little more for each number.
type repeats struct {
	slots []uint64 // open addressing: the number + 1, then the two marks; 0 is empty
	used  int
}

// numberBits is how wide the numbers are.
const numberBits = 61

const (
	inside = 1 << iota // it came inside
	again              // it came again
	marks  = inside | again
)

func newRepeats() *repeats { return &repeats{slots: make([]uint64, 1<<12)} }

func (r *repeats) reset() {
	clear(r.slots)
	r.used = 0
}

// add notes a number below 1<<numberBits.
func (r *repeats) add(number uint64, isInside bool) {
	mark := uint64(0)
	if isInside {
		mark = inside
	}
	s := r.place(number + 1)
	if r.slots[s] != 0 {
		r.slots[s] |= mark | again
		return
	}
	r.slots[s] = (number+1)<<2 | mark
	if r.used++; 2*r.used > len(r.slots) {
		r.grow()
	}
}

// place is the slot that holds the number, which is one more than what was added, or the empty one that will.
func (r *repeats) place(number uint64) int {
	mask := len(r.slots) - 1
	// The numbers are hashes, but their low bits say which pass they are of.
	s := int(number*0x9E3779B97F4A7C15>>32) & mask
	for r.slots[s] != 0 && r.slots[s]>>2 != number {
		s = (s + 1) & mask
	}
	return s
}

func (r *repeats) grow() {
	old := r.slots
	r.slots = make([]uint64, 2*len(old))
	for _, v := range old {
		if v != 0 {
			r.slots[r.place(v>>2)] = v
		}
	}
}

// found are the numbers that came more than once, and inside.
func (r *repeats) found() []int64 {
	var found []int64
	for _, v := range r.slots {
		if v&marks == marks {
			found = append(found, int64(v>>2-1))
		}
	}
	return found
}
