package pipelinetest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// trial is a random plan over a random log.
type trial struct {
	text   fixture.Plan
	plan   *pipeline.Plan
	log    pipelinetest.Log
	oracle *pipelinetest.Oracle
}

// forTrials runs the test for many trials; those with ticks only, if so asked.
func forTrials(t *testing.T, n int, ticks bool, test func(*testing.T, *trial)) {
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(7, seed))
		text := hostile.Plan(r)
		if ticks && text.Every == 0 {
			continue
		}
		log := text.Bind(hostile.Log(r, &text, hostile.Options{}))
		p, err := text.Pipeline()
		if err != nil {
			t.Fatal(err)
		}
		plan, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		test(t, &trial{text, plan, log, pipelinetest.NewOracle(plan, log)})
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text.String())
		}
	}
}

type tick struct {
	key string
	at  int64
}

// liveValues are the values of the live features, as text, of a row that has those of the features given.
func liveValues(plan *pipeline.Plan, row pipelinetest.Row, features []int) string {
	s := ""
	for i, f := range features {
		if plan.Features[f].Live() {
			v := row.Values[i]
			s += fmt.Sprintf("%s=%s%s ", plan.Features[f].Name, fixture.FormatValue(plan.Features[f].Kind, v), misfit(v))
		}
	}
	return s
}

func misfit(v expr.Datum) string {
	if v.Null {
		return v.S
	}
	return ""
}

// TestIdentityB is S10 (b): the last revision of a tick is truth, wherever its windows (for a closing row also those of the
// tick before) hold no event that was too late and no second copy of an id with another time.
func TestIdentityB(t *testing.T) {
	equal, excused := 0, 0
	forTrials(t, 600, true, func(t *testing.T, tr *trial) {
		served, truth := map[tick]string{}, map[tick]string{}
		for _, row := range tr.oracle.Answer(pipelinetest.AsServed, nil) {
			served[tick{row.Key, row.AskTime}] = liveValues(tr.plan, row, pipelinetest.AsServed.Features(tr.plan))
		}
		for _, row := range tr.oracle.Answer(pipelinetest.Truth, nil) {
			truth[tick{row.Key, row.AskTime}] = liveValues(tr.plan, row, pipelinetest.Truth.Features(tr.plan))
		}
		excuses := tr.excuses()
		asks := map[tick]bool{}
		for a := range served {
			asks[a] = true
		}
		for a := range truth {
			asks[a] = true
		}
		for a := range asks {
			s, stood := served[a]
			u, stands := truth[a]
			switch {
			case stood == stands && s == u:
				equal++
			case tr.excused(excuses, a):
				excused++
			default:
				t.Errorf("key %q at tick %d: served %q (%v), truth %q (%v)", a.key, a.at, s, stood, u, stands)
			}
		}
	})
	t.Logf("%d ticks equal, %d excused", equal, excused)
	if equal < 10_000 || excused < 100 {
		t.Error("the logs are not hostile enough to show anything")
	}
}

// excuses are the events that were too late, and the second copies of an id with another time.
func (tr *trial) excuses() []*pipelinetest.Event {
	var excuses []*pipelinetest.Event
	first := map[[2]string]int64{}
	for _, e := range tr.oracle.Events {
		if e.Class == pipelinetest.Dead || e.Values[tr.plan.Source.Key].Null {
			continue
		}
		name := [2]string{e.Key, e.ID}
		at, seen := first[name]
		if !seen {
			first[name] = e.Time
		}
		if e.Class == pipelinetest.TooLate || tr.plan.Source.ID >= 0 && seen && at != e.Time {
			excuses = append(excuses, e)
		}
	}
	return excuses
}

// excused tells whether a window of the tick holds one of the excuses: for a closing row, one of the tick before counts too.
func (tr *trial) excused(excuses []*pipelinetest.Event, a tick) bool {
	start := a.at - tr.plan.LongestWindow(a.at)
	row := pipelinetest.Row{Key: a.key, AskTime: a.at}
	closing := !slices.ContainsFunc(tr.oracle.Before(pipelinetest.Truth, &row), func(e *pipelinetest.Event) bool {
		return e.Time >= start
	})
	if closing {
		before := a.at - tr.plan.Tick
		start = before - tr.plan.LongestWindow(before)
	}
	return slices.ContainsFunc(excuses, func(e *pipelinetest.Event) bool {
		return e.Key == a.key && start <= e.Time && e.Time < a.at
	})
}

