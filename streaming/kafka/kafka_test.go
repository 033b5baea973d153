package kafka_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/streaming/kafka"
)

func start(t *testing.T, dir string) (*kafka.Broker, *kadm.Client) {
	t.Helper()
	b, err := kafka.Embedded(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b, kadm.NewClient(connect(t, b))
}

func connect(t *testing.T, b *kafka.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TestEmbeddedKeeps writes a transaction, a plain record of long ago and a group's offset, and finds them after a restart.
func TestEmbeddedKeeps(t *testing.T) {
	dir := t.TempDir()
	b, adm := start(t, dir)
	if err := kafka.EnsureTopic(t.Context(), adm, "t", 1, nil); err != nil {
		t.Fatal(err)
	}
	if host, _, err := net.SplitHostPort(b.Addr()); err != nil || host != "127.0.0.1" {
		t.Errorf("address %q, want one of the loopback", b.Addr())
	}
	old := &kgo.Record{Topic: "t", Value: []byte("old"), Timestamp: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := connect(t, b).ProduceSync(t.Context(), old).FirstErr(); err != nil {
		t.Fatal(err)
	}
	writer := connect(t, b, kgo.TransactionalID("w"))
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := writer.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		value := "committed " + strconv.FormatBool(bool(end))
		if err := writer.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := writer.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "t", Partition: 0, At: 2, Metadata: "note"})
	adm = kadm.NewClient(connect(t, b)) // the other one still believes that there is no topic
	if err := adm.CommitAllOffsets(t.Context(), "g", offsets); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b.Close()

	b, adm = start(t, dir)
	reader := connect(t, b, kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	var got []string
	for len(got) < 2 {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if want := "old,committed true"; strings.Join(got, ",") != want {
		t.Errorf("read %q, want %s", got, want)
	}
	kept, err := adm.FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := kept.Lookup("t", 0); o.At != 2 || o.Metadata != "note" {
		t.Errorf("the group's offset is %+v", o.Offset)
	}
}

func TestPortIsInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = kafka.Embedded(t.TempDir(), l.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.Contains(err.Error(), "is in use") || !strings.Contains(err.Error(), "choose another port") {
		t.Errorf("error %v, want one that says so", err)
	}
}

func TestFolderCannotBeUsed(t *testing.T) {
	_, err := kafka.Embedded("/dev/null/kafka", 0)
	if err == nil || !strings.Contains(err.Error(), "see that the folder can be written") {
		t.Errorf("error %v, want one that says so", err)
	}
}

func TestTopics(t *testing.T) {
	_, adm := start(t, t.TempDir())
	if _, err := kafka.Partitions(t.Context(), adm, "t"); err == nil || !strings.Contains(err.Error(), `topic "t": does not exist`) {
		t.Errorf("error %v, want one that says so", err)
	}
	config := map[string]string{"retention.ms": "-1", "max.message.bytes": "2000000"}
	for range 2 {
		if err := kafka.EnsureTopic(t.Context(), adm, "t", 3, config); err != nil {
			t.Fatal(err)
		}
		if n, err := kafka.Partitions(t.Context(), adm, "t"); n != 3 || err != nil {
			t.Fatalf("%d partitions, %v, want 3", n, err)
		}
	}
	configs, err := adm.DescribeTopicConfigs(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if want := config[c.Key]; want != "" && c.MaybeValue() != want {
			t.Errorf("%s is %s, want %s", c.Key, c.MaybeValue(), want)
		}
	}
	if err := kafka.EnsureTopic(t.Context(), adm, "t", 4, config); err == nil || !strings.Contains(err.Error(), "has 3 partitions, not 4") {
		t.Errorf("error %v, want one that says so", err)
	}
	// Kafka's metrics cannot tell a dot and an underscore apart.
	if err := kafka.EnsureTopic(t.Context(), adm, "a.b", 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := kafka.EnsureTopic(t.Context(), adm, "a_b", 1, nil); err == nil || !strings.Contains(err.Error(), "cannot be created") {
		t.Errorf("error %v, want one that says so", err)
	}
}
