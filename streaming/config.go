package streaming

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming/decode"
)

// The defaults of Source and Config.
const (
	DefaultPatience           = 30 * time.Second
	DefaultFetchBytes         = 1 << 20
	DefaultCommitEvery        = 100 * time.Millisecond
	DefaultTransactionTimeout = 10 * time.Second
	DefaultSessionTimeout     = 10 * time.Second
)

// Source is where a pipeline's records come from, and how they are read.
type Source struct {
	Plan   *pipeline.Plan
	Format decode.Format
	// Client says how brokers are reached: kgo.SeedBrokers at least, and TLS, SASL or a logger.
	Client []kgo.Opt
	// Topic is the topic of the plan's source, if it has another name than that.
	Topic string
	// FetchBytes is how much is fetched of a partition at once. 0 is DefaultFetchBytes.
	FetchBytes int32
	// Patience is how long to wait for a broker or a schema registry that does not answer. 0 is DefaultPatience.
	Patience time.Duration
	// UntilEnd ends the reading when all that stood in the topic at its start has been read.
	UntilEnd bool
	// Monitor is told what goes on, unless it is nil. Each needs one of its own.
	Monitor *Monitor
	// Logger is told what an operator may want to know. nil is silent.
	Logger *slog.Logger
	// Clock is the time; nil is the system's.
	Clock Clock
}

// Config is what Run is told.
type Config struct {
	Source
	// CommitEvery is how long a transaction is kept open while records arrive: rows are seen by others after that at the
	// latest, and each transaction has a price. 0 is DefaultCommitEvery.
	CommitEvery time.Duration
	// TransactionTimeout is after which time the broker aborts the transaction of a process that has gone. Until then
	// readers with read_committed wait. 0 is DefaultTransactionTimeout.
	TransactionTimeout time.Duration
	// SessionTimeout is after which time the group takes a process that is not heard of for gone, and gives its partitions
	// to others. 0 is DefaultSessionTimeout.
	SessionTimeout time.Duration
	// Instance is a name that this process keeps over restarts, and no other has: that of a StatefulSet's pod, for instance.
	// With it, a process that was killed takes up its partitions and ends its open transaction as soon as it is back, and
	// need not wait for either timeout. Two processes of one name end each other. A process that stops keeps its partitions
	// for the SessionTimeout. "" is a process without such a name.
	Instance string
}

// FollowConfig is what Follow is told.
type FollowConfig struct {
	Source
}

// FeaturesTopic is the topic of a pipeline's rows.
func FeaturesTopic(pipeline string) string { return pipeline + ".features" }

// DeadTopic is the topic of the records, and answers, of a pipeline that could not be used.
func DeadTopic(pipeline string) string { return pipeline + ".dead" }

// Group is the consumer group of a plan.
func Group(plan *pipeline.Plan) string { return "spillway." + plan.Name + "." + planMark(plan) }

// planMark is the part of the plan's hash that rows and groups are marked with.
func planMark(plan *pipeline.Plan) string { return plan.Hash()[:12] }

func (s *Source) complete() error {
	if s.Plan == nil || s.Format == nil {
		return fault.New("streaming", "has no plan or no format", "set Plan and Format")
	}
	for _, name := range rowNames[1:] {
		taken := s.Plan.KeyName == name || slices.ContainsFunc(s.Plan.Features, func(f pipeline.FeaturePlan) bool {
			return f.Name == name
		})
		if taken {
			return fault.New("pipeline "+s.Plan.Name, fmt.Sprintf("a column has the name %q, which every row has already", name),
				"give it another name")
		}
	}
	if s.Topic == "" {
		s.Topic = s.Plan.Source.Name
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Clock == nil {
		s.Clock = systemClock{}
	}
	if s.Monitor == nil {
		s.Monitor = &Monitor{}
	}
	if s.FetchBytes <= 0 {
		s.FetchBytes = DefaultFetchBytes
	}
	return duration("Patience", &s.Patience, DefaultPatience)
}

func (c *Config) complete() error {
	if err := c.Source.complete(); err != nil {
		return err
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		usual time.Duration
	}{
		{"CommitEvery", &c.CommitEvery, DefaultCommitEvery},
		{"TransactionTimeout", &c.TransactionTimeout, DefaultTransactionTimeout},
		{"SessionTimeout", &c.SessionTimeout, DefaultSessionTimeout},
	} {
		if err := duration(d.name, d.value, d.usual); err != nil {
			return err
		}
	}
	if c.CommitEvery >= c.TransactionTimeout {
		return fault.New("CommitEvery",
			fmt.Sprintf("is %v, and transactions are aborted after %v", c.CommitEvery, c.TransactionTimeout),
			"choose a CommitEvery well below the TransactionTimeout")
	}
	return nil
}

func duration(name string, d *time.Duration, usual time.Duration) error {
	if *d < 0 {
		return fault.New(name, fmt.Sprintf("is %v", *d), "choose a duration above zero")
	}
	if *d == 0 {
		*d = usual
	}
	return nil
}
