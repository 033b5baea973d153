package load

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
		{
			"other partitions", nil,
			Config{Partitions: 3},
			`topic "t3": has 2 partitions, not 3; leave the number of partitions out, or choose another topic`,
		},
		{
			"replaced timestamps",
			map[string]string{"message.timestamp.type": "LogAppendTime"},
			Config{TimestampField: "at"},
			"message.timestamp.type is LogAppendTime",
		},
		{"replaced timestamps that nobody gave", map[string]string{"message.timestamp.type": "LogAppendTime"}, Config{}, ""},
		{
			"retention",
			map[string]string{"retention.ms": "3600000"},
			Config{TimestampField: "at"},
			old + `:1: the timestamp field "at": is 2020-01-01T00:00:00Z, which is older than the topic's retention.ms: ` +
				`the broker would delete the record; set the topic's retention.ms to -1, or choose no timestamp field`,
		},
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

func TestRate(t *testing.T) {
	_, client := broker(t)
	file := write(t, "f.jsonl", strings.Repeat(`{"k":"a"}`+"\n", 1001))
	calls := 0
	clock := &rushingClock{*newManualClock()}
	got, err := Run(t.Context(), Config{
		Client: client, Topic: "t", Files: []string{file}, KeyField: "k", Rate: 100, Clock: clock,
		Progress: func(Progress) { calls++ },
	})
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
