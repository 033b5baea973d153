package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/spillway-go/spillway/internal/fault"
)

// brokersOwn leaves the number of replicas to the broker's configuration.
const brokersOwn = -1

// Fresh makes an admin client ask a broker for metadata with this context. It would else answer with what it was told up to
// seconds before, and not know a topic that has been created since.
func Fresh(ctx context.Context) context.Context {
	// Who asks for the authorized operations too is never answered from memory.
	return kadm.WithAuthorizedOps(ctx)
}

// Partitions is how many partitions the topic has. A topic that does not exist is an error that says so.
func Partitions(ctx context.Context, adm *kadm.Client, topic string) (int32, error) {
	n, err := count(ctx, adm, topic)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return 0, fault.New(fmt.Sprintf("topic %q", topic), "does not exist on the broker",
			"create it, or correct its name; load sends records to a topic, and creates it")
	}
	return n, err
}

func count(ctx context.Context, adm *kadm.Client, topic string) (int32, error) {
	topics, err := adm.ListTopicsWithInternal(Fresh(ctx), topic)
	if err != nil {
		return 0, fmt.Errorf("metadata of topic %q: %w", topic, err)
	}
	detail, ok := topics[topic]
	switch {
	case !ok:
		return 0, kerr.UnknownTopicOrPartition
	case detail.Err != nil:
		return 0, detail.Err
	}
	return int32(len(detail.Partitions)), nil
}

// EnsureTopic creates the topic with so many partitions and with the configuration, name to value, unless it exists. One
// that exists is taken as it is, except that it must have as many partitions: else it is refused.
func EnsureTopic(ctx context.Context, adm *kadm.Client, topic string, partitions int32, config map[string]string) error {
	n, err := count(ctx, adm, topic)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		if err = create(ctx, adm, topic, partitions, config); err == nil {
			return nil
		}
		if !errors.Is(err, kerr.TopicAlreadyExists) { // somebody else was faster
			return err
		}
		n, err = count(ctx, adm, topic)
	}
	if err != nil {
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	if n != partitions {
		return fault.New(fmt.Sprintf("topic %q", topic), fmt.Sprintf("has %d partitions, not %d", n, partitions),
			"delete it if nobody needs it, and it is created anew")
	}
	return nil
}

func create(ctx context.Context, adm *kadm.Client, topic string, partitions int32, config map[string]string) error {
	values := make(map[string]*string, len(config))
	for name, value := range config {
		values[name] = &value
	}
	made, err := adm.CreateTopic(ctx, partitions, brokersOwn, values, topic)
	switch {
	case err == nil, errors.Is(err, kerr.TopicAlreadyExists):
		return err
	case made.ErrMessage != "":
		err = fmt.Errorf("%w: %s", err, made.ErrMessage)
	}
	return fault.Wrap(err, fmt.Sprintf("topic %q", topic), "cannot be created",
		fmt.Sprintf("create it yourself, with %d partitions and %v", partitions, config))
}
