package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTimeHeap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var h timeHeap
	var want []int64
	for range 5000 {
		if len(want) > 0 && r.IntN(5) < 2 {
			slices.Sort(want)
			if got := h.pop(); got != want[0] {
				t.Fatalf("got %d, want %d", got, want[0])
			}
			want = want[1:]
			continue
		}
		at := r.Int64N(100) - 50
		h.push(at)
		want = append(want, at)
	}
	slices.Sort(want)
	for _, w := range want {
		if got := h.pop(); got != w {
			t.Fatalf("got %d, want %d", got, w)
		}
	}
	if len(h) != 0 {
		t.Errorf("%d are left", len(h))
	}
}
