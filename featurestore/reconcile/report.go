package reconcile

import (
	"encoding/json"
	"io"
	"time"
)

// ReportVersion is the form of the JSON that WriteJSON writes. A member may be added to it; its meaning never changes.
const ReportVersion = 1

// Report is the outcome of a comparison.
type Report struct {
	Version    int                 `json:"version"`
	Pipeline   string              `json:"pipeline"`
	PlanHash   string              `json:"plan_hash"`
	Snapshot   string              `json:"snapshot"`
	At         time.Time           `json:"at"`
	Frontier   []PartitionFrontier `json:"frontier"`
	Verdict    Verdict             `json:"verdict"`
	Identity   Identity            `json:"identity"`   // stream against as-served
	Lateness   Lateness            `json:"lateness"`   // as-served against truth
	Causes     []CauseCount        `json:"causes"`     // in the order of Cause; those that did not occur are left out
	Features   []FeatureCost       `json:"features"`   // in the plan's order
	WorstKeys  []KeyCost           `json:"worst_keys"` // the most differences first
	Examples   []Example           `json:"examples"`
	Accounting []PartitionAccount  `json:"accounting"`
	Unproved   Unproved            `json:"unproved"`

	plan    planFacts
	surplus int64 // as-served rows beyond the answers that their accounting calls for
}

// PartitionFrontier is where a partition was compared (S8).
type PartitionFrontier struct {
	Partition int32   `json:"partition"`
	Next      int64   `json:"next"`
	Watermark *string `json:"watermark"` // null: none yet
}

// Outcome is the verdict in a word.
type Outcome string

// The outcomes, each with an exit code of its own.
const (
	Agrees       Outcome = "agrees"       // 0: stream is as-served to the bit, and every difference to truth is explained
	Breaks       Outcome = "breaks"       // 1: it is not, or a difference is unexplained
	Trouble      Outcome = "trouble"      // 2: the comparison could not be carried out
	Inconclusive Outcome = "inconclusive" // 3: too little was compared or proved to say
)

// ExitCode is what a process that reports the outcome exits with.
func (o Outcome) ExitCode() int {
	switch o {
	case Agrees:
		return 0
	case Breaks:
		return 1
	case Inconclusive:
		return 3
	}
	return 2
}

// Verdict is what the comparison says as a whole.
type Verdict struct {
	Outcome  Outcome  `json:"outcome"`
	ExitCode int      `json:"exit_code"`
	Sentence string   `json:"sentence"`
	Reasons  []string `json:"reasons,omitempty"` // why it is not "agrees"
}

// Identity is the comparison of the stream's rows with the as-served ones, every revision of them.
type Identity struct {
	StreamRows int64    `json:"stream_rows"`
	ServedRows int64    `json:"served_rows"`
	Compared   int64    `json:"compared"` // rows that stand on both sides
	Agreed     int64    `json:"agreed"`   // of these, equal to the bit
	Expected   int64    `json:"expected"` // rows that the accounting calls for; 0: not known
	Coverage   float64  `json:"coverage"` // compared / what should have been, 0 to 1
	Differing  int64    `json:"differing"`
	Missing    int64    `json:"missing"`  // as-served has the row, the stream has not
	Extra      int64    `json:"extra"`    // the other way round
	Repeated   int64    `json:"repeated"` // the stream has the row more than once
	Samples    []Broken `json:"samples,omitempty"`
}

// Broken is one row in which the stream is not as-served.
type Broken struct {
	Kind      string          `json:"kind"` // differing, missing, extra or repeated
	Key       string          `json:"key"`
	AskTime   string          `json:"ask_time"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Revision  int32           `json:"revision"`
	Features  []FeatureValues `json:"features,omitempty"` // those that differ
}

// Lateness is the comparison of the as-served answers, the last revision of each, with truth.
type Lateness struct {
	Answers    int64   `json:"answers"` // asks that either side answers
	Agreed     int64   `json:"agreed"`  // answered by both, equal to the bit
	Differing  int64   `json:"differing"`
	OnlyServed int64   `json:"only_served"` // truth has no row
	OnlyTruth  int64   `json:"only_truth"`  // the stream gave none
	Share      float64 `json:"share"`       // of the answers that are not truth's, 0 to 1
	Keys       int64   `json:"keys"`        // with such an answer
	Examined   int64   `json:"examined"`    // differences executed again
}

// Differences is how many answers are not truth's.
func (l *Lateness) Differences() int64 { return l.Differing + l.OnlyServed + l.OnlyTruth }

// CauseCount is how often a cause is behind a difference.
type CauseCount struct {
	Cause       Cause `json:"cause"`
	Differences int64 `json:"differences"`
	Alone       int64 `json:"alone"`   // it is the only cause
	Either      int64 `json:"either"`  // one of several, each of which would be enough
	Jointly     int64 `json:"jointly"` // only together with others
}

// FeatureCost is what a feature's values have cost.
type FeatureCost struct {
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Window    string  `json:"window"`
	Differing int64   `json:"differing"` // answers on both sides whose values differ
	Nulls     int64   `json:"nulls"`     // of these, null on one side
	Measured  int64   `json:"measured"`  // of these, finite numbers on both sides: what mean and max are of
	Mean      float64 `json:"mean_absolute"`
	Max       float64 `json:"max_absolute"`
}

// KeyCost is how many of a key's answers are not truth's.
type KeyCost struct {
	Key         string  `json:"key"`
	Answers     int64   `json:"answers"`
	Differences int64   `json:"differences"`
	Examined    bool    `json:"examined"`
	Causes      []Cause `json:"causes"`
}

// PartitionAccount is what became of a partition's records (S9). The counts and the gaps add up to Next − First.
type PartitionAccount struct {
	Partition  int32    `json:"partition"`
	First      int64    `json:"first"`
	Next       int64    `json:"next"`
	Gap        int64    `json:"gap"`
	Dead       int64    `json:"dead"`
	Duplicate  int64    `json:"duplicate"`
	TooLate    int64    `json:"too_late"`
	Filtered   int64    `json:"filtered"`
	Late       int64    `json:"late"`
	OnTime     int64    `json:"on_time"`
	Complaints []string `json:"complaints,omitempty"` // where the sides' accounts contradict it or each other
}

// Unproved is what budgets have left out.
type Unproved struct {
	Keys        int64 `json:"keys"`        // not executed again
	Differences int64 `json:"differences"` // of these keys
	Unseparated int64 `json:"unseparated"` // explained, but by causes whose shares were not told apart
}

// WriteJSON writes the report, indented.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// planFacts is what the page says of the pipeline.
type planFacts struct {
	grain, source, disorder, lateness string
}
