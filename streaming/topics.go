package streaming

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/kafka"
)

// usualMaxMessage is Kafka's max.message.bytes where a topic and its broker say nothing; leastMaxMessage is what the client
// goes down to.
const (
	usualMaxMessage = 1_048_588
	leastMaxMessage = 512
)

// A dead letter needs room beside the record that it repeats, for its headers and the batch around it, and each header of
// the record needs some for its lengths.
const (
	letterRoom = 8 << 10
	headerRoom = 10
)

// connect opens a client and makes sure that a broker answers.
func (s *Source) connect(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(s.options(opts)...)
	if err != nil {
		return nil, misconfigured(err)
	}
	limited, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	if err := client.Ping(limited); err != nil {
		client.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, s.unreachable(err)
	}
	return client, nil
}

func misconfigured(err error) error {
	return fault.Wrap(err, "Kafka client", "cannot be made as it is configured", "see its options")
}

func (s *Source) unreachable(err error) error {
	return fault.Wrap(err, "Kafka", fmt.Sprintf("does not answer for %v", s.Patience),
		"see whether the broker runs, and whether its address and credentials are right")
}

// options are the caller's and then our own, which win, but for those that are only a default.
func (s *Source) options(own []kgo.Opt) []kgo.Opt {
	usual := kgo.MetadataMaxAge(30 * time.Second) // how soon a partition that was added is noticed
	return slices.Concat([]kgo.Opt{usual}, s.Client, own)
}

// fetchTotal bounds a fetch of many partitions. It is far above what the partitions of one embedded broker come to, by
// intent: a kfake that has to cut a response short for it leaves away which transactions were aborted, and their records
// would be read as committed (seen with the version of 2026-09-18). What FetchBytes cuts is right.
const fetchTotal = 64 << 20

// readOptions make a client read what is committed, and the control records too, whose offsets are part of the account.
// That the broker no longer has what is asked for is an error, and no reason to go on elsewhere.
func (s *Source) readOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(fetchTotal),
		kgo.FetchMaxPartitionBytes(s.FetchBytes),
		kgo.FetchMaxWait(100 * time.Millisecond), // a partition that is resumed waits for the fetch at hand
	}
}

// span is a range of offsets: first is there and end is not.
type span struct{ first, end int64 }

// spans are what each partition of the source holds that is committed.
func (s *Source) spans(ctx context.Context, adm *kadm.Client) ([]span, error) {
	n, err := kafka.Partitions(ctx, adm, s.Topic)
	if err != nil {
		return nil, err
	}
	ctx = kafka.Fresh(ctx)
	first, err := adm.ListStartOffsets(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	end, err := adm.ListCommittedOffsets(ctx, s.Topic)
	if err != nil {
		return nil, err
	}
	spans := make([]span, n)
	for p := range n {
		f, ok1 := first.Lookup(s.Topic, p)
		e, ok2 := end.Lookup(s.Topic, p)
		if !ok1 || !ok2 {
			f.Err = kerr.UnknownTopicOrPartition
		}
		if err := errors.Join(f.Err, e.Err); err != nil {
			return nil, fmt.Errorf("offsets of topic %q, partition %d: %w", s.Topic, p, err)
		}
		spans[p] = span{f.Offset, e.Offset}
	}
	return spans, nil
}

// limits are what the topics that a pipeline writes to take.
type limits struct{ features, dead int32 }

// ensureOutputs creates the topics that the pipeline writes to, where they are absent, so that they take whatever the
// source takes, and for ever.
func (s *Source) ensureOutputs(ctx context.Context, adm *kadm.Client, partitions int32) (limits, error) {
	config := map[string]string{"retention.ms": "-1"}
	own, err := topicConfig(ctx, adm, s.Topic)
	if err != nil {
		return limits{}, err
	}
	for _, c := range own {
		sets := strings.HasPrefix(c.Key, "message.timestamp.") && c.Key != "message.timestamp.type" || c.Key == maxMessage
		if sets && c.Source == kmsg.ConfigSourceDynamicTopicConfig {
			config[c.Key] = c.MaybeValue()
		}
	}
	var l limits
	for _, t := range []struct {
		name  string
		limit *int32
	}{{FeaturesTopic(s.Plan.Name), &l.features}, {DeadTopic(s.Plan.Name), &l.dead}} {
		if err := kafka.EnsureTopic(ctx, adm, t.name, partitions, config); err != nil {
			return limits{}, err
		}
		made, err := topicConfig(ctx, adm, t.name)
		if err != nil {
			return limits{}, err
		}
		*t.limit = limitOf(made)
	}
	return l, nil
}

const maxMessage = "max.message.bytes"

func topicConfig(ctx context.Context, adm *kadm.Client, topic string) ([]kadm.Config, error) {
	configs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err == nil {
		var c kadm.ResourceConfig
		if c, err = configs.On(topic, nil); err == nil {
			err = c.Err
		}
		if err == nil {
			return c.Configs, nil
		}
	}
	// A topic that was made a moment ago may not be known everywhere, and a client may be forbidden to ask.
	if errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.TopicAuthorizationFailed) {
		return nil, nil
	}
	return nil, fmt.Errorf("configuration of topic %q: %w", topic, err)
}

func limitOf(configs []kadm.Config) int32 {
	for _, c := range configs {
		if c.Key == maxMessage {
			if n, err := strconv.ParseInt(c.MaybeValue(), 10, 32); err == nil {
				return max(leastMaxMessage, int32(n))
			}
		}
	}
	return usualMaxMessage
}

// keepLonger is the remedy for records that were deleted too soon.
const keepLonger = "keep the source for longer (retention.ms, retention.bytes), " +
	"and delete the pipeline's consumer group to begin anew with what is left"

// retentionLost says that records are gone that the state has to be rebuilt from.
func retentionLost(topic string, partition int32, need, start int64, remedy string) error {
	return fault.New(fmt.Sprintf("topic %q, partition %d", topic, partition),
		fmt.Sprintf("retention lost below the frontier: offset %d is needed, and the log begins at %d", need, start), remedy)
}

// outOfRange is the error for a partition that no longer has the offset.
func (s *Source) outOfRange(ctx context.Context, client *kgo.Client, num int32, offset int64) error {
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, s.Topic)
	if err != nil {
		return err
	}
	start, _ := starts.Lookup(s.Topic, num)
	return retentionLost(s.Topic, num, offset, start.Offset, keepLonger)
}