// TestServedIsPrefixed is half of S10 (a) and (c): what was answered by a record does not depend on those after it.
func TestServedIsPrefixed(t *testing.T) {
	forTrials(t, 100, false, func(t *testing.T, tr *trial) {
		n := len(tr.log) / 2
		all := tr.oracle.Answer(pipelinetest.AsServed, nil)
		half := pipelinetest.NewOracle(tr.plan, tr.log[:n]).Answer(pipelinetest.AsServed, nil)
		for i, row := range half {
			want := fixture.FormatRow(tr.plan, pipelinetest.AsServed, &all[i])
			if got := fixture.FormatRow(tr.plan, pipelinetest.AsServed, &row); got != want {
				t.Errorf("%s of %d records, %s of all", got, n, want)
			}
		}
	})
}

// TestServedIsAFunction is S10: a tick as served is a function of key, position and frontier, so that serving, asked at the
// same place from what was known after the same record, answers the same.
func TestServedIsAFunction(t *testing.T) {
	asked := 0
	forTrials(t, 100, true, func(t *testing.T, tr *trial) {
		rows := tr.oracle.Answer(pipelinetest.AsServed, nil)
		var asks []pipelinetest.Ask
		for _, row := range rows {
			by := slices.IndexFunc(tr.log, func(r pipelinetest.Record) bool {
				return r.Partition == row.Partition && r.Offset == row.Offset
			})
			asks = append(asks, pipelinetest.Ask{Key: row.Key, Time: row.AskTime, After: by + 1})
		}
		features := pipelinetest.Serving.Features(tr.plan)
		for i, row := range tr.oracle.Answer(pipelinetest.Serving, asks) {
			asked++
			if got, want := liveValues(tr.plan, row, features), liveValues(tr.plan, rows[i], features); got != want {
				t.Errorf("key %q at %d after %d records: serving %s, served %s", row.Key, row.AskTime, row.After, got, want)
			}
		}
	})
	if asked < 1000 {
		t.Errorf("only %d asks", asked)
	}
}

// TestRevisions holds the revisions of a tick to be numbered without gaps, from 0 or 1, and each to change something.
func TestRevisions(t *testing.T) {
	revised := 0
	forTrials(t, 300, true, func(t *testing.T, tr *trial) {
		newest := map[tick]pipelinetest.Row{}
		for _, row := range tr.oracle.Answer(pipelinetest.AsServed, nil) {
			a := tick{row.Key, row.AskTime}
			old, stood := newest[a]
			newest[a] = row
			if !stood {
				if row.Revision > 1 {
					t.Errorf("%v begins with revision %d", a, row.Revision)
				}
				continue
			}
			revised++
			features := pipelinetest.AsServed.Features(tr.plan)
			if row.Revision != old.Revision+1 || liveValues(tr.plan, row, features) == liveValues(tr.plan, old, features) {
				t.Errorf("%v: %+v after %+v", a, row, old)
			}
		}
	})
	if revised < 100 {
		t.Errorf("only %d revisions", revised)
	}
}

// TestAccounts is S9: the classes and the gap of a partition add up to its span.
func TestAccounts(t *testing.T) {
	forTrials(t, 100, false, func(t *testing.T, tr *trial) {
		records := 0
		for p, a := range pipelinetest.Accounts(tr.oracle.Events) {
			sum := a.Gap
			for _, n := range a.Counts {
				sum += n
				records += int(n)
			}
			if sum != a.Next-a.First {
				t.Errorf("partition %d: %+v do not add up", p, a)
			}
		}
		if records != len(tr.log) {
			t.Errorf("%d records accounted for, of %d", records, len(tr.log))
		}
	})
}

// TestArrivalOfAll holds training by arrival to serving: of a log whose records have all arrived, they answer the same.
func TestArrivalOfAll(t *testing.T) {
	forTrials(t, 50, false, func(t *testing.T, tr *trial) {
		for i := range tr.log {
			tr.log[i].Stamp = 0
		}
		tr.plan.Source.Ahead = 1 << 60
		o := pipelinetest.NewOracle(tr.plan, tr.log)
		asks := hostile.Asks(rand.New(rand.NewPCG(1, 1)), tr.plan, o, pipelinetest.ByArrival, 50)
		asks = slices.DeleteFunc(asks, func(a pipelinetest.Ask) bool { return a.Time < 0 })
		for i := range asks {
			asks[i].After = len(tr.log)
		}
		served := o.Answer(pipelinetest.Serving, asks)
		for i, row := range o.Answer(pipelinetest.ByArrival, asks) {
			got := fixture.FormatRow(tr.plan, pipelinetest.ByArrival, &row)
			if want := fixture.FormatRow(tr.plan, pipelinetest.Serving, &served[i]); got != want {
				t.Errorf("by arrival %s, serving %s", got, want)
			}
		}
	})
}
