package streaming

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
)

// mendable tells whether the error is one that somebody has to mend, so that trying again is of no use.
func mendable(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

// explain gives the errors of brokers that stay until somebody does something the name of the thing and the remedy.
func (r *runner) explain(err error) error {
	if err == nil || mendable(err) {
		return err
	}
	is := func(targets ...*kerr.Error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	var loss *kgo.ErrDataLoss
	topic := fmt.Sprintf("topic %q", r.Topic)
	switch {
	case r.Instance != "" && is(kerr.FencedInstanceID, kerr.ProducerFenced, kerr.InvalidProducerEpoch):
		return fault.Wrap(err, fmt.Sprintf("instance %q", r.Instance),
			"another process took over its name, or its transaction ran into the timeout",
			"give each process a name of its own")
	case is(kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed,
		kerr.ClusterAuthorizationFailed):
		return fault.Wrap(err, "Kafka", "refuses what the pipeline needs to do", fmt.Sprintf(
			"let its user read %q, write %q and %q, and use the group and the transactional ids that begin with %q",
			r.Topic, FeaturesTopic(r.Plan.Name), DeadTopic(r.Plan.Name), r.group))
	case is(kerr.SaslAuthenticationFailed):
		return fault.Wrap(err, "Kafka", "does not know the user", "see the credentials")
	case is(kerr.InvalidSessionTimeout):
		return fault.Wrap(err, "SessionTimeout", fmt.Sprintf("%v is outside of what the broker allows", r.SessionTimeout),
			"choose one between the broker's group.min.session.timeout.ms and group.max.session.timeout.ms")
	case is(kerr.InvalidTransactionTimeout):
		return fault.Wrap(err, "TransactionTimeout", fmt.Sprintf("%v is more than the broker allows", r.TransactionTimeout),
			"choose one up to the broker's transaction.max.timeout.ms")
	case is(kerr.MessageTooLarge):
		return fault.Wrap(err, fmt.Sprintf("topic %q", FeaturesTopic(r.Plan.Name)), "does not take a row of that length",
			"raise its max.message.bytes")
	case is(kerr.InvalidTimestamp):
		return fault.Wrap(err, fmt.Sprintf("topic %q", FeaturesTopic(r.Plan.Name)), "does not take a row with its record's timestamp",
			"give it the source's message.timestamp settings")
	case is(kerr.UnknownTopicOrPartition, kerr.UnknownTopicID):
		return fault.Wrap(err, topic, "or a topic of the pipeline's rows was deleted while it was in use",
			"see which, and start again")
	case is(kerr.OffsetOutOfRange):
		return fault.Wrap(err, topic, "retention lost below the frontier: the broker deleted records before they were read",
			keepLonger)
	case errors.As(err, &loss):
		return fault.Wrap(err, topic, "the broker lost records that it had acknowledged",
			"see unclean.leader.election.enable and min.insync.replicas; "+
				"delete the pipeline's consumer group to begin anew with what is left")
	}
	return err
}
