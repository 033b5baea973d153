//go:build integration

package real_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/integration/real"
)

const topic = "numbers"

// TestKafkaKeepsWhatWasCommitted commits a transaction, aborts another, leaves a third open and kills the broker. What
// is then read is the first one, and the third one's timeout clears the way for a fourth.
func TestKafkaKeepsWhatWasCommitted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	k := real.StartKafka(t)
	if _, err := kadm.NewClient(connect(t, k)).CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}

	committed := numbers("committed", 1000)
	writer := transactional(t, k, "first")
	transact(t, ctx, writer, committed, kgo.TryCommit)
	transact(t, ctx, writer, numbers("aborted", 100), kgo.TryAbort)
	begin(t, ctx, transactional(t, k, "second"), numbers("open", 100))
	if got := read(t, ctx, k, len(committed)); !slices.Equal(got, committed) {
		t.Fatalf("before the kill: read %d records, %q to %q", len(got), got[0], got[len(got)-1])
	}

	addr := k.Addr()
	k.Kill()
	k.Restart(t)
	if k.Addr() != addr {
		t.Errorf("the broker moved from %s to %s", addr, k.Addr())
	}
	last := numbers("last", 1)
	transact(t, ctx, transactional(t, k, "third"), last, kgo.TryCommit)
	want := append(committed, last...)
	if got := read(t, ctx, k, len(want)); !slices.Equal(got, want) {
		t.Errorf("after the kill: read %d records, %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// TestKafkaTakesProperties asks the broker itself for a property that the test gave and for one that it left alone.
func TestKafkaTakesProperties(t *testing.T) {
	k := real.StartKafka(t, "log.retention.ms=60000")
	configs, err := kadm.NewClient(connect(t, k)).DescribeBrokerConfigs(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"log.retention.ms": "60000", "auto.create.topics.enable": "false"}
	got := make(map[string]string)
	for _, config := range configs[0].Configs {
		if _, ok := want[config.Key]; ok {
			got[config.Key] = config.MaybeValue()
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the broker has %v, want %v", got, want)
	}
}

// numbers are n different texts.
func numbers(word string, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprint(word, " ", i)
	}
	return texts
}

func connect(t *testing.T, k *real.Kafka, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(k.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func transactional(t *testing.T, k *real.Kafka, id string) *kgo.Client {
	t.Helper()
	return connect(t, k, kgo.TransactionalID(id), kgo.TransactionTimeout(time.Second), kgo.DefaultProduceTopic(topic))
}

// begin writes texts into a new transaction. Their records have the time of an event of long ago, which must not be a
// reason to delete them.
func begin(t *testing.T, ctx context.Context, client *kgo.Client, texts []string) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	records := make([]*kgo.Record, len(texts))
	for i, text := range texts {
		records[i] = &kgo.Record{Value: []byte(text), Timestamp: time.Date(2014, 5, 1, 0, 0, i, 0, time.UTC)}
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// transact writes texts into a transaction and ends it.
func transact(t *testing.T, ctx context.Context, client *kgo.Client, texts []string, end kgo.TransactionEndTry) {
	t.Helper()
	begin(t, ctx, client, texts)
	if err := client.EndTransaction(ctx, end); err != nil {
		t.Fatal(err)
	}
}

// read gives the first n committed texts of the topic, or some more if they come in the same fetch.
func read(t *testing.T, ctx context.Context, k *real.Kafka, n int) []string {
	t.Helper()
	client := connect(t, k, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	var texts []string
	for len(texts) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(texts), n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { texts = append(texts, string(r.Value)) })
	}
	return texts
}
