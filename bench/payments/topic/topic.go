// Package topic puts the benchmark workload into a Kafka topic: Avro in Confluent framing, keyed by card, with the event's
// time as Kafka timestamp.
package topic

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/streaming/decode"
)

// Partitions is how many the workload's topic has.
const Partitions = 4

// schemaID is the id that every value names.
const schemaID = 1

// avroSchema is the schema of the values.
const avroSchema = `{"type":"record","name":"Payment","fields":[
	{"name":"id","type":"string"},{"name":"card","type":"string"},{"name":"merchant","type":"string"},
	{"name":"country","type":"string"},{"name":"home_country","type":"string"},{"name":"amount","type":"double"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`

// Registry is a schema registry that has the workload's schema and no other.
type Registry struct{}

// Schema gives the schema, or decode.ErrNoSchema.
func (Registry) Schema(_ context.Context, id int) ([]string, error) {
	if id != schemaID {
		return nil, decode.ErrNoSchema
	}
	return []string{avroSchema}, nil
}

// Format is how the topic's values are decoded.
func Format() decode.Format { return decode.Confluent(Registry{}) }

// Create makes the topic. Its records are older than any retention.
func Create(ctx context.Context, broker, name string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		return err
	}
	defer client.Close()
	forEver := "-1"
	_, err = kadm.NewClient(client).CreateTopic(ctx, Partitions, -1, map[string]*string{"retention.ms": &forEver}, name)
	return err
}

// Load makes the topic and sends it the standard workload's first n payments.
func Load(ctx context.Context, broker, name string, n int) error {
	if err := Create(ctx, broker, name); err != nil {
		return err
	}
	s, err := NewSender(broker, name)
	if err != nil {
		return err
	}
	g := payments.Standard(1)
	for range n {
		p := g.Next()
		s.Send(ctx, &p, p.At)
	}
	return s.Close(ctx)
}

// Sender writes payments to a topic.
type Sender struct {
	client *kgo.Client
	mu     sync.Mutex
	failed error // the first
}

// NewSender connects a sender.
func NewSender(broker, name string, opts ...kgo.Opt) (*Sender, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(name),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(100_000), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	}, opts...)...)
	return &Sender{client: client}, err
}

// Send sends one payment, with that Kafka timestamp. What goes wrong is told by Close.
func (s *Sender) Send(ctx context.Context, p *payments.Payment, stamp time.Time) {
	rec := &kgo.Record{Key: []byte(p.Card), Value: appendValue(make([]byte, 0, 64), p), Timestamp: stamp}
	s.client.Produce(ctx, rec, func(_ *kgo.Record, err error) {
		if err == nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failed == nil {
			s.failed = err
		}
	})
}

// Close waits until everything is written, and ends the sender.
func (s *Sender) Close(ctx context.Context) error {
	defer s.client.Close()
	err := s.client.Flush(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.failed, err)
}

func appendValue(dst []byte, p *payments.Payment) []byte {
	dst = decode.AppendFrame(dst, schemaID)
	for _, text := range []string{p.ID, p.Card, p.Merchant, p.Country, p.Home} {
		dst = decode.AppendText(dst, text)
	}
	return decode.AppendLong(decode.AppendDouble(dst, p.Amount), p.At.UnixMicro())
}
