package onlinetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spillway-go/spillway/featurestore/online"
)

func empty(h *harness) {
	h.expect(all("a"), "unseen")
	h.expect(all())
	fs, err := h.store.Frontiers(ctx, space)
	h.must(err)
	_, ok, err := h.store.Published(ctx, space)
	h.must(err)
	if len(fs) > 0 || ok {
		h.Errorf("an empty store has frontiers %v, a run: %v", fs, ok)
	}
}

func write(h *harness) {
	h.apply(touch(frontier(0, 3), "a", 10, 20), true)
	want := "0/3 W 3 newest 20 [10 a 10 by 2] [20 a 20 by 2]"
	h.expect(all("a", "b", "a"), want, "unseen 0/3 W 3", want)
	h.reopen()
	h.expect(all("a"), want)
}

func older(h *harness) {
	h.apply(touch(frontier(0, 5), "a", 10), true)
	h.apply(touch(frontier(0, 5), "a", 10, 20), false)
	h.apply(touch(frontier(0, 4), "b", 10), false)
	h.expect(all("a", "b"), "0/5 W 5 newest 10 [10 a 10 by 4]", "unseen 0/5 W 5")
	h.reopen()
	h.apply(touch(frontier(0, 5), "a", 20), false)
	h.apply(&online.Write{Frontier: frontier(0, 6)}, true)
	h.expect(all("a"), "0/6 W 6 newest 10 [10 a 10 by 4]")
}

func replace(h *harness) {
	h.apply(touch(frontier(0, 1), "a", -20, 0, 20), true)
	h.apply(touch(frontier(0, 2), "a", 0), true)
	h.expect(all("a"), "0/2 W 2 newest 20 [-20 a -20 by 0] [0 a 0 by 1] [20 a 20 by 0]")
}

func newest(h *harness) {
	h.apply(touch(frontier(0, 1), "a", 30), true)
	h.apply(touch(frontier(0, 2), "a", 10), true)
	h.reopen()
	h.apply(touch(frontier(0, 3), "a", 20), true)
	h.expect(&online.Query{Keys: [][]byte{[]byte("a")}, Live: true}, "0/3 W 3 newest 30")
}

func span(h *harness) {
	h.apply(touch(frontier(0, 1), "a", -1<<40, -10, 0, 10, 20), true)
	q := all("a")
	q.From, q.To = -10, 20
	h.expect(q, "0/1 W 1 newest 20 [-10 a -10 by 0] [0 a 0 by 0] [10 a 10 by 0]")
	h.publish(online.Run{ID: "r", AsOf: 1}, true, "a")
	h.expect(q, `0/1 W 1 newest 20 [-10 a -10 by 0] [0 a 0 by 0] [10 a 10 by 0] run r values "a of r"`)
	q.Live = false
	h.expect(q, `unseen run r values "a of r"`)
	q.Live, q.Values = true, false
	q.From = 20
	h.expect(q, "0/1 W 1 newest 20")
}

func reach(h *harness) {
	h.apply(touch(frontier(0, 1), "a", 10, 20, 30), true)
	h.apply(touch(frontier(1, 1), "b", 10, 20, 30), true)
	f := frontier(0, 2)
	f.Oldest = 20
	h.apply(&online.Write{Frontier: f}, true)
	want := []string{
		"0/2 W 2 newest 30 [20 a 20 by 0] [30 a 30 by 0]",
		"1/1 W 1 newest 30 [10 b 10 by 0] [20 b 20 by 0] [30 b 30 by 0]",
	}
	h.expect(all("a", "b"), want...)
	h.reopen()
	h.expect(all("a", "b"), want...)
}

