package conformance

import (
	"math/rand/v2"
	"slices"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// Engine answers one reading.
type Engine struct {
	Name    string
	Reading pipelinetest.Reading
	Answer  func(*Question) (*Answers, error)

	Costly        bool // each log costs it much (a broker, a table): it is asked few short ones, and then long ones
	JSON          bool // its records are JSON: no float is NaN or infinite
	Dense         bool // offsets begin at 0 and have no gaps
	Restarts      bool // it can be stopped and restored between the parts of a log
	Unordered     bool // the rows of a partition may come in any order; truth's, and those of asks, always may
	LastRevisions bool // of a tick it gives the last revision only, and not which record brought it about
}

// Question is a pipeline over a log, for an engine to answer.
type Question struct {
	Pipeline *pipeline.Pipeline
	Plan     *pipeline.Plan
	Log      pipelinetest.Log
	Asks     []pipelinetest.Ask // of serving and training, in any order of After
	cuts     []int              // where the log is cut into parts
	restarts []int              // the cuts at which the engine restarts
}

// Part is a part of a log that the engine reads at once.
type Part struct {
	Log     pipelinetest.Log
	End     int  // how many of the log's records have been read after this part; it may be an ask's After
	Restart bool // the engine is to be stopped, and restored from its state, before this part
}

// Parts are the parts of the log, in order. They end at least wherever an ask's After says.
func (q *Question) Parts() []Part {
	ends := append(slices.Clone(q.cuts), 0, len(q.Log))
	for _, a := range q.Asks {
		ends = append(ends, a.After)
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	parts := []Part{{}} // an ask may come before the first record
	for i, end := range ends[1:] {
		parts = append(parts, Part{Log: q.Log[ends[i]:end], End: end, Restart: slices.Contains(q.restarts, ends[i])})
	}
	return parts
}

// Answers are what an engine makes of a question.
type Answers struct {
	// Rows are the rows, those withheld (Dead) among them: their values are not looked at. For asks there is one row an ask,
	// in the order of the asks. Rows of ticks in truth, and of asks, have the partition and offset -1.
	Rows []pipelinetest.Row
	// Accounts are S9's of each partition, if the engine keeps them.
	Accounts map[int32]pipelinetest.Account
}

// trial is a plan over a log, before an engine is asked.
type trial struct {
	plan  fixture.Plan
	log   pipelinetest.Log // of fixture.Event
	asks  []pipelinetest.Ask
	seed  uint64 // of the cuts, and of the asks where there are none
	parts partition
}

// partition says how a log is cut.
type partition uint8

const (
	atRandom partition = iota
	whole
	single        // every record alone
	singleRestart // every record alone, and a restart before each
)

// question prepares the trial for the engine, and the oracle beside it.
func (t *trial) question(e *Engine) (*Question, *pipelinetest.Oracle, error) {
	p, err := t.plan.Pipeline()
	if err != nil {
		return nil, nil, err
	}
	plan, err := p.Plan()
	if err != nil {
		return nil, nil, err
	}
	log := t.plan.Bind(t.log)
	if e.Dense {
		log = log.Dense()
	}
	q := &Question{Pipeline: p, Plan: plan, Log: log, Asks: t.asks}
	oracle := pipelinetest.NewOracle(plan, log)
	r := rand.New(rand.NewPCG(t.seed, 1))
	if e.Reading.Asked() && q.Asks == nil && len(log) > 0 {
		q.Asks = hostile.Asks(r, plan, oracle, e.Reading, 1+len(log)/2)
	}
	for i := 1; i < len(log); i++ {
		if t.parts >= single || t.parts == atRandom && r.IntN(max(10, len(log)/20)) == 0 {
			q.cuts = append(q.cuts, i)
			if e.Restarts && (t.parts == singleRestart || t.parts == atRandom && r.IntN(4) == 0) {
				q.restarts = append(q.restarts, i)
			}
		}
	}
	return q, oracle, nil
}
