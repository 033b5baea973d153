package load

import (
	"runtime"
	"strings"
	"testing"
)

// TestNoAllocations reads and routes long files: what is allocated is per file, and nothing per record.
func TestNoAllocations(t *testing.T) {
	const n = 50_000
	csv := "subject,partition,arrival,amount,items,at\n" + strings.Repeat("\"a\",1,2026-01-07T10:12:13Z,1.5,007,1767780733000000\n", n)
	for name, text := range map[string]string{
		"f.jsonl":     replayed(n),
		"bad.jsonl":   strings.Repeat(`{"arrival":"2026-01-07T10:12:13Z","partition":3,"subject":"\u00e9","x`+"\n", n),
		"f.csv":       csv,
		"whole.jsonl": strings.ReplaceAll(replayed(n), `"arrival":"2026-01-07T10`, `"arrival":1767780733000999,"x":"2026-01-07T10`),
	} {
		c := replayFields
		c.Clock = systemClock{}
		r := newRouter(&c, topic{partitions: 4, retention: -1})
		src, err := open(write(t, name, text), c.names(), orders(t))
		if err != nil {
			t.Fatal(err)
		}
		defer src.close()
		var rec record
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			if err := src.next(&rec); err != nil {
				t.Fatal(err)
			}
			if _, err := r.route(&rec); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if mallocs := after.Mallocs - before.Mallocs; mallocs > n/100 {
			t.Errorf("%s: %d allocations for %d records", name, mallocs, n)
		}
	}
}
