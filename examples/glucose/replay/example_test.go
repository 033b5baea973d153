package replay_test

import (
	"fmt"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/replay"
)

func Example() {
	r, err := replay.Open(replay.Options{Seed: 1, Partitions: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	counts := map[replay.Kind]int{}
	for rec, ok := r.Next(); ok; rec, ok = r.Next() {
		if len(counts) == 0 {
			fmt.Printf("partition %d, key %s, arrived %s\n%s\n",
				rec.Partition, rec.Key, rec.Arrival.Format(time.RFC3339Nano), rec.Payload)
		}
		counts[rec.Kind]++
	}
	fmt.Println(counts[replay.Direct], "direct,", counts[replay.Held]+counts[replay.HeldNewestFirst], "held,",
		counts[replay.Retry]+counts[replay.Resync], "duplicates")

	danger := r.Dangers()[0]
	fmt.Println("first danger:", danger.Subject, danger.At.Format(time.RFC3339))
	// Output:
	// partition 0, key 1636-69-001, arrived 2026-01-05T03:42:13.022Z
	// {"id":"1636-69-001-000001","subject":"1636-69-001","at":"2026-01-05T03:42:12Z","glucose":93,"diagnosis":"diabetic"}
	// 34403 direct, 487 held, 98 duplicates
	// first danger: 2133-015 2026-01-05T15:53:24Z
}
