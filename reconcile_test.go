package spillway_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/examples/fraud/cards"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/kafka"
)

// TestReconcileBreaks spoils the topic of features behind the stream's back: the command must end with 1, and say what is
// wrong in the terminal, in JSON and on the page.
func TestReconcileBreaks(t *testing.T) {
	dir := t.TempDir()
	payments := filepath.Join(dir, "payments.jsonl")
	var log bytes.Buffer
	if err := cards.Generate(&log, 1500, 3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(payments, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{
		{"load", "payments", payments, "--timestamp-field", "arrived"},
		{"stream", "card_activity", "--until-end"},
		{"archive", "--until-end"},
	} {
		if out, errs, code := run(t, dir, step...); code != 0 {
			t.Fatalf("%v ended with %d\n%s%s", step, code, out, errs)
		}
	}
	out, _, _ := run(t, dir, "rows", "card_activity", "--format", "jsonl")
	whole := readFeatures(t, dir, strings.Count(out, "\n"))
	change := func(r *kgo.Record, old, new string) *kgo.Record {
		changed := *r
		changed.Value = bytes.Replace(r.Value, []byte(old), []byte(new), 1)
		if bytes.Equal(changed.Value, r.Value) {
			t.Fatalf("%s does not hold %s", r.Value, old)
		}
		return &changed
	}
	for _, c := range []struct {
		name   string
		spoil  func() []*kgo.Record
		args   []string
		code   int
		reason string
	}{
		{"nothing", func() []*kgo.Record { return whole }, nil, 0, ""},
		{"a row lost", func() []*kgo.Record { return slices.Delete(slices.Clone(whole), 700, 701) }, nil, 1, "1 as-served row is missing from the stream"},
		{"a row twice", func() []*kgo.Record { return append(slices.Clone(whole), whole[9]) }, nil, 1, "1 row of the stream is a repetition"},
		{"a value changed", func() []*kgo.Record {
			rows := slices.Clone(whole)
			rows[700] = change(rows[700], `"count_5m":`, `"count_5m":7`)
			return rows
		}, nil, 1, "1 row of the stream has other values than as-served"},
		{"a row of another plan", func() []*kgo.Record {
			rows := slices.Clone(whole)
			rows[700] = change(rows[700], `"plan":"`, `"plan":"0`)
			return rows
		}, nil, 1, "1 as-served row is missing from the stream"},
		{"too few keys", func() []*kgo.Record { return whole }, []string{"--max-keys", "1"}, 3, "not examined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			writeFeatures(t, dir, c.spoil())
			page, report := filepath.Join(t.TempDir(), "r.html"), filepath.Join(t.TempDir(), "r.json")
			out, errs, code := run(t, dir, append([]string{"reconcile", "card_activity", "--html", page, "--json", report}, c.args...)...)
			if code != c.code {
				t.Fatalf("exit code %d, wanted %d\n%s%s", code, c.code, out, errs)
			}
			said := []string{out}
			for _, file := range []string{page, report} {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				said = append(said, string(b))
			}
			for i, text := range said {
				if !strings.Contains(text, c.reason) {
					t.Errorf("output %d lacks %q\n%.1000s", i, c.reason, text)
				}
			}
		})
	}
}

// withBroker runs fn against the embedded broker of the folder.
func withBroker(t *testing.T, dir string, fn func(context.Context, *kgo.Client), opts ...kgo.Opt) {
	t.Helper()
	b, err := kafka.Embedded(filepath.Join(dir, "kafka"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fn(t.Context(), client)
}

// readFeatures reads so many rows of the stream as they stand in the topic.
func readFeatures(t *testing.T, dir string, n int) []*kgo.Record {
	t.Helper()
	var rows []*kgo.Record
	withBroker(t, dir, func(ctx context.Context, client *kgo.Client) {
		for len(rows) < n {
			f := client.PollFetches(ctx)
			if err := f.Err(); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, f.Records()...)
		}
	}, kgo.ConsumeTopics(streaming.FeaturesTopic("card_activity")), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	return rows
}

// writeFeatures puts the rows in the place of all that the topic holds, each in its partition.
func writeFeatures(t *testing.T, dir string, rows []*kgo.Record) {
	t.Helper()
	topic := streaming.FeaturesTopic("card_activity")
	withBroker(t, dir, func(ctx context.Context, client *kgo.Client) {
		admin := kadm.NewClient(client)
		topics, err := admin.ListTopics(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.DeleteTopic(ctx, topic); err != nil {
			t.Fatal(err)
		}
		if _, err := admin.CreateTopic(ctx, int32(len(topics[topic].Partitions)), 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		var again []*kgo.Record
		for _, r := range rows {
			again = append(again, &kgo.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp})
		}
		if err := client.ProduceSync(ctx, again...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}, kgo.RecordPartitioner(kgo.ManualPartitioner()))
}