func partitions(h *harness) {
	h.apply(touch(frontier(7, 9), "a", 1), true)
	h.apply(touch(frontier(0, 3), "b", 2), true)
	h.apply(touch(frontier(7, 10), "a", 1), true)
	fs, err := h.store.Frontiers(ctx, space)
	h.must(err)
	if want := []online.Frontier{frontier(0, 3), frontier(7, 10)}; !slices.Equal(fs, want) {
		h.Errorf("frontiers %v, want %v", fs, want)
	}
	h.expect(all("b", "a", "c"), "0/3 W 3 newest 2 [2 b 2 by 2]", "7/10 W 10 newest 1 [1 a 1 by 9]", "unseen 0/3 W 3 7/10 W 10")
	if _, err := h.store.Apply(ctx, space, touch(frontier(0, 4), "a", 3)); err == nil {
		h.Error("a key may live in two partitions")
	}
	h.expect(all("a", "b"), "7/10 W 10 newest 1 [1 a 1 by 9]", "0/3 W 3 newest 2 [2 b 2 by 2]")
}

func anyKey(h *harness) {
	keys := []string{
		"", "\x00", "\x00\x00", "\x00\x01", "a", "a\x00", "a\x00\x01", "aa", "\xff", "\xff\xff", "日本", "a/b c%2F",
		strings.Repeat("long", 1000),
	}
	run := online.Run{ID: "r", AsOf: 1}
	h.publish(run, true, keys...)
	for i, k := range keys {
		h.apply(touch(frontier(0, int64(i+1)), k, 5), true)
	}
	for i, k := range keys {
		h.expect(all(k), fmt.Sprintf("0/%d W %[1]d newest 5 [5 %s 5 by %d] run r values %q", len(keys), k, i, k+" of r"))
	}
}

func spaces(h *harness) {
	other := online.Space{Pipeline: "p", Plan: "00fe"}
	h.apply(touch(frontier(0, 1), "a", 10), true)
	h.publish(online.Run{ID: "r", AsOf: 1}, true, "a")
	if got := h.texts(other, all("a")); got[0] != "unseen" {
		h.Errorf("the other space has %q", got)
	}
	if applied, err := h.store.Apply(ctx, other, touch(frontier(0, 1), "a", 20)); err != nil || !applied {
		h.Errorf("the other space's first write: %v, %v", applied, err)
	}
	list, err := h.store.Spaces(ctx)
	h.must(err)
	if len(list) != 2 || !slices.Contains(list, space) || !slices.Contains(list, other) {
		h.Errorf("spaces %v", list)
	}
	h.must(h.store.Drop(ctx, space))
	h.expect(all("a"), "unseen")
	if got := h.texts(other, all("a")); got[0] != "0/1 W 1 newest 20 [20 a 20 by 0]" {
		h.Errorf("the other space has %q after the first is dropped", got)
	}
	list, err = h.store.Spaces(ctx)
	h.must(err)
	if !slices.Equal(list, []online.Space{other}) {
		h.Errorf("spaces %v after one is dropped", list)
	}
	h.apply(touch(frontier(0, 1), "a", 30), true)
	h.expect(all("a"), "0/1 W 1 newest 30 [30 a 30 by 0]")
}

// oneFrontier writes batches of two keys, and reads them meanwhile: the slices must be those of the frontier beside them.
func oneFrontier(h *harness) {
	const writes = 200
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for n := int64(1); n <= writes; n++ {
			w := touch(frontier(0, n), "a", 1, 2)
			w.Keys = append(w.Keys, touch(frontier(0, n), "b", 1).Keys...)
			if _, err := h.store.Apply(ctx, space, w); err != nil {
				h.Error(err)
				return
			}
		}
	}()
	for last := int64(0); last < writes && !h.Failed(); {
		var next int64
		h.must(h.store.Read(ctx, space, all("a", "b"), func(i int, e *online.Entry) error {
			if !e.Seen {
				return nil
			}
			if i == 0 {
				next = e.Frontier.Next
			}
			if e.Frontier.Next != next || next < last {
				h.Errorf("frontier %d in a read at %d, after one at %d", e.Frontier.Next, next, last)
			}
			for _, s := range e.Slices {
				if want := fmt.Sprintf("by %d", next-1); !strings.HasSuffix(string(s.Rows), want) || s.Offset != next-1 {
					h.Errorf("rows %q of offset %d at frontier %d", s.Rows, s.Offset, next)
				}
			}
			return nil
		}))
		last = next
	}
	group.Wait()
}
