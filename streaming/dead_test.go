package streaming_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

func headers(r *kgo.Record) map[string]string {
	h := map[string]string{}
	for _, header := range r.Headers {
		h[header.Key] = string(header.Value)
	}
	return h
}

// TestLetters looks at what becomes of records that cannot be used: absent, empty, broken, and too long to be repeated.
func TestLetters(t *testing.T) {
	plan, err := payments.Y1.Plan()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, plan, 1)
	long := bytes.Repeat([]byte("x"), 1_044_000)
	own := []kgo.RecordHeader{{Key: "trace", Value: []byte("17")}}
	w.client = w.connect(kgo.ProducerBatchMaxBytes(1_048_588), kgo.ProducerBatchCompression(kgo.NoCompression()))
	w.send([]*kgo.Record{
		{Topic: w.source, Key: []byte("a"), Value: nil, Headers: own},
		{Topic: w.source, Key: nil, Value: []byte{}},
		{Topic: w.source, Key: []byte{}, Value: []byte("{}")},
		{Topic: w.source, Key: []byte("long"), Value: long},
		{Topic: w.source, Key: long, Value: []byte("short")},
	})
	w.run(w.config())
	letters := w.read(streaming.DeadTopic(plan.Name))[0]
	if len(letters) != 5 {
		t.Fatalf("%d letters, want 5", len(letters))
	}
	for i, want := range []struct {
		key, value []byte
		reason     string
	}{
		{[]byte("a"), nil, "the value is absent"},
		{nil, []byte{}, "the value ends"},
		{[]byte{}, []byte("{}"), `the key "card" is null`},
		{[]byte("long"), nil, "JSON"},
		{nil, nil, "JSON"},
	} {
		l, h := letters[i], headers(letters[i])
		same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
		if !same(l.Key, want.key) || !same(l.Value, want.value) || !strings.Contains(h[streaming.ReasonHeader], want.reason) {
			t.Errorf("letter %d: key %q, value %.20q, headers %v", i, l.Key, l.Value, h)
		}
	}
	if h := letters[0].Headers[0]; h.Key != "trace" || string(h.Value) != "17" {
		t.Errorf("the record's own header is %v", h)
	}
	for i, want := range []string{"", "", "", "value", "key, headers, value"} {
		if got := headers(letters[i])[streaming.LeftOutHeader]; got != want {
			t.Errorf("letter %d leaves out %q, want %q", i, got, want)
		}
	}
}

// TestOutputsTakeWhatTheSourceTakes gives the source a limit, which the topics that are made then have too.
func TestOutputsTakeWhatTheSourceTakes(t *testing.T) {
	plan, log := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 0)
	limit := "3000000"
	if err := w.cluster.CreateTopic(w.source, 1, map[string]string{"max.message.bytes": limit}); err != nil {
		t.Fatal(err)
	}
	w.send(w.messages(log[:1]))
	w.run(w.config())
	for _, topic := range []string{streaming.FeaturesTopic(plan.Name), streaming.DeadTopic(plan.Name)} {
		configs, err := w.admin().DescribeTopicConfigs(w.ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range configs[0].Configs {
			got[c.Key] = c.MaybeValue()
		}
		if got["max.message.bytes"] != limit || got["retention.ms"] != "-1" {
			t.Errorf("topic %s has %v", topic, got)
		}
	}
}

// flaky is a registry that is down for the first few questions.
type flaky struct{ down atomic.Int64 }

func (f *flaky) Schema(ctx context.Context, id int) ([]string, error) {
	if f.down.Add(-1) >= 0 {
		return nil, errors.New("connection refused")
	}
	return topic.Registry{}.Schema(ctx, id)
}

// TestRegistryIsDown: records wait for their schema, and none is dead-lettered.
func TestRegistryIsDown(t *testing.T) {
	plan, err := payments.Y1.Plan()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, plan, 0)
	if err := topic.Load(w.ctx, w.addr, w.source, 500); err != nil {
		t.Fatal(err)
	}
	registry := &flaky{}
	registry.down.Store(10)
	w.format = topic.Format()
	cfg := w.config()
	cfg.Format, cfg.Clock = decode.Confluent(registry), haste{}
	w.run(cfg)
	cfg.Clock = nil
	w.check(cfg)
	if s := cfg.Monitor.Status(); s.Rows != 500 || s.Letters != 0 {
		t.Errorf("%d rows and %d letters, want 500 and 0", s.Rows, s.Letters)
	}
}

// TestSchemaInHeader moves the frame of half of the records into a header, where Confluent's newer clients put it.
func TestSchemaInHeader(t *testing.T) {
	plan, err := payments.Y1.Plan()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, plan, 4)
	if err := topic.Load(w.ctx, w.addr, "framed", 500); err != nil {
		t.Fatal(err)
	}
	for _, recs := range w.read("framed") {
		for i, r := range recs {
			r.Topic = w.source
			if i%2 == 0 {
				r.Headers = []kgo.RecordHeader{{Key: "n", Value: []byte("1")}, {Key: decode.SchemaHeader, Value: r.Value[:5]}}
				r.Value = r.Value[5:]
			}
		}
		w.send(recs)
	}
	w.format = topic.Format()
	cfg := w.config()
	cfg.Format = w.format
	w.run(cfg)
	w.check(cfg)
	if s := cfg.Monitor.Status(); s.Rows != 500 || s.Letters != 0 {
		t.Errorf("%d rows and %d letters, want 500 and 0", s.Rows, s.Letters)
	}
}

// TestRetentionIsLostWhileReading: what a fetch is told of the log's start ends the stream; it does not go on behind.
func TestRetentionIsLostWhileReading(t *testing.T) {
	w := ran(t)
	_, log := hostileLog(t, 4, 200)
	w.send(w.messages(log))
	w.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.OffsetOutOfRange, Count: -1,
		When: func(req kmsg.Request) bool { return req.(*kmsg.FetchRequest).MaxBytes > 0 },
	})
	w.refused(w.config(), "retention lost below the frontier")
}

// TestRowIsTooLong: a row that the topic does not take ends the stream, and says which limit is to be raised.
func TestRowIsTooLong(t *testing.T) {
	plan, log := hostileLog(t, 4, 200)
	w := newWorld(t, plan, 2)
	if err := w.cluster.CreateTopic(streaming.FeaturesTopic(plan.Name), 2, map[string]string{"max.message.bytes": "100"}); err != nil {
		t.Fatal(err)
	}
	w.send(w.messages(log))
	w.refused(w.config(), "does not take a row of that length", "raise its max.message.bytes")
}
