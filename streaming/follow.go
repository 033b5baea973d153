package streaming

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Sink is told of state as it changes.
type Sink interface {
	// Apply is called after the task has taken the records rec, in the layout of schema.Log, which are the partition's next.
	// The task may be asked and read until Apply returns, and rec shows memory that is used again after that. Calls for one
	// partition come one after the other, those for different partitions at the same time. An error ends Follow.
	Apply(ctx context.Context, partition int32, task *kernel.Task, rec arrow.RecordBatch) error
}

// Follow keeps the state of all partitions of the source at hand: it reads them from their start on, without a group and
// without writing anything, tells the sink of each step, and goes on as records arrive, until ctx ends, which is no error.
// With UntilEnd it ends when all that stood in the source at the start has been read. Monitor tells when that is. A source
// that no longer holds what the pipeline's stream began with is refused.
func Follow(ctx context.Context, cfg FollowConfig, sink Sink) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	prog, err := kernel.Compile(cfg.Plan, kernel.Live)
	if err != nil {
		return err
	}
	client, err := cfg.connect(ctx, append(cfg.readOptions(),
		kgo.ConsumeTopics(cfg.Topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	f := &follower{Source: &cfg.Source, client: client, sink: sink}
	if err := f.begin(ctx, prog); err != nil {
		return err
	}
	defer cfg.Monitor.phase(Stopped)
	err = f.loop(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// follower is a Follow at work.
type follower struct {
	*Source
	client *kgo.Client
	sink   Sink
	spans  []span
	states []*partition // by number
}

func (f *follower) begin(ctx context.Context, prog *kernel.Program) (err error) {
	if f.spans, err = f.Source.spans(ctx, kadm.NewClient(f.client)); err != nil {
		return err
	}
	if err := f.whole(ctx); err != nil {
		return err
	}
	f.Monitor.begin(f.Source, f.spans)
	for num, span := range f.spans {
		p, err := newPartition(f.Source, prog, int32(num), span.first)
		if err != nil {
			return err
		}
		f.states = append(f.states, p)
		f.Monitor.saw(p, Live, -1)
	}
	f.Monitor.phase(Live)
	return nil
}

// whole holds the source to what the pipeline's stream has begun with: state that is built of less would be another, and
// what it answers not what the stream does.
func (f *follower) whole(ctx context.Context) error {
	committed, err := Committed(ctx, *f.Source)
	if err != nil {
		return err
	}
	for num, c := range committed {
		if start := f.spans[num].first; start > c.Account.First {
			return retentionLost(f.Topic, num, c.Account.First, start, keepLonger)
		}
	}
	return nil
}

func (f *follower) loop(ctx context.Context) error {
	for !f.UntilEnd || !f.reached() {
		fetches, err := f.poll(ctx, f.client, f.Patience)
		switch {
		case errors.Is(err, kerr.OffsetOutOfRange):
			return fault.Wrap(err, fmt.Sprintf("topic %q", f.Topic), "the broker deleted records before they were read",
				"keep the source for longer (retention.ms, retention.bytes), and start again")
		case err != nil:
			return err
		case fetches.NumRecords() == 0:
			err = f.listen(ctx)
		default:
			err = f.take(ctx, fetches)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take feeds each partition on a goroutine of its own.
func (f *follower) take(ctx context.Context, fetches kgo.Fetches) (err error) {
	errs := make(chan error)
	working := 0
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if int(p.Partition) >= len(f.states) {
			err = grown(fmt.Sprintf("topic %q", f.Topic), int32(len(f.states)), p.Partition+1)
			return
		}
		working++
		state := f.states[p.Partition]
		go func() {
			errs <- state.feed(ctx, p.Records, func() error {
				f.Monitor.saw(state, Live, p.LastStableOffset)
				return f.sink.Apply(ctx, state.num, state.task, state.batch)
			})
		}()
	})
	for range working {
		err = errors.Join(err, <-errs)
	}
	return err
}

// listen asks whether the brokers are there at all when nothing has come of them for a while.
func (f *follower) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	if err := f.client.Ping(ctx); err != nil {
		return f.unreachable(err)
	}
	if f.UntilEnd {
		for num, p := range f.states {
			if end := f.spans[num].end; p.next() < end {
				return f.silent(p.num, p.next(), end)
			}
		}
	}
	return nil
}

func (f *follower) reached() bool {
	for num, p := range f.states {
		if p.next() < f.spans[num].end {
			return false
		}
	}
	return true
}
