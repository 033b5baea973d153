package lakehouse

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/iceberg-go"
)

// The properties of a run in the summary of its snapshot.
const (
	propRun     = "spillway.run"
	propPlan    = "spillway.plan"
	propReading = "spillway.reading"
	propFrom    = "spillway.from"
	propTo      = "spillway.to"
	propInput   = "spillway.input"
)

// Run says where the rows of a replaced interval come from. It is kept in the summary of the snapshot that they make,
// and the plan's hash and the run's id in every file of theirs.
type Run struct {
	ID       string   // names the run in the ledger
	Plan     string   // the hash of the plan that computed the rows
	Reading  string   // that of the table; Replace sets it
	Input    int64    // the archive's snapshot that was read
	Frontier Frontier // of that snapshot
	Interval Range    // of ask times, which the rows replace
}

func (r *Run) properties() iceberg.Properties {
	g := ledger{Partitions: map[int32]Span{}}
	for p, next := range r.Frontier {
		g.Partitions[p] = Span{Next: next}
	}
	return iceberg.Properties{
		propRun: r.ID, propPlan: r.Plan, propReading: r.Reading, propFrontier: g.text(),
		propInput: strconv.FormatInt(r.Input, 10),
		propFrom:  strconv.FormatInt(r.Interval.From, 10),
		propTo:    strconv.FormatInt(r.Interval.To, 10),
	}
}

// parseRun reads what properties wrote. A summary without a run, such as a compaction's, is nil.
func parseRun(summary map[string]string) (*Run, error) {
	if summary[propPlan] == "" {
		return nil, nil
	}
	number := func(key string, to *int64) error {
		n, err := strconv.ParseInt(summary[key], 10, 64)
		if err != nil {
			return fmt.Errorf("%s of a snapshot's summary: %w", key, err)
		}
		*to = n
		return nil
	}
	r := &Run{ID: summary[propRun], Plan: summary[propPlan], Reading: summary[propReading]}
	g, err := parseLedger(summary[propFrontier])
	err = errors.Join(err, number(propInput, &r.Input), number(propFrom, &r.Interval.From), number(propTo, &r.Interval.To))
	if err != nil {
		return nil, err
	}
	r.Frontier = g.frontier()
	return r, nil
}
