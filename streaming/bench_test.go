package streaming_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
	"github.com/spillway-go/spillway/streaming/kafka"

	"github.com/twmb/franz-go/pkg/kadm"
)

var (
	brokerFlag = flag.String("broker", "", "host:port of a Kafka for benchmarks and TestKill9; without it one is started as a child process")
	killsFlag  = flag.Int("kills", 5, "how often TestKill9 kills the stream")
	eventsFlag = flag.Int("events", 200_000, "events that benchmarks read")
	sourceFlag = flag.String("source", "", "topic of a run before to read again, instead of a new one")
)

// paymentSchema is the Avro schema of the workload.
const paymentSchema = `{"type":"record","name":"Payment","fields":[
	{"name":"id","type":"string"},{"name":"card","type":"string"},{"name":"merchant","type":"string"},
	{"name":"country","type":"string"},{"name":"home_country","type":"string"},{"name":"amount","type":"double"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`

// oneSchema is a registry that has one schema.
type oneSchema struct{}

func (oneSchema) Schema(_ context.Context, id int) ([]string, error) {
	if id != 1 {
		return nil, decode.ErrNoSchema
	}
	return []string{paymentSchema}, nil
}

// load sends payments to the topic, keyed by card, in Confluent framing.
func load(b testing.TB, addr, topic string, n int) {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.MaxBufferedRecords(100_000), kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(b.Context(), 4, -1, nil, topic); err != nil {
		b.Fatal(err)
	}
	var failed error
	g := payments.Standard(1)
	for range n {
		p := g.Next()
		v := decode.AppendFrame(make([]byte, 0, 64), 1)
		for _, s := range []string{p.ID, p.Card, p.Merchant, p.Country, p.Home} {
			v = decode.AppendText(v, s)
		}
		v = decode.AppendLong(decode.AppendDouble(v, p.Amount), p.At.UnixMicro())
		client.Produce(b.Context(), &kgo.Record{Key: []byte(p.Card), Value: v, Timestamp: p.At}, func(_ *kgo.Record, err error) {
			failed = errors.Join(failed, err)
		})
	}
	if err := errors.Join(client.Flush(b.Context()), failed); err != nil {
		b.Fatal(err)
	}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkY1 is the yardstick's rolling count and sum, end to end: from a topic in Confluent Avro with four partitions to
// rows in transactions of 100 ms. The CPU is that of this process, and of nothing in it but the stream.
func BenchmarkY1(b *testing.B) { endToEnd(b, payments.Y1) }

// BenchmarkY2 is the yardstick's tumbling windows.
func BenchmarkY2(b *testing.B) { endToEnd(b, payments.Y2) }

func endToEnd(b *testing.B, def *pipeline.Pipeline) {
	plan, err := def.Plan()
	if err != nil {
		b.Fatal(err)
	}
	addr := broker(b)
	topic := *sourceFlag
	if topic == "" {
		topic = fmt.Sprintf("payments-%d", time.Now().UnixNano())
		load(b, addr, topic, *eventsFlag)
	}
	for range b.N {
		client, err := kgo.NewClient(kgo.SeedBrokers(addr))
		if err != nil {
			b.Fatal(err)
		}
		adm := kadm.NewClient(client)
		// Each time is the first.
		adm.DeleteGroup(b.Context(), streaming.Group(plan))
		adm.DeleteTopics(b.Context(), streaming.FeaturesTopic(plan.Name), streaming.DeadTopic(plan.Name))
		for _, t := range []string{streaming.FeaturesTopic(plan.Name), streaming.DeadTopic(plan.Name)} {
			for kafka.EnsureTopic(b.Context(), adm, t, 4, map[string]string{"retention.ms": "-1"}) != nil {
			}
		}
		client.Close()
		cfg := streaming.Config{Source: streaming.Source{
			Plan: plan, Format: decode.Confluent(oneSchema{}), Topic: topic, UntilEnd: true, Monitor: &streaming.Monitor{},
			Client: []kgo.Opt{kgo.SeedBrokers(addr)},
		}}
		runtime.GC()
		b.StartTimer()
		used, began := cpu(b), time.Now()
		if err := streaming.Run(b.Context(), cfg); err != nil {
			b.Fatal(err)
		}
		used, took := cpu(b)-used, time.Since(began)
		b.StopTimer()
		s := cfg.Monitor.Status()
		n := 0.0
		for _, p := range s.Partitions {
			n += float64(p.Next)
		}
		b.ReportMetric(n/used.Seconds(), "events/cpu-s")
		b.ReportMetric(n/took.Seconds(), "events/s")
		b.ReportMetric(float64(s.Rows), "rows")
		b.ReportMetric(float64(s.Commits), "commits")
		b.Logf("%s of %s: %.0f events, %.2f CPU s, %.2f s", plan.Name, topic, n, used.Seconds(), took.Seconds())
	}
	b.ReportMetric(0, "ns/op")
}
