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
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

type order struct {
	ID     string    `spill:"id,id"`
	Card   string    `spill:"card,key"`
	Amount float64   `spill:"amount"`
	Items  int32     `spill:"items"`
	Paid   bool      `spill:"paid"`
	At     time.Time `spill:"at,time"`
}

func orders(t testing.TB) *schema.Schema {
	t.Helper()
	s, errs := schema.Of(&order{}, fault.Pos{})
	if errs != nil {
		t.Fatal(errs)
	}
	return s
}

// The partitions below are those of Java's client: murmur2("21") is -973932308, murmur2("foobar") is -790332482,
// murmur2("a-little-bit-long-string") is -985981536, as Kafka's own tests have them; murmur2("c1") is 2069367011,
// murmur2("") is 275646681.
func TestByKey(t *testing.T) {
	_, client := broker(t)
	file := write(t, "orders.jsonl", "\ufeff"+`{"card":"21","n":1}
{"n":2, "card" : "foobar"}  `+"\r"+`

{"card":"a-little-bit-long-string","n":3}
{"card":"c1","n":4}
   	
{"card":"","n":5}
{"card":null,"n":6}
{"n":7}
{"\u0063ard":"foob\u0061r","card":"21","n":8}
{"card":17,"n":9}`)
	clock := newManualClock()
	got, err := Run(t.Context(), Config{Client: client, Topic: "orders", Files: []string{file}, Schema: orders(t), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	const now = "2027-01-15T08:00:00.000Z"
	h17 := kgo.StickyKeyPartitioner(nil).ForTopic("").Partition(&kgo.Record{Key: []byte("17")}, 4)
	parts := [4][]string{
		0: {
			`"21" {"card":"21","n":1}`,
			`"a-little-bit-long-string" {"card":"a-little-bit-long-string","n":3}`,
			`null {"card":null,"n":6}`,
			`null {"n":7}`,
		},
		1: {`"" {"card":"","n":5}`},
		2: {"\"foobar\" {\"n\":2, \"card\" : \"foobar\"}  \r", `"foobar" {"\u0063ard":"foob\u0061r","card":"21","n":8}`},
		3: {`"c1" {"card":"c1","n":4}`},
	}
	parts[h17] = append(parts[h17], `"17" {"card":17,"n":9}`)
	var want strings.Builder
	for p, records := range parts {
		for i, r := range records {
			fmt.Fprintf(&want, "%d/%d %s %s\n", p, i, now, r)
		}
	}
	if have := show(consume(t, client, "orders", 9)); have != want.String() {
		t.Errorf("the topic holds\n%swant\n%s", have, want.String())
	}
	if got.Records != 9 || got.Malformed != 0 || got.NullKeys != 2 || !got.Created || got.Topic != "orders" || len(got.Partitions) != 4 {
		t.Errorf("result %+v", got)
	}
}

func TestAsRecorded(t *testing.T) {
	cluster, client := broker(t)
	a := write(t, "a.jsonl", `{"arrival":"2026-01-07T10:00:00.001Z","partition":2,"card":"a","n":1}
{"arrival":"2026-01-07T12:00:00.0029999+02:00","partition":0,"card":"b","n":2}
{"arrival":"2026-01-07T10:00:01Z","partition":1,"card":"c","n":3
{"arrival":"2026-01-07T10:00:02Z","partit
garbage
{"arrival":1767780003000999,"partition":2,"card":"a","n":"4}
`)
	b := write(t, "b.jsonl", `{"arrival":0,"partition":2,"card":"a","n":5}`+"\n")
	got, err := Run(t.Context(), Config{
		Client: client, Topic: "orders", Files: []string{a, b}, KeyField: "card", Partitions: 3,
		PartitionField: "partition", TimestampField: "arrival",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `0/0 2026-01-07T10:00:00.002Z "b" {"arrival":"2026-01-07T12:00:00.0029999+02:00","partition":0,"card":"b","n":2}
1/0 2026-01-07T10:00:01.000Z "c" {"arrival":"2026-01-07T10:00:01Z","partition":1,"card":"c","n":3
1/1 2026-01-07T10:00:02.000Z null {"arrival":"2026-01-07T10:00:02Z","partit
1/2 2026-01-07T10:00:02.000Z null garbage
2/0 2026-01-07T10:00:00.001Z "a" {"arrival":"2026-01-07T10:00:00.001Z","partition":2,"card":"a","n":1}
2/1 2026-01-07T10:00:03.000Z "a" {"arrival":1767780003000999,"partition":2,"card":"a","n":"4}
2/2 1970-01-01T00:00:00.000Z "a" {"arrival":0,"partition":2,"card":"a","n":5}
`
	if have := show(consume(t, client, "orders", 7)); have != want {
		t.Errorf("the topic holds\n%swant\n%s", have, want)
	}
	if got.Malformed != 4 || got.FirstMalformed != a+`:3: JSON, byte 64: expected ',' or '}'` {
		t.Errorf("%d malformed, first %q", got.Malformed, got.FirstMalformed)
	}
	if !slices.Equal(got.Partitions, []int64{1, 3, 3}) || got.Records != 7 {
		t.Errorf("result %+v", got)
	}
	info := cluster.TopicInfo("orders")
	for name, value := range map[string]string{"retention.ms": "-1", "message.timestamp.type": "CreateTime"} {
		if v := info.Configs[name]; v == nil || *v != value {
			t.Errorf("the topic's %s is %v, not %s", name, v, value)
		}
	}
}

// TestOrder has the broker refuse produce requests now and then, so that the client has to send some batches again.
func TestOrder(t *testing.T) {
	cluster, client := broker(t)
	const n = 20_000
	var files []string
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"card":"c%d","n":%d}`+"\n", i%97, i)
		if i%7_000 == 6_999 || i == n-1 {
			files = append(files, write(t, fmt.Sprintf("%d.jsonl", i), text.String()))
			text.Reset()
		}
	}
	requests := 0
	cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 10,
		When: func(kmsg.Request) bool { requests++; return requests%3 == 2 },
	})
	var last Progress
	got, err := Run(t.Context(), Config{
		Client: append(client, kgo.ProducerBatchMaxBytes(8<<10), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond })),
		Topic:  "orders", Files: files, KeyField: "card", Progress: func(p Progress) { last = p },
	})
	if err != nil {
		t.Fatal(err)
	}
	if requests < 3 {
		t.Errorf("only %d produce requests, so that none failed", requests)
	}
	if got.Records != n || last.Records != n || last.Bytes != got.Bytes || last.Read != last.Total || last.Total == 0 || last.File != files[2] {
		t.Errorf("result %+v, progress %+v", got, last)
	}
	var bytes, records int64
	for p, rs := range consume(t, client, "orders", n) {
		before := -1
		for _, r := range rs {
			var card string
			var i int
			if _, err := fmt.Sscanf(string(r.Value), `{"card":%q,"n":%d}`, &card, &i); err != nil || card != string(r.Key) || i <= before {
				t.Fatalf("partition %d: %s behind record %d, key %s: %v", p, r.Value, before, r.Key, err)
			}
			before = i
			bytes += int64(len(r.Key) + len(r.Value))
			records++
		}
		if p < 4 && got.Partitions[p] != int64(len(rs)) {
			t.Errorf("partition %d: %d records reported, %d there", p, got.Partitions[p], len(rs))
		}
	}
	if records != n || bytes != got.Bytes {
		t.Errorf("%d records of %d bytes, reported %d", records, bytes, got.Bytes)
	}
}

func TestExistingTopic(t *testing.T) {
	cluster, client := broker(t)
	old := write(t, "old.jsonl", `{"k":"a","at":"2020-01-01T00:00:00Z"}`+"\n")
	for _, tt := range []struct {
		name    string
		configs map[string]string
		config  Config
		wrong   string // "" if it works
	}{
		{"taken as it is", nil, Config{}, ""},
		{"as many partitions as wanted", nil, Config{Partitions: 2}, ""},
		{"other partitions", nil, Config{Partitions: 3},
			`topic "t3": has 2 partitions, not 3; leave the number of partitions out, or choose another topic`},
		{"replaced timestamps", map[string]string{"message.timestamp.type": "LogAppendTime"}, Config{TimestampField: "at"},
			"message.timestamp.type is LogAppendTime"},
		{"replaced timestamps that nobody gave", map[string]string{"message.timestamp.type": "LogAppendTime"}, Config{}, ""},
		{"retention", map[string]string{"retention.ms": "3600000"}, Config{TimestampField: "at"},
			old + `:1: the timestamp field "at": is 2020-01-01T00:00:00Z, which is older than the topic's retention.ms: ` +
				`the broker would delete the record; set the topic's retention.ms to -1, or choose no timestamp field`},
		{"retention that is long enough", map[string]string{"retention.ms": "9223372036854775807"}, Config{TimestampField: "at"}, ""},
		{"no retention", map[string]string{"retention.ms": "-1"}, Config{TimestampField: "at"}, ""},
		{"small records only", map[string]string{"max.message.bytes": "700"}, Config{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.config
			c.Client, c.Files, c.KeyField = client, []string{old}, "k"
			c.Topic = fmt.Sprintf("t%d", c.Partitions)
			if err := cluster.CreateTopic(c.Topic, 2, tt.configs); err != nil {
				t.Fatal(err)
			}
			defer cluster.DeleteTopic(c.Topic)
			got, err := Run(t.Context(), c)
			if tt.wrong == "" {
				if err != nil || got.Created || got.Records != 1 || len(got.Partitions) != 2 {
					t.Errorf("%+v, %v", got, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.wrong) || got.Records != 0 {
				t.Errorf("%+v, error %v, want %s", got, err, tt.wrong)
			}
		})
	}
}

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
		got, err := Run(t.Context(), Config{Client: client, Topic: topic, Files: []string{file},
			KeyField: "k", PartitionField: "p", TimestampField: "at"})
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
		{Config{Topic: "t", Files: []string{jsonl, "f.json"}, KeyField: "k"},
			"f.json: has a name that tells no known format; known are .jsonl and .csv, also with .gz or .zst behind, and .parquet"},
		{Config{Topic: "t", Files: []string{"f"}, KeyField: "k"}, "f: has a name that tells no known format"},
		{Config{Topic: "t", Files: []string{"f.gz"}, KeyField: "k"}, "f.gz: has a name that tells no known format"},
		{Config{Topic: "t", Files: []string{"f.parquet.gz"}, KeyField: "k"}, "f.parquet.gz: is Parquet that was compressed once more"},
		{Config{Topic: "t", Files: []string{"absent.jsonl"}, KeyField: "k"}, "absent.jsonl: does not exist; correct its name"},
		{Config{Topic: "t", Files: []string{"absent.parquet"}, KeyField: "k"}, "absent.parquet: does not exist; correct its name"},
		{Config{Topic: "t", Files: []string{jsonl, csv}, KeyField: "x", TimestampField: "y"},
			`f.csv: has no column "x", the key field; choose one of its columns: ["k" "v"]` + "\n"},
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
	got, err := Run(ctx, Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k",
		Progress: func(Progress) { cancel(stopped) }})
	if err != stopped {
		t.Errorf("error %v", err)
	}
	if got.Records > progressEvery {
		t.Errorf("%d records sent, stopped at %d", got.Records, progressEvery)
	}
	consume(t, client, "t", int(got.Records))
}

func TestRate(t *testing.T) {
	_, client := broker(t)
	file := write(t, "f.jsonl", strings.Repeat(`{"k":"a"}`+"\n", 1001))
	calls := 0
	clock := &rushingClock{*newManualClock()}
	got, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k", Rate: 100, Clock: clock,
		Progress: func(Progress) { calls++ }})
	if err != nil || got.Records != 1001 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got.Wall < 9990*time.Millisecond || got.Wall > 10_010*time.Millisecond {
		t.Errorf("1001 records at 100 a second took %v", got.Wall)
	}
	if calls < 900 {
		t.Errorf("progress was told %d times", calls)
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error()+"\n", want) {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func newClient(t testing.TB, opts []kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
