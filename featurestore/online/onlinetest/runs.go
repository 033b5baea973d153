package onlinetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spillway-go/spillway/featurestore/online"
)

func publish(h *harness) {
	first := online.Run{ID: "1", AsOf: 100, Published: 150, Snapshot: -7}
	h.publish(first, true, "a", "b")
	h.expect(all("a", "b", "c"), `unseen run 1 values "a of 1"`, `unseen run 1 values "b of 1"`, "unseen run 1")
	h.reopen()
	run, ok, err := h.store.Published(ctx, space)
	h.must(err)
	if !ok || run != first {
		h.Errorf("the run is %+v, want %+v", run, first)
	}
	h.publish(online.Run{ID: "2", AsOf: 200}, true, "b", "c")
	h.expect(all("a", "b", "c"), "unseen run 2", `unseen run 2 values "b of 2"`, `unseen run 2 values "c of 2"`)
	h.publish(online.Run{ID: "3", AsOf: 200}, true)
	h.reopen()
	h.expect(all("b"), "unseen run 3")
	if _, err := h.store.Publish(ctx, space, online.Run{AsOf: 300}, values("")); err == nil {
		h.Error("a run without an id is published")
	}
}

func olderRun(h *harness) {
	h.publish(online.Run{ID: "5", AsOf: 100}, true, "a")
	h.publish(online.Run{ID: "5", AsOf: 100}, true, "b")
	h.publish(online.Run{ID: "4", AsOf: 100}, false, "b")
	h.publish(online.Run{ID: "9", AsOf: 99}, false, "b")
	h.expect(all("a", "b"), `unseen run 5 values "a of 5"`, "unseen run 5")
}

func failedRun(h *harness) {
	h.publish(online.Run{ID: "1", AsOf: 1}, true, "a")
	_, err := h.store.Publish(ctx, space, online.Run{ID: "2", AsOf: 2}, func(yield func(online.Value, error) bool) {
		for v := range values("2", "a", "b") {
			if !yield(v, nil) {
				return
			}
		}
		yield(online.Value{}, errBroken)
	})
	if !errors.Is(err, errBroken) {
		h.Errorf("the error is %v, want that of the values", err)
	}
	h.expect(all("a", "b"), `unseen run 1 values "a of 1"`, "unseen run 1")
	h.publish(online.Run{ID: "2", AsOf: 2}, true, "b")
	h.expect(all("a", "b"), "unseen run 2", `unseen run 2 values "b of 2"`)
}

// wholeRun publishes runs of two keys, and reads them meanwhile.
func wholeRun(h *harness) {
	const runs = 50
	id := func(n int) string { return fmt.Sprintf("%03d", n) }
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for n := 1; n <= runs; n++ {
			if _, err := h.store.Publish(ctx, space, online.Run{ID: id(n), AsOf: int64(n)}, values(id(n), "a", "b")); err != nil {
				h.Error(err)
				return
			}
		}
	}()
	for last := ""; last < id(runs) && !h.Failed(); {
		var run string
		h.must(h.store.Read(ctx, space, all("a", "b"), func(i int, e *online.Entry) error {
			switch {
			case e.Run == nil:
				if last != "" || run != "" {
					h.Error("a run went away")
				}
			case i > 0 && e.Run.ID != run || e.Run.ID < last:
				h.Errorf("run %s in a read of %s, after %s", e.Run.ID, run, last)
			case string(e.Values) != string("ab"[i])+" of "+e.Run.ID:
				h.Errorf("values %q in run %s", e.Values, e.Run.ID)
			default:
				run = e.Run.ID
			}
			return nil
		}))
		last = max(last, run)
	}
	group.Wait()
}

func closed(h *harness) {
	h.apply(touch(frontier(0, 1), "a", 1), true)
	h.must(h.store.Close())
	h.must(h.store.Close())
	if err := h.store.Read(ctx, space, all("a"), nil); err == nil {
		h.Error("a closed store is read")
	}
	if _, err := h.store.Apply(ctx, space, touch(frontier(0, 2), "a", 1)); err == nil {
		h.Error("a closed store is written")
	}
	if _, err := h.store.Frontiers(ctx, space); err == nil {
		h.Error("a closed store has frontiers")
	}
}

func cancelled(h *harness) {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.store.Apply(gone, space, touch(frontier(0, 1), "a", 1)); !errors.Is(err, context.Canceled) {
		h.Errorf("Apply: %v", err)
	}
	if err := h.store.Read(gone, space, all("a"), nil); !errors.Is(err, context.Canceled) {
		h.Errorf("Read: %v", err)
	}
	if _, err := h.store.Publish(gone, space, online.Run{ID: "1"}, values("1", "a")); !errors.Is(err, context.Canceled) {
		h.Errorf("Publish: %v", err)
	}
	h.expect(all("a"), "unseen")
}
