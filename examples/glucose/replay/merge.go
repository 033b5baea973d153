package replay

// arrivals is a binary heap of the people by the arrival of their next record, the earliest first; of equal arrivals the
// person with the smaller number. The arrivals are kept in the heap itself, so that sifting does not visit the people.
type arrivals []nextArrival

type nextArrival struct {
	arrival int64 // In milliseconds.
	person  int32
}

func (a nextArrival) before(b nextArrival) bool {
	return a.arrival < b.arrival || a.arrival == b.arrival && a.person < b.person
}

func (h *arrivals) push(arrival int64, person int32) {
	*h = append(*h, nextArrival{arrival, person})
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if !s[i].before(s[parent]) {
			return
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
}

// replaceFirst gives the first person a new arrival.
func (h arrivals) replaceFirst(arrival int64) {
	h[0].arrival = arrival
	h.siftDown()
}

// removeFirst takes the first person out.
func (h *arrivals) removeFirst() {
	s := *h
	last := len(s) - 1
	s[0] = s[last]
	*h = s[:last]
	h.siftDown()
}

func (h arrivals) siftDown() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if right := child + 1; right < len(h) && h[right].before(h[child]) {
			child = right
		}
		if !h[child].before(h[i]) {
			return
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}
