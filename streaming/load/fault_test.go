package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestRefusedByBroker(t *testing.T) {
	cluster, client := broker(t)
	if err := cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "600"}); err != nil {
		t.Fatal(err)
	}
	file := write(t, "f.jsonl", `{"k":"a"}`+"\n\n"+`{"k":"b","long":"`+strings.Repeat("x", 600)+`"}`+"\n"+`{"k":"c"}`+"\n")
	got, err := Run(t.Context(), Config{Client: client, Topic: "small", Files: []string{file}, KeyField: "k"})
	wantError(t, err, file+":3: record: of 620 bytes is larger than the topic takes")
	if !errors.Is(err, kerr.MessageTooLarge) || got.Records > 1 {
		t.Errorf("%+v, %v", got, err)
	}

	file = write(t, "g.jsonl", `{"k":"a"}`+"\n")
	for _, tt := range []struct {
		code *kerr.Error
		want string
	}{
		{kerr.InvalidTimestamp, ":1: record: with the timestamp 2027-01-15T08:00:00Z is refused by the broker"},
		{kerr.TopicAuthorizationFailed, ":1: record: was not taken by the broker (TOPIC_AUTHORIZATION_FAILED"},
		{kerr.InvalidRecord, ":1: record: was not taken by the broker (INVALID_RECORD"},
	} {
		h := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: tt.code, Count: -1})
		got, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k", Clock: newManualClock()})
		h.Remove()
		wantError(t, err, tt.want)
		if got.Records != 0 || !errors.Is(err, tt.code) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestFaultyRecord shows that what stands before a record that cannot be routed is in the topic.
func TestFaultyRecord(t *testing.T) {
	_, client := broker(t)
	good := `{"k":"a","p":0,"at":1}` + "\n"
	for i, tt := range []struct{ line, want string }{
		{`{"k":"a","at":1}`, `the partition field "p": is missing; every record needs the number of a partition there`},
		{`{"k":"a","p":null,"at":1}`, `the partition field "p": is null; every record`},
		{`{"k":"a","p":"0","at":1}`, `the partition field "p": is "0"; every record`},
		{`{"k":"a","p":0.5,"at":1}`, `the partition field "p": is "0.5"; every record`},
		{`{"k":"a","p":-1,"at":1}`, `the partition field "p": is -1, and the topic has the partitions 0 to 3; use a topic with more`},
		{`{"k":"a","p":4,"at":1}`, `the partition field "p": is 4, and the topic has`},
		{`{"k":"a","p":4294967296,"at":1}`, `the partition field "p": is 4294967296, and the topic has`},
		{`{"k":"a","p":1e99,"at":1}`, `the partition field "p": is "1e99"; every record`},
		{`{"k":"a","p":0}`, `the timestamp field "at": is missing; every record needs an RFC 3339 time, or`},
		{`{"k":"a","p":0,"at":"2026-01-01"}`, `the timestamp field "at": is "2026-01-01"; every record`},
		{`{"k":"a","p":0,"at":"1"}`, `the timestamp field "at": is "1"; every record`},
		{`{"k":"a","p":0,"at":true}`, `the timestamp field "at": is "true"; every record`},
		{`{"k":"a","p":0,"at":-1}`, `the timestamp field "at": is 1969-12-31T23:59:59.999Z: Kafka takes no timestamp before 1970`},
		{`{"k":"a","p":0,"at":"1969-12-31T23:59:59.9999Z"}`, `the timestamp field "at": is 1969-12-31T23:59:59.999Z: Kafka takes no timestamp before 1970`},
		{`{"k":"a","p":0,"at":9223372036854776}`, ""},
		{`{"k":"a","p":0,"at":9223372036855000}`, `the timestamp field "at": is 2262-04-11T23:47:16.855Z, which is further off`},
	} {
		topic := fmt.Sprintf("t%d", i)
		file := write(t, "f.jsonl", good+good+tt.line+"\n"+good)
		got, err := Run(t.Context(), Config{
			Client: client, Topic: topic, Files: []string{file},
			KeyField: "k", PartitionField: "p", TimestampField: "at",
		})
		if tt.want == "" {
			if err != nil || got.Records != 4 {
				t.Errorf("%s: %+v, %v", tt.line, got, err)
			}
			continue
		}
		wantError(t, err, file+":3: "+tt.want)
		if got.Records != 2 || !slices.Equal(got.Partitions, []int64{2, 0, 0, 0}) {
			t.Errorf("%s: %+v", tt.line, got)
		}
		consume(t, client, topic, 2)
	}
}

