package conformance

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

// oracleEngine is the oracle as an engine: what the suite must accept.
func oracleEngine(r pipelinetest.Reading) Engine {
	return Engine{Name: "oracle", Reading: r, Restarts: true, Answer: func(q *Question) (*Answers, error) {
		var read pipelinetest.Log
		for _, p := range q.Parts() {
			read = append(read, p.Log...)
			if len(read) != p.End {
				return nil, fmt.Errorf("a part ends after %d records, and %d have been given", p.End, len(read))
			}
		}
		o := pipelinetest.NewOracle(q.Plan, read)
		return &Answers{Rows: o.Answer(r, q.Asks), Accounts: pipelinetest.Accounts(o.Events)}, nil
	}}
}

func TestOracle(t *testing.T) {
	for _, r := range pipelinetest.Readings {
		t.Run(r.String(), func(t *testing.T) { Run(t, oracleEngine(r)) })
	}
}

// TestKindsOfEngines runs the oracle in the guise of engines that can do less.
func TestKindsOfEngines(t *testing.T) {
	served := oracleEngine(pipelinetest.AsServed)
	served.JSON, served.Dense, served.Restarts = true, true, false
	inner := served.Answer
	served.Answer = func(q *Question) (*Answers, error) {
		if _, err := q.Log.Messages(&q.Plan.Source); err != nil {
			return nil, err
		}
		return inner(q)
	}
	Run(t, served)

	last := oracleEngine(pipelinetest.AsServed)
	last.LastRevisions = true
	inner = last.Answer
	last.Answer = func(q *Question) (*Answers, error) {
		a, err := inner(q)
		if err == nil && q.Plan.Tick > 0 {
			a.Rows = lastRevisions(a.Rows)
			slices.Reverse(a.Rows)
			for i := range a.Rows {
				a.Rows[i].Revision, a.Rows[i].Offset = 0, -1
			}
		}
		return a, err
	}
	Run(t, last)
}

// mistake is one that an engine may make; the suite must find it.
type mistake struct {
	name     string
	reading  pipelinetest.Reading
	accounts bool                                        // it gives accounts
	plan     func(*pipeline.Plan)                        // the plan is read wrongly
	log      func(*Question) pipelinetest.Log            // the log is
	asks     func(*Question)                             // the asks are
	row      func(*pipeline.FeaturePlan, *expr.Datum)    // each value is spoilt
	rows     func([]pipelinetest.Row) []pipelinetest.Row // or the rows
}

