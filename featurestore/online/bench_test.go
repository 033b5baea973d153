package online_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/window"
)

type payment struct {
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

type cardActivity struct {
	Card        string  `spill:"card,key"`
	Count5m     int64   `spill:"count_5m"`
	Spend1h     float64 `spill:"spend_1h"`
	Merchants1h int64   `spill:"merchants_1h"`
	Large1h     int64   `spill:"large_1h"`
	Greatest5m  float64 `spill:"greatest_5m"`
	Mean90d     float64 `spill:"mean_90d"`
}

func cardPlan(tb testing.TB) *pipeline.Plan {
	tb.Helper()
	plan, err := pipeline.Define("card_activity", func(d *pipeline.Draft) {
		var p payment
		var c cardActivity
		payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
		amount := expr.Col(&p.Amount)
		pipeline.Aggregate(payments, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count5m, agg.Count(), window.Last(5*time.Minute)),
			pipeline.Feature(&c.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
			pipeline.Feature(&c.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
			pipeline.Feature(&c.Large1h, agg.Count().Where(amount.Gt(100)), window.Last(time.Hour)),
			pipeline.Feature(&c.Greatest5m, agg.Max(amount).Or(0), window.Last(5*time.Minute)),
			pipeline.Feature(&c.Mean90d, agg.Mean(amount).Or(0), window.Last(90*window.Day).Tile(window.Day)).Historical(),
		)
	}).Plan()
	if err != nil {
		tb.Fatal(err)
	}
	return plan
}

// payments makes batches of payments as the yardstick has them: 100,000 cards by zipf, 500 events a second of event time,
// most of them up to 10 s late.
type payments struct {
	random *rand.Rand
	zipf   *rand.Zipf
	plan   *pipeline.Plan
	next   int64
}

const (
	cards      = 100_000
	paymentGap = 2_000 // µs of event time
	firstEvent = 1_767_225_600_000_000
)

func newPayments(plan *pipeline.Plan) *payments {
	r := rand.New(rand.NewPCG(1, 2))
	return &payments{r, rand.NewZipf(r, 1.1, 1, cards-1), plan, 0}
}

func card(n uint64) string { return fmt.Sprintf("c%06d", n) }

func (p *payments) batch(n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, p.plan.Source.Schema.Log())
	defer b.Release()
	for range n {
		at := firstEvent + p.next*paymentGap - p.random.Int64N(10_000_000)
		b.Field(0).(*array.StringBuilder).Append(card(p.zipf.Uint64()))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("m%05d", p.random.IntN(20_000)))
		b.Field(2).(*array.Float64Builder).Append(float64(p.random.IntN(50_000)) / 100)
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
		b.Field(4).(*array.Int32Builder).Append(0)
		b.Field(5).(*array.Int64Builder).Append(p.next)
		b.Field(6).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
		b.Field(7).AppendNull()
		b.Field(8).AppendNull()
		p.next++
	}
	return b.NewRecordBatch()
}

// bench is a store on disk that follows payments.
type bench struct {
	store  *online.Pebble
	plan   *pipeline.Plan
	source *payments
	writer *online.Writer
	task   *kernel.Task
	rows   *kernel.Rows
}

func newBench(b *testing.B) *bench {
	plan := cardPlan(b)
	store, err := online.OpenPebble(b.TempDir(), online.PebbleOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		b.Fatal(err)
	}
	w, err := online.NewWriter(context.Background(), store, prog)
	if err != nil {
		b.Fatal(err)
	}
	return &bench{store, plan, newPayments(plan), w, kernel.NewTask(prog, 0), prog.NewRows()}
}

// apply takes a batch, and gives the time that it took to store what it changed.
func (x *bench) apply(b *testing.B, size int) time.Duration {
	rec := x.source.batch(size)
	defer rec.Release()
	x.rows.Reset()
	if err := x.task.Push(rec, x.source.next, x.rows); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := x.writer.Apply(context.Background(), 0, x.task, rec); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkApply stores what batches of 5,000 payments change, after a quarter of an hour of them.
func BenchmarkApply(b *testing.B) {
	const size = 5000
	x := newBench(b)
	for range 90 {
		x.apply(b, size)
	}
	var spent time.Duration
	for b.Loop() {
		spent += x.apply(b, size)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*size), "apply-ns/event")
}

// BenchmarkGet asks for single cards, after half an hour of payments.
func BenchmarkGet(b *testing.B) {
	x := newBench(b)
	for range 180 {
		x.apply(b, 5000)
	}
	view, err := online.NewView(x.store, x.plan, online.ViewOptions{})
	if err != nil {
		b.Fatal(err)
	}
	source := x.source
	now := firstEvent + source.next*paymentGap
	for _, c := range []struct {
		name string
		card func() string
	}{
		{"uniform", func() string { return card(source.random.Uint64N(cards)) }},
		{"hottest", func() string { return card(0) }},
		{"tenth", func() string { return card(10) }},
		{"hundredth", func() string { return card(100) }},
		{"zipf", func() string { return card(source.zipf.Uint64()) }},
		{"unknown", func() string { return "nobody" }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var a online.Answer
			keys := make([][]byte, 1)
			b.ReportAllocs()
			for b.Loop() {
				keys[0] = append(keys[0][:0], c.card()...)
				if err := view.Get(context.Background(), keys, nil, now, &a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
