package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/kafka"
)

const (
	pingPause = 250 * time.Millisecond // between two attempts to reach a broker
	usualMax  = 1_000_012              // bytes of a batch, where the topic does not say how many it takes
	leastMax  = 512                    // the least that the client can be told
)

// topic is what a load has to know of its topic.
type topic struct {
	partitions int32
	created    bool
	retention  int64 // milliseconds that records are kept; -1: for ever, or not known
	maxBatch   int32 // bytes of a batch that the topic takes
}

// reach waits until a broker answers, and gives up when patience has run out.
func reach(ctx context.Context, client *kgo.Client, c *Config) error {
	patience, cancel := context.WithCancel(ctx)
	defer cancel()
	defer c.Clock.AfterFunc(c.Patience, cancel)()
	var last error
	for {
		err := client.Ping(patience)
		if err == nil {
			return nil
		}
		if patience.Err() == nil {
			last = err
		}
		if wait(patience, c.Clock, pingPause) != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fault.Wrap(last, fmt.Sprintf("Kafka at %v", client.OptValue(kgo.SeedBrokers)),
		fmt.Sprintf("does not answer for %v", c.Patience),
		"see whether the broker runs, and whether its address and credentials are right")
}

// prepareTopic finds the topic, or creates it.
func prepareTopic(ctx context.Context, client *kgo.Client, c *Config) (topic, error) {
	adm := kadm.NewClient(client)
	thing := fmt.Sprintf("topic %q", c.Topic)
	all, err := adm.ListTopicsWithInternal(ctx, c.Topic)
	if err != nil {
		return topic{}, fault.Wrap(err, thing, "cannot be looked up", "")
	}
	t := topic{partitions: int32(len(all[c.Topic].Partitions)), retention: -1, maxBatch: usualMax}
	switch err := all[c.Topic].Err; {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		t.created, t.partitions = true, c.Partitions
		if t.partitions == 0 {
			t.partitions = DefaultPartitions
		}
		// Recorded events are old by their timestamps: a topic that forgets would delete them as they come.
		if err := kafka.EnsureTopic(ctx, adm, c.Topic, t.partitions,
			map[string]string{"retention.ms": "-1", "message.timestamp.type": "CreateTime"}); err != nil {
			return topic{}, err
		}
	case err != nil:
		return topic{}, fault.Wrap(err, thing, "cannot be used", "see its name, and what this client may do with it")
	case c.Partitions != 0 && c.Partitions != t.partitions:
		return topic{}, fault.New(thing, fmt.Sprintf("has %d partitions, not %d", t.partitions, c.Partitions),
			"leave the number of partitions out, or choose another topic")
	}
	return t, t.configure(ctx, adm, c)
}

// configure reads what the topic says about its records. A client that may not ask does without.
func (t *topic) configure(ctx context.Context, adm *kadm.Client, c *Config) error {
	configs, err := adm.DescribeTopicConfigs(ctx, c.Topic)
	if err != nil {
		return nil
	}
	of, err := configs.On(c.Topic, nil)
	if err != nil || of.Err != nil {
		return nil
	}
	for _, config := range of.Configs {
		value := config.MaybeValue()
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case config.Key == "message.timestamp.type" && value == "LogAppendTime" && c.TimestampField != "":
			return fault.New(fmt.Sprintf("topic %q", c.Topic),
				"replaces every timestamp by the time at which the broker takes the record (message.timestamp.type is LogAppendTime)",
				"set it to CreateTime, or choose no timestamp field")
		case config.Key == "retention.ms" && err == nil:
			t.retention = n
		case config.Key == "max.message.bytes" && err == nil && n >= leastMax:
			t.maxBatch = int32(min(n, maxRecord))
		}
	}
	return nil
}
