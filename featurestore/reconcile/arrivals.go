package reconcile

import (
	"math"
	"slices"
)

// arrivals answers whether, among some of a key's events, one in a range of positions has at least a given value: its
// offset, say, to find what arrived after an ask was answered. A key may have millions of both.
type arrivals struct {
	events []int32 // indices of a history's events, rising
	values []int64 // theirs, until build lays them out as a tree
	tree   []int64 // tree[n+i] is the value of member i, and tree[i] the greatest of tree[2i] and tree[2i+1]
}

func (a *arrivals) add(event int, value int64) {
	a.events = append(a.events, int32(event))
	a.values = append(a.values, value)
}

func (a *arrivals) build() {
	n := len(a.events)
	a.tree = make([]int64, 2*n)
	copy(a.tree[n:], a.values)
	a.values = nil
	for i := n - 1; i > 0; i-- {
		a.tree[i] = max(a.tree[2*i], a.tree[2*i+1])
	}
}

// reach tells whether an event with an index in [lo, hi) has a value of at least least.
func (a *arrivals) reach(lo, hi int, least int64) bool {
	n := len(a.events)
	if n == 0 {
		return false
	}
	i, _ := slices.BinarySearch(a.events, int32(min(lo, math.MaxInt32)))
	j, _ := slices.BinarySearch(a.events, int32(min(hi, math.MaxInt32)))
	for i, j = i+n, j+n; i < j; i, j = i/2, j/2 {
		if i&1 == 1 {
			if a.tree[i] >= least {
				return true
			}
			i++
		}
		if j&1 == 1 {
			j--
			if a.tree[j] >= least {
				return true
			}
		}
	}
	return false
}
