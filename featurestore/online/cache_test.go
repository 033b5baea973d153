package online

import (
	"fmt"
	"testing"
)

func TestCacheKeepsWhatNothingChanged(t *testing.T) {
	c := newCache(1 << 20)
	changes, quiet := c.quiet()
	if !quiet {
		t.Fatal("not quiet at first")
	}
	c.put([]byte("a"), &cached{}, changes)
	if c.get([]byte("a")) == nil {
		t.Error("a is not kept")
	}
	c.begun.Add(1)
	if _, quiet := c.quiet(); quiet || c.still(changes) {
		t.Error("quiet while something changes")
	}
	c.put([]byte("b"), &cached{}, changes) // It was read before the change.
	if c.get([]byte("b")) != nil {
		t.Error("b is kept though something changes")
	}
	c.remove(&Write{Keys: []KeyWrite{{Key: []byte("a")}}})
	c.done.Add(1)
	if c.get([]byte("a")) != nil {
		t.Error("a is kept though it was touched")
	}
	c.put([]byte("b"), &cached{}, changes)
	if c.get([]byte("b")) != nil {
		t.Error("b is kept though it was read before a change")
	}
	if changes, quiet = c.quiet(); !quiet {
		t.Error("not quiet after the change")
	}
	c.put([]byte("b"), &cached{}, changes)
	if c.get([]byte("b")) == nil {
		t.Error("b is not kept")
	}
}

func TestCacheIsBounded(t *testing.T) {
	const most = 1 << 20
	c := newCache(most)
	for i := range 20_000 {
		c.put(fmt.Appendf(nil, "key %d", i%15_000), &cached{bytes: make([]byte, 100)}, 0)
	}
	bytes, keys := 0, 0
	for i := range c.shards {
		s := &c.shards[i]
		own := 0
		for _, e := range s.keys {
			own += e.size
			keys++
		}
		if own != s.bytes || own > most/cacheShards {
			t.Errorf("shard %d has %d bytes, counts %d, and may have %d", i, own, s.bytes, most/cacheShards)
		}
		bytes += own
	}
	if bytes < most/2 || keys == 0 {
		t.Errorf("only %d bytes of %d keys are kept", bytes, keys)
	}
	c.put([]byte("large"), &cached{bytes: make([]byte, most/cacheShards)}, 0)
	if c.get([]byte("large")) != nil {
		t.Error("a key that takes a shard's room is kept")
	}
}