func TestMistakes(t *testing.T) {
	cluster, client := broker(t)
	jsonl := write(t, "f.jsonl", `{"k":"a"}`+"\n")
	csv := write(t, "f.csv", "k,v\n")
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{Files: []string{jsonl}}, "no topic is named"},
		{Config{Topic: "t"}, "no file is named"},
		{Config{Topic: "t", Files: []string{jsonl}}, `topic "t": is no pipeline's source, so that its key is not known; name the field`},
		{Config{Topic: "t", Files: []string{jsonl}, KeyField: "k", Rate: -1}, "rate: is -1 records a second"},
		{Config{Topic: "t", Files: []string{jsonl}, KeyField: "k", Partitions: -1}, "partitions: are -1"},
		{Config{Topic: "t", Files: []string{jsonl}, KeyField: "k", Patience: -1}, "patience: is -1ns"},
		{
			Config{Topic: "t", Files: []string{jsonl, "f.json"}, KeyField: "k"},
			"f.json: has a name that tells no known format; known are .jsonl and .csv, also with .gz or .zst behind, and .parquet",
		},
		{Config{Topic: "t", Files: []string{"f"}, KeyField: "k"}, "f: has a name that tells no known format"},
		{Config{Topic: "t", Files: []string{"f.gz"}, KeyField: "k"}, "f.gz: has a name that tells no known format"},
		{Config{Topic: "t", Files: []string{"f.parquet.gz"}, KeyField: "k"}, "f.parquet.gz: is Parquet that was compressed once more"},
		{Config{Topic: "t", Files: []string{"absent.jsonl"}, KeyField: "k"}, "absent.jsonl: does not exist; correct its name"},
		{Config{Topic: "t", Files: []string{"absent.parquet"}, KeyField: "k"}, "absent.parquet: does not exist; correct its name"},
		{
			Config{Topic: "t", Files: []string{jsonl, csv}, KeyField: "x", TimestampField: "y"},
			`f.csv: has no column "x", the key field; choose one of its columns: ["k" "v"]` + "\n",
		},
		{Config{Topic: "t", Files: []string{csv}, KeyField: "k", PartitionField: "y"}, `f.csv: has no column "y", the partition field`},
	} {
		tt.config.Client = client
		got, err := Run(t.Context(), tt.config)
		wantError(t, err, tt.want)
		if got.Records != 0 {
			t.Errorf("%+v", got)
		}
	}
	if dir := t.TempDir() + "/d.jsonl"; os.Mkdir(dir, 0o777) == nil {
		_, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{dir}, KeyField: "k"})
		wantError(t, err, dir+": cannot be read")
	}
	h := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidTopicException, Count: -1})
	_, err := Run(t.Context(), Config{Client: client, Topic: "t!", Files: []string{jsonl}, KeyField: "k"})
	wantError(t, err, `topic "t!": cannot be created (INVALID_TOPIC_EXCEPTION`)
	h.Remove()
	h = cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "t", Err: kerr.TopicAuthorizationFailed, Count: -1})
	_, err = Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{jsonl}, KeyField: "k"})
	wantError(t, err, `topic "t": cannot be looked up (TOPIC_AUTHORIZATION_FAILED`)
	h.Remove()
	h = cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "t", Err: kerr.InvalidTopicException, Count: -1})
	_, err = Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{jsonl}, KeyField: "k"})
	wantError(t, err, `topic "t": cannot be used (INVALID_TOPIC_EXCEPTION`)
	h.Remove()
	adm := kadm.NewClient(newClient(t, client))
	if topics, err := adm.ListTopics(t.Context()); err != nil || len(topics) != 0 {
		t.Errorf("a mistake has left topics behind: %v, %v", topics.Names(), err)
	}
}

func TestUnreachable(t *testing.T) {
	cluster, client := broker(t)
	addr := cluster.ListenAddrs()[0]
	cluster.Close()
	file := write(t, "f.jsonl", `{"k":"a"}`+"\n")
	clock := newManualClock()
	clock.set = make(chan struct{}, 16)
	done := make(chan error)
	go func() {
		_, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k", Clock: clock})
		done <- err
	}()
	<-clock.set // patience
	for range 3 {
		<-clock.set // until the next ping
		clock.advance(pingPause)
	}
	<-clock.set
	clock.advance(DefaultPatience)
	wantError(t, <-done, "Kafka at ["+addr+"]: does not answer for 30s (")
}

func TestSilentBroker(t *testing.T) {
	cluster, client := broker(t)
	file := write(t, "f.jsonl", strings.Repeat(`{"k":"a"}`+"\n", 3*bufferedRecords))
	clock := newManualClock()
	clock.set = make(chan struct{}, 16)
	asked := make(chan struct{}, 1)
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		select {
		case asked <- struct{}{}:
		default:
		}
		return nil, nil, true // no answer
	})
	done := make(chan error)
	go func() {
		got, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k", Clock: clock, Patience: time.Minute})
		if got.Records != 0 {
			t.Errorf("%+v", got)
		}
		done <- err
	}()
	<-clock.set // until a broker answers
	<-clock.set // the first watch, when nothing had been sent
	<-asked
	clock.advance(time.Minute)
	<-clock.set // the second watch, which finds records on their way
	clock.advance(time.Minute)
	<-clock.set // for what is on its way
	clock.advance(time.Minute)
	wantError(t, <-done, "Kafka: has acknowledged nothing for 1m0s; see whether the brokers run and have room")
}

func TestCancel(t *testing.T) {
	_, client := broker(t)
	file := write(t, "f.jsonl", strings.Repeat(`{"k":"a"}`+"\n", 10_000))
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by hand")
	got, err := Run(ctx, Config{
		Client: client, Topic: "t", Files: []string{file}, KeyField: "k",
		Progress: func(Progress) { cancel(stopped) },
	})
	if err != stopped {
		t.Errorf("error %v", err)
	}
	if got.Records > progressEvery {
		t.Errorf("%d records sent, stopped at %d", got.Records, progressEvery)
	}
	consume(t, client, "t", int(got.Records))
}
