package bench

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/integration/real"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/kafka"
)

var (
	kafkaFlag   = flag.Bool("stream.kafka", false, "stream benchmarks run on Apache Kafka (integration/real/install) instead of the embedded broker")
	brokerFlag  = flag.String("stream.broker", "", "stream benchmarks run on the Kafka at this host:port")
	topicFlag   = flag.String("stream.topic", "", "a topic that a run before has filled, to be read again")
	eventsFlag  = flag.Int("stream.events", 200_000, "events of the stream benchmarks")
	profileFlag = flag.String("stream.cpuprofile", "", "file for the CPU profile of the stream process")
)

// commitEvery is the yardstick's.
const commitEvery = 100 * time.Millisecond

// BenchmarkStreamY1 is the yardstick's rolling count and sum, end to end: from a topic of four partitions in Confluent
// Avro to one row an event, in transactions of 100 ms. The stream is a process of its own, and the CPU is all that this
// process takes from its start to its end; the broker and the generator are others.
//
//	go test ./bench -run '^$' -bench StreamY1 -benchtime 1x -stream.kafka -stream.events 10000000
func BenchmarkStreamY1(b *testing.B) { benchStream(b, "y1_rolling") }

// BenchmarkStreamY2 is the yardstick's tumbling windows.
func BenchmarkStreamY2(b *testing.B) { benchStream(b, "y2_tumble") }

func benchStream(b *testing.B, pipeline string) {
	broker := benchBroker(b)
	name := *topicFlag
	if name == "" {
		name = fmt.Sprintf("payments-%d", time.Now().UnixNano())
		if err := topic.Load(b.Context(), broker, name, *eventsFlag); err != nil {
			b.Fatal(err)
		}
		b.Logf("%d events in topic %s", *eventsFlag, name)
	}
	var total usage
	events := int64(0)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		forget(b, broker, pipeline)
		b.StartTimer()
		u := order{Pipeline: pipeline, Broker: broker, Topic: name, UntilEnd: true, CommitEvery: commitEvery, Profile: *profileFlag}.run(b)
		total.cpu, total.wall, total.memory = total.cpu+u.cpu, total.wall+u.wall, max(total.memory, u.memory)
		total.Rows, total.Commits, total.Aborts = u.Rows, total.Commits+u.Commits, total.Aborts+u.Aborts
		n := int64(0)
		for _, p := range u.Partitions {
			for _, c := range p.Account.Counts {
				n += c
			}
		}
		if *topicFlag == "" && n != int64(*eventsFlag) {
			b.Fatalf("the stream accounts for %d events of %d", n, *eventsFlag)
		}
		events += n
	}
	b.ReportMetric(float64(events)/total.cpu.Seconds(), "events/cpu-s")
	b.ReportMetric(float64(events)/total.wall.Seconds(), "events/s")
	b.ReportMetric(float64(total.Rows), "rows")
	b.ReportMetric(float64(total.Commits)/float64(b.N), "commits")
	b.ReportMetric(float64(total.Aborts)/float64(b.N), "aborts")
	b.ReportMetric(float64(total.memory>>20), "MiB")
	b.ReportMetric(0, "ns/op")
}

// benchBroker is the address of the broker that the flags ask for, started if need be.
func benchBroker(b *testing.B) string {
	b.Helper()
	switch {
	case *brokerFlag != "":
		return *brokerFlag
	case *kafkaFlag:
		return real.StartKafka(b).Addr()
	}
	_, out := child(b, "broker")
	line, err := out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// forget removes what a run before has left of the pipeline, so that each run is the first.
func forget(b *testing.B, broker, pipeline string) {
	b.Helper()
	plan, err := definitions[pipeline].Plan()
	if err != nil {
		b.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	adm := kadm.NewClient(client)
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	outputs := []string{streaming.FeaturesTopic(pipeline), streaming.DeadTopic(pipeline)}
	// That they are not there is no failure, and any other shows below.
	adm.DeleteGroup(ctx, streaming.Group(plan))
	adm.DeleteTopics(ctx, outputs...)
	for _, name := range outputs {
		for { // a topic that is being deleted cannot be made yet
			err := kafka.EnsureTopic(ctx, adm, name, topic.Partitions, map[string]string{"retention.ms": "-1"})
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				b.Fatal(err)
			}
			runtime.Gosched()
		}
	}
	offsets, err := adm.FetchOffsets(ctx, streaming.Group(plan))
	if err == nil && slices.ContainsFunc(offsets.Sorted(), func(o kadm.OffsetResponse) bool { return o.At >= 0 }) {
		b.Fatalf("group %s still has offsets", streaming.Group(plan))
	}
}