var mistakes = []mistake{
	{name: "D is a microsecond more", plan: func(p *pipeline.Plan) { p.Source.OutOfOrder++ }},
	{name: "D is a microsecond more in truth", reading: pipelinetest.Truth, plan: func(p *pipeline.Plan) { p.Source.OutOfOrder++ }},
	{name: "L is a microsecond less", plan: func(p *pipeline.Plan) { p.Source.Lateness-- }},
	{name: "ahead is a microsecond more", plan: func(p *pipeline.Plan) { p.Source.Ahead++ }},
	{name: "null keys are dead", accounts: true, plan: func(p *pipeline.Plan) { p.Source.SkipNullKey = false }},
	{name: "nothing is a duplicate", plan: func(p *pipeline.Plan) { p.Source.ID = -1 }},
	{name: "nothing is a duplicate in truth", reading: pipelinetest.Truth, plan: func(p *pipeline.Plan) { p.Source.ID = -1 }},
	{name: "nothing is filtered", plan: func(p *pipeline.Plan) { p.Where = nil }},
	{name: "historical windows bring about no rows", plan: func(p *pipeline.Plan) {
		p.Features = slices.DeleteFunc(p.Features, func(f pipeline.FeaturePlan) bool { return f.Historical })
	}},
	{name: "tiles are forgotten", reading: pipelinetest.Training, plan: eachFeature(func(f *pipeline.FeaturePlan) { f.Window.Tail = 0 })},
	{name: "windows are a microsecond longer", reading: pipelinetest.ByArrival, plan: eachFeature(func(f *pipeline.FeaturePlan) {
		f.Window.Length += time.Microsecond
	})},
	{name: "a field holds more than its type", plan: eachFeature(func(f *pipeline.FeaturePlan) { f.Min, f.Max = math.MinInt64, math.MaxInt64 })},
	{name: "a variance is the population's", plan: eachFeature(func(f *pipeline.FeaturePlan) {
		if f.Agg.Op == agg.OpVar {
			f.Agg.Op = agg.OpVarPop
		}
	})},
	{name: "a null becomes 0", row: func(f *pipeline.FeaturePlan, v *expr.Datum) { v.Null = false }},
	{name: "a float is one unit off in its last place", row: func(f *pipeline.FeaturePlan, v *expr.Datum) {
		if f.Agg.Op == agg.OpMean {
			v.F = math.Nextafter(v.F, 0)
		}
	}},
	{name: "zero has a sign", row: func(f *pipeline.FeaturePlan, v *expr.Datum) {
		if v.F == 0 {
			v.F = math.Copysign(0, -1)
		}
	}},
	{name: "a row is lost", rows: func(rows []pipelinetest.Row) []pipelinetest.Row { return rows[:max(0, len(rows)-1)] }},
	{name: "a row comes twice", rows: func(rows []pipelinetest.Row) []pipelinetest.Row { return append(rows, rows[:min(1, len(rows))]...) }},
	{name: "rows come backwards", rows: func(rows []pipelinetest.Row) []pipelinetest.Row { slices.Reverse(rows); return rows }},
	{name: "rows answer other asks", reading: pipelinetest.Serving, rows: func(rows []pipelinetest.Row) []pipelinetest.Row {
		slices.Reverse(rows)
		return rows
	}},
	{name: "an ask is not answered", reading: pipelinetest.Serving, rows: func(rows []pipelinetest.Row) []pipelinetest.Row {
		return rows[:max(0, len(rows)-1)]
	}},
	{name: "nobody asked", reading: pipelinetest.Training, rows: func(rows []pipelinetest.Row) []pipelinetest.Row {
		return append(rows, pipelinetest.Row{})
	}},
	{name: "revisions are not counted", rows: eachRow(func(row *pipelinetest.Row) { row.Revision = min(row.Revision, 1) })},
	{name: "ticks are ascribed to other records", rows: eachRow(func(row *pipelinetest.Row) { row.Offset++ })},
	{name: "dead answers are given", rows: eachRow(func(row *pipelinetest.Row) { row.Dead = false })},
	{name: "serving knows the future", reading: pipelinetest.Serving, asks: func(q *Question) {
		for i := range q.Asks {
			q.Asks[i].After = len(q.Log)
		}
	}},
	{name: "a restart loses the record before it", log: func(q *Question) pipelinetest.Log {
		var read pipelinetest.Log
		for _, p := range q.Parts() {
			if p.Restart {
				read = read[:len(read)-1]
			}
			read = append(read, p.Log...)
		}
		return read
	}},
}

func eachFeature(f func(*pipeline.FeaturePlan)) func(*pipeline.Plan) {
	return func(p *pipeline.Plan) {
		for i := range p.Features {
			f(&p.Features[i])
		}
	}
}

func eachRow(f func(*pipelinetest.Row)) func([]pipelinetest.Row) []pipelinetest.Row {
	return func(rows []pipelinetest.Row) []pipelinetest.Row {
		for i := range rows {
			f(&rows[i])
		}
		return rows
	}
}

// engine is the oracle with the mistake.
func (m *mistake) engine() Engine {
	return Engine{Name: m.name, Reading: m.reading, Restarts: true, Answer: func(q *Question) (*Answers, error) {
		plan, log := *q.Plan, q.Log
		plan.Features = slices.Clone(plan.Features)
		if m.plan != nil {
			m.plan(&plan)
		}
		if m.log != nil {
			log = m.log(q)
		}
		if m.asks != nil {
			m.asks(q)
		}
		oracle := pipelinetest.NewOracle(&plan, log)
		rows := oracle.Answer(m.reading, q.Asks)
		for _, row := range rows {
			for i, f := range m.reading.Features(&plan) {
				if m.row != nil {
					m.row(&plan.Features[f], &row.Values[i])
				}
			}
		}
		if m.rows != nil {
			rows = m.rows(rows)
		}
		answers := &Answers{Rows: rows}
		if m.accounts {
			answers.Accounts = pipelinetest.Accounts(oracle.Events)
		}
		return answers, nil
	}}
}

// TestMistakes shows that the suite can fail: the random questions alone find each mistake, and print it as a small fixture.
func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			e, o := m.engine(), Options{Questions: 20_000, Seed: 1, Tries: 200}
			err := askRandom(&e, o, new(Report))
			if err == nil {
				t.Fatal("the suite accepts it")
			}
			for _, part := range []string{"events\n", "source ", "feature a "} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the report lacks %q:\n%v", part, err)
				}
			}
			t.Log(err)
		})
	}
}
