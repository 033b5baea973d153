package hostile

import (
	"math/rand/v2"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

// Asks makes asks of serving or training at random, near the events of the log that the oracle has read: on them, beside
// them, at the edges of their windows. An ask of serving is not further behind the watermark than an event may be late,
// since what no event may ask any more, a stream need not remember.
func Asks(r *rand.Rand, plan *pipeline.Plan, o *pipelinetest.Oracle, reading pipelinetest.Reading, n int) []pipelinetest.Ask {
	var asks []pipelinetest.Ask
	keyed := func(e *pipelinetest.Event) bool { return e.Values != nil && !e.Values[plan.Source.Key].Null }
	home := map[string]int32{}
	for _, e := range o.Events {
		if keyed(e) {
			home[e.Key] = e.Partition
		}
	}
	for range n {
		e := o.Events[r.IntN(len(o.Events))]
		a := pipelinetest.Ask{Key: e.Key, Time: e.Time + one(r, -1, 0, 0, 1, second, second*r.Int64N(20))}
		w := plan.Features[r.IntN(len(plan.Features))].Window
		if r.IntN(3) == 0 {
			a.Time += w.Micros() + one[int64](r, -1, 0, 0, 1)
		}
		if r.IntN(10) == 0 || !keyed(e) {
			a.Key = "nobody"
		}
		if reading == pipelinetest.Serving {
			a.After = r.IntN(len(o.Events) + 1)
			for _, known := range o.Events[:a.After] {
				if (known.Partition == e.Partition || home[a.Key] == known.Partition) && known.After.Known {
					a.Time = max(a.Time, known.After.Time-plan.Source.Lateness)
				}
			}
		}
		asks = append(asks, a)
	}
	return asks
}
