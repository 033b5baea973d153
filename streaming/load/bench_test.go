package load

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// replayed is n lines as the glucose example makes them, about 170 bytes each.
func replayed(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"arrival":"2026-01-07T10:%02d:%02d.123Z","partition":%d,"id":"2133-%03d-%06d","subject":"2133-%03d",`+
			`"at":"2026-01-07T10:12:13Z","glucose":%d,"diagnosis":"pre-diabetic"}`+"\n", i/60%60, i%60, i%4, i%500, i, i%500, 50+i%200)
	}
	return b.String()
}

var replayFields = Config{KeyField: "subject", PartitionField: "partition", TimestampField: "arrival"}

// BenchmarkRoute reads and routes lines, and sends none.
func BenchmarkRoute(b *testing.B) {
	const n = 100_000
	c := replayFields
	c.Clock = systemClock{}
	path := write(b, "f.jsonl", replayed(n))
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size() / n)
	b.ReportAllocs()
	r := newRouter(&c, topic{partitions: 4, retention: -1})
	var rec record
	for done := 0; done < b.N; {
		src, err := open(path, c.names(), nil)
		if err != nil {
			b.Fatal(err)
		}
		for ; done < b.N; done++ {
			if err := src.next(&rec); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
			if _, err := r.route(&rec); err != nil {
				b.Fatal(err)
			}
		}
		src.close()
	}
}

// BenchmarkCSV turns rows into JSON.
func BenchmarkCSV(b *testing.B) {
	const n = 100_000
	var text strings.Builder
	text.WriteString("id,card,amount,items,paid,at,note\n")
	for i := range n {
		fmt.Fprintf(&text, "o%d,c%d,%d.25,%d,true,2026-01-07T10:12:13Z,\"a, b\"\n", i, i%500, i, i%9)
	}
	path := write(b, "f.csv", text.String())
	b.SetBytes(int64(text.Len() / n))
	b.ReportAllocs()
	names, s := routed0("card"), orders(b)
	var rec record
	for done := 0; done < b.N; {
		src, err := open(path, names, s)
		if err != nil {
			b.Fatal(err)
		}
		for ; done < b.N; done++ {
			if err := src.next(&rec); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		src.close()
	}
}

// BenchmarkParquet turns rows into JSON.
func BenchmarkParquet(b *testing.B) {
	const n = 100_000
	row := `{"card":"2133-004","at":"2026-01-07T10:12:13Z","p":1,"n":1.5}`
	path := parquetOf(b, events, "["+strings.Repeat(row+",", n-1)+row+"]", n/4)
	b.ReportAllocs()
	b.ResetTimer()
	var rec record
	for done := 0; done < b.N; {
		src, err := open(path, [routingFields]string{"card", "p", "at"}, nil)
		if err != nil {
			b.Fatal(err)
		}
		for ; done < b.N; done++ {
			if err := src.next(&rec); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		src.close()
	}
}

// BenchmarkRun loads lines into a broker that answers and keeps nothing. The broker and the client's own work (batches,
// compression, the network) are part of the figures; an operation is one record.
func BenchmarkRun(b *testing.B) {
	_, client := broker(b, kfake.BlackholeProduce())
	c := replayFields
	c.Client, c.Topic = client, "t"
	const n = 200_000
	c.Files = []string{write(b, "f.jsonl", replayed(n))}
	for len(c.Files)*n < b.N {
		c.Files = append(c.Files, c.Files[0])
	}
	b.ReportAllocs()
	b.ResetTimer()
	got, err := Run(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(got.Records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(0, "ns/op") // b.N is rounded up to whole files
}
