package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// Law is something that must not matter: the engine is asked with it and without, and the answers are compared with each
// other, not with the oracle's.
type Law struct {
	Name  string
	Check func(Engine, *rand.Rand) error
}

// Laws are all of them. Each holds for every engine; one that does not concern an engine's reading asks it nothing.
var Laws = []Law{
	{"splitting batches anywhere", SplitAnywhere},
	{"restarting anywhere", RestartAnywhere},
	{"adding an unrelated key", AddKey},
	{"adding an unrelated partition", AddPartition},
	{"adding an unrelated feature", AddFeature},
	{"permuting arrival", Permute},
}

// SplitAnywhere reads a log whole, and record by record.
func SplitAnywhere(e Engine, r *rand.Rand) error {
	t := e.random(r, hostile.Options{})
	t.parts = whole
	changed := *t
	changed.parts = single
	return e.same(t, &changed, asItIs)
}

// RestartAnywhere restarts the engine before every record. An engine that cannot restart is asked nothing.
func RestartAnywhere(e Engine, r *rand.Rand) error {
	if !e.Restarts {
		return nil
	}
	t := e.random(r, hostile.Options{Records: 60})
	t.parts = whole
	changed := *t
	changed.parts = singleRestart
	return e.same(t, &changed, asItIs)
}

const stranger = "a stranger"

// AddKey puts events of another key among the log's, none of which lifts the watermark.
func AddKey(e Engine, r *rand.Rand) error {
	t := e.random(r, hostile.Options{})
	return e.with(t, r, func(of *pipelinetest.Event, copied pipelinetest.Record) (pipelinetest.Record, bool) {
		copied.Values[2].I = of.After.Time + t.plan.OutOfOrder.Microseconds() // the greatest time so far
		return copied, of.After.Known
	})
}

// AddPartition puts events of another partition among the log's.
func AddPartition(e Engine, r *rand.Rand) error {
	t := e.random(r, hostile.Options{})
	return e.with(t, r, func(_ *pipelinetest.Event, copied pipelinetest.Record) (pipelinetest.Record, bool) {
		copied.Partition = 9
		return copied, true
	})
}

// estrange makes a stranger of a copy of a record, or tells that none can be made of it.
type estrange func(of *pipelinetest.Event, copied pipelinetest.Record) (pipelinetest.Record, bool)

// with asks the trial's question with and without strangers: each is made of a copy of the record before it.
func (e *Engine) with(t *trial, r *rand.Rand, make estrange) error {
	q, oracle, err := t.question(e)
	if err != nil {
		return err
	}
	changed := *t
	changed.log = nil
	ends := []int{0} // by number of the log's records: that of the changed log's
	var homes []pipelinetest.Record
	place := map[int32]int64{}
	put := func(rec, home pipelinetest.Record) {
		rec.Offset = place[rec.Partition]
		place[rec.Partition]++
		changed.log = append(changed.log, rec)
		homes = append(homes, home)
	}
	for i, rec := range t.log {
		put(rec, q.Log[i])
		ends = append(ends, len(changed.log))
		if rec.Values == nil || rec.Values[2].Null || r.IntN(3) > 0 {
			continue
		}
		added := rec
		added.Values = slices.Clone(rec.Values)
		added.Values[0] = expr.Datum{S: fmt.Sprintf("+%d", i)}
		added.Values[1] = expr.Datum{S: stranger}
		if added, ok := make(oracle.Events[i], added); ok {
			added.Stamp = max(0, (added.Values[2].I+999)/1000*1000)
			put(added, pipelinetest.Record{Partition: -1, Offset: -1})
		}
	}
	t.asks = q.Asks
	changed.asks = slices.Clone(q.Asks)
	for i := range changed.asks {
		changed.asks[i].After = ends[changed.asks[i].After]
	}
	return e.same(t, &changed, func(rows []pipelinetest.Row) []pipelinetest.Row {
		rows = slices.DeleteFunc(rows, func(row pipelinetest.Row) bool { return row.Key == stranger })
		return sendHome(rows, changed.log, homes)
	})
}

