package kernel

// timeHeap gives back times in order, the least first. It is container/heap for int64, which needs no allocation for each.
type timeHeap []int64

func (h *timeHeap) push(at int64) {
	s := append(*h, at)
	i := len(s) - 1
	for i > 0 && s[(i-1)/2] > at {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = at
	*h = s
}

// pop takes out the least. The heap is not empty.
func (h *timeHeap) pop() int64 {
	s := *h
	least, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	i := 0
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1] < s[child] {
			child++
		}
		if s[child] >= last {
			break
		}
		s[i] = s[child]
		i = child
	}
	if len(s) > 0 {
		s[i] = last
	}
	return least
}
