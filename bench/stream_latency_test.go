package bench

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/streaming"
)

var secondsFlag = flag.Int("stream.seconds", 2, "how long BenchmarkStreamLatency sends")

// latencyRate is how many events a second BenchmarkStreamLatency sends.
const latencyRate = 10_000

// BenchmarkStreamLatency is the time from sending a payment until a reader of committed rows has its row of Y1, at 10,000
// events a second, to the millisecond. Generator, broker, stream and reader share the machine.
//
//	go test ./bench -run '^$' -bench StreamLatency -benchtime 1x -stream.kafka -stream.seconds 30
func BenchmarkStreamLatency(b *testing.B) {
	if *secondsFlag < 2 {
		b.Fatal("-stream.seconds: the first second is not counted; give two at least")
	}
	for _, every := range []time.Duration{commitEvery, commitEvery / 10} {
		b.Run("commit="+every.String(), func(b *testing.B) {
			broker := benchBroker(b)
			var all []time.Duration
			for range b.N {
				all = append(all, latencies(b, broker, every)...)
			}
			slices.Sort(all)
			ms := func(share float64) float64 {
				return float64(all[int(share*float64(len(all)-1))].Microseconds()) / 1000
			}
			b.ReportMetric(ms(0.5), "p50-ms")
			b.ReportMetric(ms(0.99), "p99-ms")
			b.ReportMetric(ms(1), "max-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// latencies sends for as long as the flag says, and gives the latency of each row but those of the first second.
func latencies(b *testing.B, broker string, every time.Duration) []time.Duration {
	b.Helper()
	const pipeline = "y1_rolling"
	name := fmt.Sprintf("payments-%d", time.Now().UnixNano())
	if err := topic.Create(b.Context(), broker, name); err != nil {
		b.Fatal(err)
	}
	forget(b, broker, pipeline)
	cmd, _ := order{Pipeline: pipeline, Broker: broker, Topic: name, CommitEvery: every}.start(b)
	reader, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(streaming.FeaturesTopic(pipeline)),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	sender, err := topic.NewSender(broker, name, kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	g := payments.Standard(1)
	send := func(n int) {
		for range n {
			p := g.Next()
			sender.Send(b.Context(), &p, time.Now())
		}
	}
	// The first row says that the stream is up.
	send(1)
	rows(b, reader, 1)

	events := latencyRate * *secondsFlag
	sent := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for began, n := time.Now(), 0; n < events; <-tick.C {
			due := min(events, int(time.Since(began).Seconds()*latencyRate))
			send(due - n)
			n = due
		}
		sent <- sender.Close(b.Context())
	}()
	got := rows(b, reader, events)
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return got[latencyRate:]
}

// rows reads so many rows, and gives how long each took.
func rows(b *testing.B, reader *kgo.Client, n int) []time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute+2*time.Duration(*secondsFlag)*time.Second)
	defer cancel()
	got := make([]time.Duration, 0, n)
	for len(got) < n {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			b.Fatalf("after %d of %d rows: %v", len(got), n, err)
		}
		now := time.Now()
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, now.Sub(r.Timestamp)) })
	}
	return got
}
