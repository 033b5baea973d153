package onlinetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/spillway-go/spillway/featurestore/online"
)

// Run holds stores to the contract of online.Store. Each case calls open for a store of its own that is empty; what open
// returns can be called again after the store is closed, and then gives the store as it was left.
func Run(t *testing.T, open func(t *testing.T) func() online.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := &harness{T: t, open: open(t)}
			h.store = h.open()
			t.Cleanup(func() { h.store.Close() })
			c.check(h)
		})
	}
}

var cases = []struct {
	name  string
	check func(*harness)
}{
	{"an empty store", empty},
	{"a write and its frontier", write},
	{"an older write changes nothing", older},
	{"a slice is replaced whole", replace},
	{"the newest time only grows", newest},
	{"only slices asked for", span},
	{"out of reach", reach},
	{"partitions stand by themselves", partitions},
	{"any bytes are a key", anyKey},
	{"spaces know nothing of each other", spaces},
	{"a run replaces another", publish},
	{"an older run does not", olderRun},
	{"a run that fails to load", failedRun},
	{"a reader sees one whole run", wholeRun},
	{"a reader sees one frontier", oneFrontier},
	{"a closed store", closed},
	{"a cancelled call", cancelled},
}

// harness is a store under test, and the calls that cases are made of.
type harness struct {
	*testing.T
	open  func() online.Store
	store online.Store
}

var (
	ctx   = context.Background()
	space = online.Space{Pipeline: "p", Plan: "00ff"}
)

func (h *harness) reopen() {
	h.Helper()
	h.must(h.store.Close())
	h.store = h.open()
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// frontier is that of a partition after the record at offset next − 1, with a watermark of the same number.
func frontier(partition int32, next int64) online.Frontier {
	return online.Frontier{Partition: partition, Next: next, Watermark: next, Oldest: online.NoTime}
}

// touch is a write of one key that touches the slices that start at the given times; their rows name the emitting offset.
func touch(f online.Frontier, key string, starts ...int64) *online.Write {
	k := online.KeyWrite{Key: []byte(key), Newest: slices.Max(starts)}
	for _, s := range starts {
		k.Slices = append(k.Slices, online.Slice{Start: s, Offset: f.Next - 1, Rows: fmt.Appendf(nil, "%s %d by %d", key, s, f.Next-1)})
	}
	return &online.Write{Frontier: f, Keys: []online.KeyWrite{k}}
}

func (h *harness) apply(w *online.Write, want bool) {
	h.Helper()
	applied, err := h.store.Apply(ctx, space, w)
	h.must(err)
	if applied != want {
		h.Errorf("Apply at %d gives %v, want %v", w.Frontier.Next, applied, want)
	}
}

// all asks for everything there is of the keys.
func all(keys ...string) *online.Query {
	q := &online.Query{From: -1 << 62, To: 1 << 62, Live: true, Values: true}
	for _, k := range keys {
		q.Keys = append(q.Keys, []byte(k))
	}
	return q
}

// texts are the entries of a query as text.
func (h *harness) texts(s online.Space, q *online.Query) []string {
	h.Helper()
	var texts []string
	h.must(h.store.Read(ctx, s, q, func(i int, e *online.Entry) error {
		if i != len(texts) {
			h.Errorf("entry %d after %d of them", i, len(texts))
		}
		texts = append(texts, text(e))
		return nil
	}))
	if len(texts) != len(q.Keys) {
		h.Errorf("%d entries for %d keys", len(texts), len(q.Keys))
	}
	return texts
}

func text(e *online.Entry) string {
	s := "unseen"
	if e.Seen {
		s = fmt.Sprintf("%s newest %d", frontierText(e.Frontier), e.Newest)
	}
	for _, f := range e.Frontiers {
		s += " " + frontierText(f)
	}
	for _, sl := range e.Slices {
		s += fmt.Sprintf(" [%d %s]", sl.Start, sl.Rows)
	}
	if e.Run != nil {
		s += " run " + e.Run.ID
	}
	if e.HasValues {
		s += fmt.Sprintf(" values %q", e.Values)
	}
	return s
}

func frontierText(f online.Frontier) string {
	return fmt.Sprintf("%d/%d W %d", f.Partition, f.Next, f.Watermark)
}

func (h *harness) expect(q *online.Query, want ...string) {
	h.Helper()
	if got := h.texts(space, q); !slices.Equal(got, want) {
		h.Errorf("got  %q\nwant %q", got, want)
	}
}

// values are the values of a run, one a key and named after the run.
func values(run string, keys ...string) iter.Seq2[online.Value, error] {
	return func(yield func(online.Value, error) bool) {
		for _, k := range keys {
			if !yield(online.Value{Key: []byte(k), Bytes: []byte(k + " of " + run)}, nil) {
				return
			}
		}
	}
}

var errBroken = errors.New("broken on purpose")

func (h *harness) publish(run online.Run, want bool, keys ...string) {
	h.Helper()
	stands, err := h.store.Publish(ctx, space, run, values(run.ID, keys...))
	h.must(err)
	if stands != want {
		h.Errorf("Publish of %s gives %v, want %v", run.ID, stands, want)
	}
}
