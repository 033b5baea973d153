package streaming

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A slab holds so many records, and about so many bytes of their keys and values.
const (
	slabRecords = 512
	slabBytes   = 128 << 10
)

// slab is memory for records on their way to the broker. It is used again once all of them have been acknowledged.
type slab struct {
	used    int
	holders atomic.Int64 // the records that are not acknowledged, and the emitter that fills the slab
	acked   func(*kgo.Record, error)
	records [slabRecords]kgo.Record
	text    []byte // keys and values; when it has to grow, records keep the memory that they began in
}

// outbox hands records to the client and remembers whether one could not be written. Its emitters may be used
// concurrently.
type outbox struct {
	client  *kgo.Client
	failure atomic.Pointer[error] // the first since the last take
	mu      sync.Mutex
	free    []*slab
}

// take gives the first failure since the last call, or nil.
func (o *outbox) take() error {
	if err := o.failure.Swap(nil); err != nil {
		return *err
	}
	return nil
}

// send hands over a record that is not in a slab.
func (o *outbox) send(ctx context.Context, r *kgo.Record) {
	o.client.Produce(ctx, r, func(_ *kgo.Record, err error) { o.acked(err) })
}

func (o *outbox) acked(err error) {
	if err != nil {
		o.failure.CompareAndSwap(nil, &err)
	}
}

func (o *outbox) slab() *slab {
	o.mu.Lock()
	defer o.mu.Unlock()
	var s *slab
	if n := len(o.free); n > 0 {
		s, o.free = o.free[n-1], o.free[:n-1]
	} else {
		s = &slab{}
		s.acked = func(_ *kgo.Record, err error) {
			o.acked(err)
			o.release(s)
		}
	}
	if cap(s.text) > 4*slabBytes || s.text == nil { // a rare huge row has blown it up
		s.text = make([]byte, 0, slabBytes+slabBytes/8)
	}
	s.used, s.text = 0, s.text[:0]
	s.holders.Store(1)
	return s
}

// release counts one holder of the slab less.
func (o *outbox) release(s *slab) {
	if s.holders.Add(-1) > 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = append(o.free, s)
}

// emitter writes records of one partition, without an allocation for each in the steady state.
type emitter struct {
	out       *outbox
	topic     string
	partition int32
	slab      *slab
}

// text is where the next record's key and then its value are appended.
func (e *emitter) text() []byte {
	if e.slab == nil {
		e.slab = e.out.slab()
	}
	return e.slab.text
}

// send sends what was appended to text: its key begins at begin and its value at value. It waits while the client's buffer
// is full, until ctx ends.
func (e *emitter) send(ctx context.Context, text []byte, begin, value int, stamp time.Time) {
	s := e.slab
	s.text = text
	r := &s.records[s.used]
	*r = kgo.Record{
		Topic: e.topic, Partition: e.partition, Timestamp: stamp,
		Key: text[begin:value:value], Value: text[value:len(text):len(text)],
	}
	s.used++
	s.holders.Add(1)
	e.out.client.Produce(ctx, r, s.acked)
	if s.used == slabRecords || len(text) >= slabBytes {
		e.close()
	}
}

// close gives up the slab in hand: it is used again when all of it has been acknowledged.
func (e *emitter) close() {
	if e.slab != nil {
		e.out.release(e.slab)
		e.slab = nil
	}
}
