package streaming

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// restore gives a partition the state that it had before the record at next: it reads the records from first on again, in
// silence, through a client of its own. This is the one place that knows how state comes back; state that was saved
// somewhere would be loaded here, and only the records behind it read.
func (s *Source) restore(ctx context.Context, prog *kernel.Program, num int32, first, next int64) (*partition, error) {
	p, err := newPartition(s, prog, num, first)
	if err != nil || first == next {
		return p, err
	}
	client, err := s.connect(ctx, append(s.readOptions(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.Topic: {num: kgo.NewOffset().At(first)}}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	s.Monitor.saw(p, Replaying, -1)
	for p.next() < next {
		recs, err := s.pollOne(ctx, client)
		if errors.Is(err, kerr.OffsetOutOfRange) {
			return nil, s.outOfRange(ctx, client, num, p.next())
		} else if err != nil {
			return nil, err
		}
		if len(recs) == 0 {
			return nil, s.silent(num, p.next(), next)
		}
		done := func() error {
			s.Monitor.saw(p, Replaying, -1)
			return nil
		}
		known, beyond := cut(recs, next)
		if err := p.feed(ctx, known, done); err != nil {
			return nil, err
		}
		if beyond { // whatever is left up to next is a gap
			p.builder.Reset()
			if err := p.push(next); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// cut leaves away the records from next on.
func cut(recs []*kgo.Record, next int64) (before []*kgo.Record, beyond bool) {
	n := len(recs)
	for n > 0 && recs[n-1].Offset >= next {
		n--
	}
	return recs[:n], n < len(recs)
}

// pollOne gives the next records of a client that reads one partition; none when there are none for as long as Patience.
func (s *Source) pollOne(ctx context.Context, client *kgo.Client) ([]*kgo.Record, error) {
	fetches, err := s.poll(ctx, client, s.Patience)
	if err != nil {
		return nil, err
	}
	var recs []*kgo.Record
	fetches.EachPartition(func(p kgo.FetchTopicPartition) { recs = append(recs, p.Records...) })
	return recs, nil
}

// poll gives what the client has fetched, and waits for that at most so long. An error of any partition is an error.
func (s *Source) poll(ctx context.Context, client *kgo.Client, atMost time.Duration) (kgo.Fetches, error) {
	ctx2, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := s.Clock.AfterFunc(atMost, cancel)
	defer stop()
	fetches := client.PollFetches(ctx2)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return fetches, fetchError(fetches)
}

// fetchError is the first error among fetches; that the poll's time is over is none.
func fetchError(fetches kgo.Fetches) error {
	for _, f := range fetches {
		for _, t := range f.Topics {
			for _, p := range t.Partitions {
				if p.Err != nil && !errors.Is(p.Err, context.Canceled) {
					return fmt.Errorf("fetch of topic %q, partition %d: %w", t.Topic, p.Partition, p.Err)
				}
			}
		}
	}
	return nil
}

// silent says that nothing comes of a partition although something should be there.
func (s *Source) silent(num int32, from, to int64) error {
	return fault.New(fmt.Sprintf("topic %q, partition %d", s.Topic, num),
		fmt.Sprintf("nothing came from offset %d on for %v, and %d was to be reached", from, s.Patience, to),
		"see whether the partition has a leader, and whether a transaction on it hangs")
}
