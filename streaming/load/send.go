package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
)

// What the client holds back at most. It has room for a few batches of each of a topic's usual partitions.
const (
	bufferedRecords = 16 << 10
	bufferedBytes   = 4 * maxRecord
)

// A slab holds this many records, and about this many bytes of their keys and values.
const (
	slabRecords = 512
	slabBytes   = 128 << 10
)

// slab is memory for records on their way to the broker. It is used again once all of them have been acknowledged.
type slab struct {
	used    int
	open    atomic.Int64 // records not yet acknowledged, and one while the slab is being filled
	acked   func(*kgo.Record, error)
	records [slabRecords]kgo.Record
	file    string
	lines   [slabRecords]int64 // where each record comes from
	text    []byte             // the keys and values; records keep the piece that they began in when this is moved to grow
}

// sender hands records to the client, in order, and counts what becomes of them.
type sender struct {
	client *kgo.Client
	topic  string
	// ctx ends the sending, with the first failure as its cause.
	ctx    context.Context
	cancel context.CancelCauseFunc
	slab   *slab // the one in hand

	sent       atomic.Int64
	settled    atomic.Int64   // those acknowledged, and those that failed
	partitions []atomic.Int64 // those acknowledged
	bytes      atomic.Int64   // theirs

	mu    sync.Mutex
	free  []*slab
	slabs sync.WaitGroup // those not free
}

func newSender(ctx context.Context, client *kgo.Client, name string, partitions int32) *sender {
	s := &sender{client: client, topic: name, partitions: make([]atomic.Int64, partitions)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// send sends a record of a file. It waits while the client's buffer is full.
func (s *sender) send(file string, rec *record, to route) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if s.slab == nil {
		s.slab = s.take(file)
	}
	b := s.slab
	r := &b.records[b.used]
	*r = kgo.Record{Topic: s.topic, Partition: to.partition, Timestamp: time.UnixMilli(to.stamp)}
	begin := len(b.text)
	b.text = append(b.text, to.key...)
	if to.key != nil {
		r.Key = b.text[begin:len(b.text):len(b.text)]
	}
	begin = len(b.text)
	b.text = append(b.text, rec.value...)
	r.Value = b.text[begin:len(b.text):len(b.text)]
	b.lines[b.used] = rec.line
	b.used++
	b.open.Add(1)
	s.sent.Add(1)
	s.client.Produce(s.ctx, r, b.acked)
	if b.used == slabRecords || len(b.text) >= slabBytes {
		s.give()
	}
	return nil
}

// give gives up the slab in hand, so that it is used again once it has been acknowledged.
func (s *sender) give() {
	if s.slab != nil {
		s.release(s.slab)
		s.slab = nil
	}
}

func (s *sender) take(file string) *slab {
	s.slabs.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	var b *slab
	if n := len(s.free); n > 0 {
		b = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		b = &slab{text: make([]byte, 0, slabBytes+slabBytes/8)}
		b.acked = func(r *kgo.Record, err error) { s.acked(b, r, err) }
	}
	b.file = file
	b.open.Store(1)
	return b
}

// release counts one holder of the slab less.
func (s *sender) release(b *slab) {
	if b.open.Add(-1) > 0 {
		return
	}
	if cap(b.text) > 4*slabBytes {
		b.text = make([]byte, 0, slabBytes+slabBytes/8)
	}
	b.used, b.text = 0, b.text[:0]
	s.mu.Lock()
	s.free = append(s.free, b)
	s.mu.Unlock()
	s.slabs.Done()
}

func (s *sender) acked(b *slab, r *kgo.Record, err error) {
	if err == nil {
		s.partitions[r.Partition].Add(1)
		s.bytes.Add(int64(len(r.Key) + len(r.Value)))
	} else if s.ctx.Err() == nil {
		s.cancel(s.refused(b, r, err))
	}
	s.settled.Add(1)
	s.release(b)
}

// refused is the error for a record that the client or the broker did not take.
func (s *sender) refused(b *slab, r *kgo.Record, err error) error {
	var pos fault.Pos
	for i := range b.records[:] {
		if &b.records[i] == r {
			pos = fault.Pos{File: b.file, Line: int(b.lines[i])}
		}
	}
	thing := "record"
	switch {
	case errors.Is(err, kerr.MessageTooLarge):
		return fault.Wrap(err, thing, fmt.Sprintf("of %d bytes is larger than the topic takes", len(r.Key)+len(r.Value)),
			"raise the topic's max.message.bytes, or leave the record out").At(pos)
	case errors.Is(err, kerr.InvalidTimestamp):
		return fault.Wrap(err, thing,
			fmt.Sprintf("with the timestamp %s is refused by the broker", written(r.Timestamp.UnixMilli())),
			"raise the topic's message.timestamp.before.max.ms or message.timestamp.after.max.ms, or choose no timestamp field").
			At(pos)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return fault.Wrap(err, fmt.Sprintf("topic %q", s.topic), "has gone while it was being loaded",
			"see who deletes it, and load all files again").At(pos)
	}
	return fault.Wrap(err, thing, "was not taken by the broker", "").At(pos)
}

// finish waits until the broker has acknowledged all that was sent. When the sending has ended early, it waits only for
// what is on its way, and not for long.
func (s *sender) finish(clock Clock) error {
	s.give()
	ctx := s.ctx
	if ctx.Err() != nil {
		const grace = 2 * time.Second
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer clock.AfterFunc(grace, cancel)()
	}
	_ = s.client.Flush(ctx) // ends early only with ctx, and then the cause below is the error
	s.client.Close()
	s.slabs.Wait()
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return nil
}

// watch ends the sending when the broker has acknowledged nothing for as long as patience, though there was something to
// acknowledge all the while. The client alone would wait for ever. (It could give up by the age of records, but takes that
// from their timestamps.)
func (s *sender) watch(clock Clock, patience time.Duration) (stop func()) {
	var mu sync.Mutex
	var disarm func() bool
	var arm func()
	arm = func() {
		settled, sent := s.settled.Load(), s.sent.Load()
		disarm = clock.AfterFunc(patience, func() {
			mu.Lock()
			defer mu.Unlock()
			if s.ctx.Err() != nil {
				return
			}
			if sent > settled && s.settled.Load() == settled {
				s.cancel(fault.New("Kafka", fmt.Sprintf("has acknowledged nothing for %v", patience),
					"see whether the brokers run and have room; what was acknowledged stays, and would be there twice after another load"))
				return
			}
			arm()
		})
	}
	mu.Lock()
	defer mu.Unlock()
	arm()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		disarm()
	}
}
