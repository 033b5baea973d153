package streaming

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// assigned is a partition that the group gave to this process. Until its state is there, nothing of it is fetched.
type assigned struct {
	note     note // what is committed
	stop     context.CancelFunc
	restored chan struct{} // closed when the goroutine that restores it has ended
	state    *partition    // nil until then
	out      answers
	dirty    bool // it has run ahead of its note
}

type offsetsByTopic = map[string]map[int32]kgo.Offset

// callbacks are how the group tells of partitions that come and go. They run on the client's goroutines: those that take
// partitions away between transactions only, the others at any time.
func (s *session) callbacks() []kgo.Opt {
	gone := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) { s.revoke(partitions[s.Topic]) }
	fetched := map[int32]kadm.Offset{}
	return []kgo.Opt{
		kgo.OnPartitionsRevoked(gone),
		kgo.OnPartitionsLost(gone),
		kgo.OnOffsetsFetched(func(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
			clear(fetched)
			keepOffsets(fetched, resp)
			return nil
		}),
		kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offsets offsetsByTopic) (offsetsByTopic, error) {
			<-s.made
			err := s.assign(ctx, fetched, offsets[s.Topic])
			if err != nil && ctx.Err() == nil {
				s.fail(err)
			}
			return offsets, err
		}),
	}
}

// keepOffsets collects the committed offsets of a response. The session reads one topic, so it need not look at names,
// which newer versions do not send.
func keepOffsets(into map[int32]kadm.Offset, resp *kmsg.OffsetFetchResponse) {
	keep := func(num int32, at int64, metadata *string) {
		if at >= 0 {
			o := kadm.Offset{Partition: num, At: at}
			if metadata != nil {
				o.Metadata = *metadata
			}
			into[num] = o
		}
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			keep(p.Partition, p.Offset, p.Metadata)
		}
	}
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				keep(p.Partition, p.Offset, p.Metadata)
			}
		}
	}
}

// assign begins to restore each of the partitions and sets where it is fetched from.
func (s *session) assign(ctx context.Context, committed map[int32]kadm.Offset, offsets map[int32]kgo.Offset) error {
	starts, err := s.admin.ListStartOffsets(ctx, s.Topic)
	if err != nil {
		return err
	}
	notes := map[int32]note{}
	for num := range offsets {
		if num >= s.partitions() {
			return grown(fmt.Sprintf("topic %q", s.Topic), s.partitions(), num+1)
		}
		start, ok := starts.Lookup(s.Topic, num)
		if !ok {
			start.Err = kerr.UnknownTopicOrPartition
		}
		if start.Err != nil {
			return fmt.Errorf("start of topic %q, partition %d: %w", s.Topic, num, start.Err)
		}
		n := note{Version: noteVersion, Plan: s.Plan.Hash(), Partitions: s.partitions(), First: start.Offset, Next: start.Offset}
		if c, ok := committed[num]; ok {
			if n, err = s.runner.note(num, c); err != nil {
				return err
			}
		} else {
			offsets[num] = kgo.NewOffset().At(start.Offset)
		}
		if start.Offset > n.First {
			return retentionLost(s.Topic, num, n.First, start.Offset, keepLonger)
		}
		notes[num] = n
	}
	for num, n := range notes {
		s.begin(num, n)
	}
	s.Monitor.phase(Live)
	return nil
}

// begin restores the partition in the background and then lets it be fetched.
func (s *session) begin(num int32, n note) {
	s.release(num)
	s.client.PauseFetchPartitions(map[string][]int32{s.Topic: {num}})
	ctx, stop := context.WithCancel(s.ctx)
	a := &assigned{note: n, stop: stop, restored: make(chan struct{})}
	a.out = answers{
		emitter: emitter{out: s.out, topic: FeaturesTopic(s.Plan.Name), partition: num},
		rows:    s.rows, plan: s.Plan, source: s.Topic, maxLetter: int(s.limits.dead) - letterRoom,
	}
	s.mu.Lock()
	s.assigned[num] = a
	s.mu.Unlock()
	go func() {
		defer close(a.restored)
		state, err := s.restoreTo(ctx, num, n)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.fail(err)
		default:
			s.Monitor.saw(state, Live, -1)
			s.mu.Lock()
			a.state = state
			s.wake() // it may have been all that was waited for
			s.mu.Unlock()
			s.client.ResumeFetchPartitions(map[string][]int32{s.Topic: {num}})
		}
	}()
}

// restoreTo gives the partition the state of the note. Only so many are at work at a time as there are processors.
func (s *session) restoreTo(ctx context.Context, num int32, n note) (*partition, error) {
	select {
	case s.restores <- struct{}{}:
		defer func() { <-s.restores }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p, err := s.restore(ctx, s.prog, num, n.First, n.Next)
	if err != nil {
		return nil, err
	}
	return p, n.verify(p)
}

// revoke gives partitions back.
func (s *session) revoke(partitions []int32) {
	for _, num := range partitions {
		s.release(num)
		if s.ctx.Err() == nil { // when all is over, what was known last stays
			s.Monitor.lost(num)
		}
	}
	if len(partitions) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shrunk = true
	s.wake()
}

// release forgets a partition, and waits until nothing is done for it any more.
func (s *session) release(num int32) {
	s.mu.Lock()
	a := s.assigned[num]
	delete(s.assigned, num)
	s.mu.Unlock()
	if a != nil {
		a.stop()
		<-a.restored
	}
}

// ready is the partition if its state is there, else nil.
func (s *session) ready(num int32) *assigned {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.assigned[num]; a != nil && a.state != nil {
		return a
	}
	return nil
}

// hasShrunk tells whether partitions were taken away since the last settle.
func (s *session) hasShrunk() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shrunk
}