// sendHome gives rows the places that their records had in another log: record i of the log is that of homes[i].
func sendHome(rows []pipelinetest.Row, log, homes []pipelinetest.Record) []pipelinetest.Row {
	type place struct {
		partition int32
		offset    int64
	}
	home := map[place]pipelinetest.Record{}
	for i := range log {
		home[place{log[i].Partition, log[i].Offset}] = homes[i]
	}
	for i := range rows {
		if h, ok := home[place{rows[i].Partition, rows[i].Offset}]; ok {
			rows[i].Partition, rows[i].Offset = h.Partition, h.Offset
		}
	}
	return rows
}

// AddFeature adds a feature whose windows hold nothing that those of the others do not: a historical one, for a live one
// may bring about revisions.
func AddFeature(e Engine, r *rand.Rand) error {
	t := e.random(r, hostile.Options{})
	n := len(t.plan.Features)
	if n > 2 {
		return nil
	}
	q, _, err := t.question(&e)
	if err != nil {
		return err
	}
	asked := len(e.Reading.Features(q.Plan))
	t.asks = q.Asks
	changed := *t
	changed.plan.Features = append(slices.Clone(t.plan.Features), "count() last 1us")
	if t.plan.Every > 0 {
		changed.plan.Features[n] += " historical"
	}
	return e.same(t, &changed, func(rows []pipelinetest.Row) []pipelinetest.Row {
		for i := range rows {
			if !rows[i].Dead {
				rows[i].Values = rows[i].Values[:min(asked, len(rows[i].Values))]
			}
		}
		return rows
	})
}

// Permute lets the records of a log arrive in another order. Truth does not change, as long as ties keep theirs.
func Permute(e Engine, r *rand.Rand) error {
	if e.Reading != pipelinetest.Truth && e.Reading != pipelinetest.Training {
		return nil
	}
	t := e.random(r, hostile.Options{NoCopies: true})
	q, oracle, err := t.question(&e)
	if err != nil {
		return err
	}
	order := make([]int, len(t.log))
	for i := range order {
		order[i] = i
	}
	for range 4 * len(order) {
		i := r.IntN(len(order))
		j := i + 1
		for j < len(order) && t.log[order[j]].Partition != t.log[order[i]].Partition {
			j++
		}
		if j == len(order) {
			continue
		}
		if a, b := oracle.Events[order[i]], oracle.Events[order[j]]; a.Key != b.Key || a.Time != b.Time {
			order[i], order[j] = order[j], order[i]
		}
	}
	changed := *t
	changed.log = nil
	var homes []pipelinetest.Record
	for i, from := range order {
		rec := t.log[from]
		rec.Offset = t.log[i].Offset // of the same partition: records were exchanged within theirs
		changed.log = append(changed.log, rec)
		homes = append(homes, q.Log[from])
	}
	if e.Dense {
		changed.log = changed.log.Dense()
	}
	t.asks, changed.asks = q.Asks, q.Asks
	return e.same(t, &changed, func(rows []pipelinetest.Row) []pipelinetest.Row { return sendHome(rows, changed.log, homes) })
}

func asItIs(rows []pipelinetest.Row) []pipelinetest.Row { return rows }

// same asks both trials and compares the rows of the changed one, led back to those of the first, with the first's.
func (e *Engine) same(t, changed *trial, back func([]pipelinetest.Row) []pipelinetest.Row) error {
	q, oracle, err := t.question(e)
	if err != nil {
		return err
	}
	changedQ, _, err := changed.question(e)
	if err != nil {
		return err
	}
	want, err := e.Answer(q)
	if err != nil {
		return &failure{t, fmt.Sprintf("%s fails: %v\n", e.Name, err)}
	}
	got, err := e.Answer(changedQ)
	if err != nil {
		return &failure{changed, fmt.Sprintf("%s fails: %v\n", e.Name, err)}
	}
	c := comparison{engine: e, plan: q.Plan}
	if c.rows(back(got.Rows), want.Rows); len(c.found) > 0 {
		return &failure{changed, "where the answers (want) before the change were others:\n" + c.table(oracle)}
	}
	return nil
}
