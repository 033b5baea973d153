package spillway

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestBrokerIsTakenOver ends the process that runs the broker of a folder before the one that shares it: whoever is left
// finds the broker at the same address, with what it held.
func TestBrokerIsTakenOver(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	config := &Config{DataDir: t.TempDir()}
	open := func() *embedded {
		e := &embedded{config: config, log: slog.New(slog.DiscardHandler)}
		if err := e.open(ctx); err != nil {
			t.Fatal(err)
		}
		return e
	}
	first, second := open(), open()
	if first.broker == nil || second.broker != nil || first.addr != second.addr {
		t.Fatalf("the first runs it: %v, the second too: %v, at %s and %s", first.broker != nil, second.broker != nil, first.addr, second.addr)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(second.addr), kgo.DefaultProduceTopic("t"),
		kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	send := func(text string) {
		if err := client.ProduceSync(ctx, kgo.StringRecord(text)).FirstErr(); err != nil {
			t.Fatalf("%s is not sent: %v", text, err)
		}
	}
	send("before")
	first.close()
	send("after") // the client tries until the second runs the broker
	third := open()
	if third.addr != first.addr {
		t.Errorf("a third is told of %s, not %s", third.addr, first.addr)
	}
	var got []string
	for len(got) < 2 && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if len(got) != 2 || got[0] != "before" || got[1] != "after" {
		t.Errorf("the topic holds %q", got)
	}
	third.close()
	second.close()
	if _, err := os.Stat(second.note()); !os.IsNotExist(err) {
		t.Errorf("the last one leaves its address behind: %v", err)
	}
}

// TestBrokerOfADeadProcess starts on a folder whose process was killed, and so left its address behind.
func TestBrokerOfADeadProcess(t *testing.T) {
	config := &Config{DataDir: t.TempDir()}
	e := &embedded{config: config, log: slog.New(slog.DiscardHandler)}
	if err := os.WriteFile(e.note(), []byte("127.0.0.1:1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if e.broker == nil || answers(e.note()) != e.addr {
		t.Errorf("the note says %q, and the broker is on %s", answers(e.note()), e.addr)
	}
}
