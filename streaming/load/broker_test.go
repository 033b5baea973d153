package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker starts a Kafka broker within the process and gives the options that reach it.
func broker(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, []kgo.Opt) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}
}

// consume reads the first n records of a topic, by partition, in the order of their offsets.
func consume(t testing.TB, client []kgo.Opt, topic string, n int) [][]*kgo.Record {
	t.Helper()
	consumer, err := kgo.NewClient(append(slices.Clone(client), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	partitions := make([][]*kgo.Record, 16)
	for got := 0; got < n; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read %d of %d records: %v", got, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			partitions[r.Partition] = append(partitions[r.Partition], r)
			got++
		})
	}
	for p, records := range partitions {
		for i, r := range records {
			if r.Offset != int64(i) {
				t.Fatalf("partition %d: record %d has the offset %d", p, i, r.Offset)
			}
		}
	}
	return partitions
}

// show writes records as lines: partition, offset, timestamp, key, value.
func show(partitions [][]*kgo.Record) string {
	var b strings.Builder
	for p, records := range partitions {
		for i, r := range records {
			key := "null"
			if r.Key != nil {
				key = fmt.Sprintf("%q", r.Key)
			}
			fmt.Fprintf(&b, "%d/%d %s %s %s\n", p, i, r.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z"), key, r.Value)
		}
	}
	return b.String()
}

// write makes a file for the test.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// manualClock stands still until it is moved.
type manualClock struct {
	mu    sync.Mutex
	now   time.Time
	next  int
	alarm map[int]alarm
	set   chan struct{} // receives once for every alarm set, if not nil
}

type alarm struct {
	at time.Time
	f  func()
}

func newManualClock() *manualClock {
	return &manualClock{now: time.UnixMilli(1_800_000_000_000), alarm: map[int]alarm{}}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	id := c.next
	c.next++
	c.alarm[id] = alarm{c.now.Add(d), f}
	c.mu.Unlock()
	if c.set != nil {
		c.set <- struct{}{}
	}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, ok := c.alarm[id]
		delete(c.alarm, id)
		return ok
	}
}

// advance moves the clock and calls what is due.
func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for id, a := range c.alarm {
		if !a.at.After(c.now) {
			due = append(due, a.f)
			delete(c.alarm, id)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// rushingClock lets every alarm of up to a second go off at once, the time having passed. Longer ones never do.
type rushingClock struct{ manualClock }

func (c *rushingClock) AfterFunc(d time.Duration, f func()) func() bool {
	if d <= time.Second {
		c.mu.Lock()
		c.now = c.now.Add(d)
		c.mu.Unlock()
		go f()
	}
	return func() bool { return true }
}
