package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Input is what is compared.
type Input struct {
	Plan     *pipeline.Plan
	Snapshot string    // names the state of the lake that served, truth and the log were read from
	At       time.Time // when this comparison was made; it is only printed
	Stream   Side
	Served   Side
	Truth    Side
	Log      Log
}

// The names of the sides in messages.
var sideNames = [...]string{"stream", "as-served", "truth"}

func (in *Input) side(name string) *Side {
	switch name {
	case "stream":
		return &in.Stream
	case "truth":
		return &in.Truth
	}
	return &in.Served
}

// Side is one set of rows up to a frontier.
type Side struct {
	PlanHash string
	Frontier Frontier
	// Accounts are S9's of each partition; nil where the side keeps none. Those of Stream and Served are held against the log.
	Accounts map[int32]kernel.Account
	// Withheld is how many answers fit no field and so have no row. It is looked at in Served only.
	Withheld int64
	// Rows opens the rows, as often as it is called: Served's are read three times, Truth's twice.
	//
	// The schema is that of Plan.Arrow, with all features or the live ones; columns are found by their names, and only live
	// features are compared. Truth's ticks have a null partition and offset. The order is rising by key (as bytes),
	// ask_time, partition, offset and revision, which is checked: in SQL, ORDER BY those columns under binary collation.
	Rows func(context.Context) (array.RecordReader, error)
}

// Log reads the source's records, in the layout of schema.Log, up to the frontier of the sides. It is only read when truth
// and served differ.
type Log interface {
	// Partition gives all records of a partition, by rising offset.
	Partition(ctx context.Context, partition int32) (array.RecordReader, error)
	// Keys gives all records of the keys, by rising key (as bytes), partition and offset. The keys are sorted.
	Keys(ctx context.Context, keys [][]byte) (array.RecordReader, error)
}

// Frontier is how far each partition was read (S8).
type Frontier map[int32]Mark

// Mark is the frontier in one partition.
type Mark struct {
	Next      int64 // the offset of the next record
	Watermark int64 // W there, µs
	Known     bool  // false: there is no W yet, and Watermark says nothing
}

// settled tells whether W has reached the tick.
func (m Mark) settled(tick int64) bool { return m.Known && tick <= m.Watermark }

// differs says where the frontiers are unequal, or nothing.
func (f Frontier) differs(o Frontier) string {
	var said []string
	all := maps.Clone(f)
	maps.Copy(all, o)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		a, inA := f[p]
		b, inB := o[p]
		if !a.Known {
			a.Watermark = 0
		}
		if !b.Known {
			b.Watermark = 0
		}
		if inA != inB || a != b {
			said = append(said, fmt.Sprintf("partition %d at %s and at %s", p, a.text(inA), b.text(inB)))
		}
	}
	return strings.Join(said, "; ")
}

func (m Mark) text(ok bool) string {
	switch {
	case !ok:
		return "nothing"
	case !m.Known:
		return fmt.Sprintf("next offset %d", m.Next)
	}
	return fmt.Sprintf("next offset %d, watermark %s", m.Next, clock(m.Watermark))
}

// clock writes a time in microseconds as people and JSON read it.
func clock(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

// Options bound the work and the report. The zero Options set no bound on what is proved.
type Options struct {
	// MaxKeys is how many keys are executed again, those with the most differences first; 0 is all. The differences of the
	// others are counted as not examined, and the verdict is then inconclusive at best.
	MaxKeys int
	// MinCoverage is the least share of the answers that the served accounting calls for which must have been compared; 0 is
	// DefaultCoverage: all of them. It is known for pipelines that ask at every event.
	MinCoverage float64
	// ShareRows bounds the records executed to tell apart the shares of causes that act together, over the whole run; half
	// as many may be executed to find the fewest events that explain the examples. 0 is DefaultShareRows. Each execution
	// counts as a hundred records more. Beyond the bound causes are reported as acting jointly, and Unproved counts them.
	ShareRows int64
	// Examples is how many differences of each combination of causes the report shows; 0 is DefaultExamples.
	Examples int
}

// The defaults of Options.
const (
	DefaultCoverage  = 1
	DefaultShareRows = 50_000_000
	DefaultExamples  = 3
)

func (o Options) withDefaults() Options {
	if o.MinCoverage == 0 {
		o.MinCoverage = DefaultCoverage
	}
	if o.ShareRows == 0 {
		o.ShareRows = DefaultShareRows
	}
	if o.Examples == 0 {
		o.Examples = DefaultExamples
	}
	return o
}
