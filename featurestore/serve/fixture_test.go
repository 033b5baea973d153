package serve_test

import (
	"context"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/serve"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

type payment struct {
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Amount   float64   `spill:"amount"`
	Cents    int32     `spill:"cents"`
	At       time.Time `spill:"at,time"`
}

type activity struct {
	Card  string   `spill:"card,key"`
	Count int64    `spill:"count_5m"`
	Spend *float64 `spill:"spend_1h"`
	Mean  *float64 `spill:"mean_90d"`
	Last  *string  `spill:"last_merchant"`
	Cents *int32   `spill:"cents_1h"`
	Total int64    `spill:"count_90d"`
}

var cardActivity = pipeline.Define("card_activity", func(d *pipeline.Draft) {
	var p payment
	var a activity
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	amount, quarter, quarterly := expr.Col(&p.Amount), window.Last(90*window.Day), window.Last(90*window.Day).Tile(window.Day)
	pipeline.Aggregate(payments, &a, pipeline.EveryEvent(),
		pipeline.Feature(&a.Count, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&a.Spend, agg.Sum(amount), window.Last(time.Hour)),
		pipeline.Feature(&a.Mean, agg.Mean(amount), quarterly).Historical(),
		pipeline.Feature(&a.Last, agg.Last(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&a.Cents, agg.Sum(expr.Col(&p.Cents)), window.Last(time.Hour)),
		pipeline.Feature(&a.Total, agg.Count(), quarter).Historical(),
	)
})

type visit struct {
	Merchant string    `spill:"merchant,key"`
	At       time.Time `spill:"at,time"`
}

type visits struct {
	Merchant string `spill:"merchant,key"`
	Count    int64  `spill:"count_5m"`
}

var merchantVisits = pipeline.Define("merchant_visits", func(d *pipeline.Draft) {
	var v visit
	var r visits
	pipeline.Aggregate(pipeline.From(d, "visits", &v), &r, pipeline.EveryEvent(),
		pipeline.Feature(&r.Count, agg.Count(), window.Last(5*time.Minute)))
})

// noon is when the fixture's events happen.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

type fixedClock struct{ now time.Time }

func (c *fixedClock) Now() time.Time { return c.now }

func planOf(tb testing.TB, p *pipeline.Pipeline) *pipeline.Plan {
	tb.Helper()
	plan, err := p.Plan()
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

func payments() pipelinetest.Log {
	log := pipelinetest.Log{}
	add := func(card, merchant string, amount float64, cents int64, after time.Duration) {
		at := noon.Add(after).UnixMicro()
		log = append(log, pipelinetest.Record{
			Partition: 2, Offset: int64(len(log)), Stamp: at,
			Values: []expr.Datum{{S: card}, {S: merchant}, {F: amount}, {I: cents}, {I: at}},
		})
	}
	add("c1", "bakery", 2.5, 250, 0)
	add("c2", `the "pub"`, 1e300, math.MaxInt32, 0)
	add("c1", "garage", 80.25, 8025, time.Minute)
	add("a/b %", "", 1, 100, time.Minute)
	add("c2", "pub", math.Inf(1), 1, time.Minute) // the sum of cents does not fit
	return log
}

// apply feeds the log of one partition to the store, as a follower of the stream does.
func apply(tb testing.TB, store online.Store, plan *pipeline.Plan, log pipelinetest.Log) {
	tb.Helper()
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		tb.Fatal(err)
	}
	writer, err := online.NewWriter(context.Background(), store, prog)
	if err != nil {
		tb.Fatal(err)
	}
	task := kernel.NewTask(prog, log[0].Partition)
	rec := log.Batch(memory.DefaultAllocator, plan.Source.Schema)
	defer rec.Release()
	if err := task.Push(rec, log[len(log)-1].Offset+1, prog.NewRows()); err != nil {
		tb.Fatal(err)
	}
	if err := writer.Apply(context.Background(), log[0].Partition, task, rec); err != nil {
		tb.Fatal(err)
	}
}

// publish gives card c1 historical values.
func publish(tb testing.TB, store online.Store, plan *pipeline.Plan) {
	tb.Helper()
	prog, err := kernel.Compile(plan, online.Historical)
	if err != nil {
		tb.Fatal(err)
	}
	rows := prog.NewRows()
	rows.Keys.Append([]byte("c1"))
	mean, total := &rows.Columns[0], &rows.Columns[1]
	mean.Valid, mean.F = append(mean.Valid, true), append(mean.F, 12.5)
	total.Valid, total.I = append(total.Valid, true), append(total.I, 7)
	run := online.Run{
		ID: "20260131T000000", AsOf: noon.Add(-12 * time.Hour).UnixMicro(),
		Published: noon.Add(-11 * time.Hour).UnixMicro(), Snapshot: 9007199254740993,
	}
	var once iter.Seq2[*kernel.Rows, error] = func(yield func(*kernel.Rows, error) bool) { yield(rows, nil) }
	if _, err := online.Publish(context.Background(), store, plan, run, once); err != nil {
		tb.Fatal(err)
	}
}

// newServer serves both pipelines: payments have arrived and a run is published, visits have not begun.
func newServer(tb testing.TB, c serve.Config) *serve.Server {
	tb.Helper()
	s, _ := newServerOver(tb, c)
	return s
}

// newServerOver gives the store too.
func newServerOver(tb testing.TB, c serve.Config) (*serve.Server, online.Store) {
	tb.Helper()
	store, err := online.OpenPebble(tb.TempDir(), online.PebbleOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	plan := planOf(tb, cardActivity)
	apply(tb, store, plan, payments())
	publish(tb, store, plan)
	for _, p := range []*pipeline.Pipeline{cardActivity, merchantVisits} {
		view, err := online.NewView(store, planOf(tb, p), online.ViewOptions{MaxAge: 24 * time.Hour})
		if err != nil {
			tb.Fatal(err)
		}
		c.Views = append(c.Views, view)
	}
	if c.Clock == nil {
		c.Clock = &fixedClock{noon.Add(2 * time.Minute)}
	}
	s, err := serve.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s, store
}
