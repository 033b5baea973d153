package payments

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// CardActivity is what is known of one card at one moment.
type CardActivity struct {
	Card        string  `spill:"card,key"`
	Count5m     int64   `spill:"count_5m"`
	Spend1h     float64 `spill:"spend_1h"`
	Mean90d     float64 `spill:"mean_90d"`
	Merchants1h int64   `spill:"merchants_1h"`
	Abroad1h    int64   `spill:"abroad_1h"`
}

// Activity is the definition of the kernel's benchmark.
var Activity = pipeline.Define("card_activity", func(d *pipeline.Draft) {
	var p Payment
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	amount := expr.Col(&p.Amount)
	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))
	var c CardActivity
	pipeline.Aggregate(payments.Where(amount.Gt(0)), &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Count5m, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&c.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&c.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&c.Abroad1h, agg.Count().Where(abroad), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean90d, agg.Mean(amount).Or(0), window.Last(90*window.Day).Tile(window.Day)).Historical(),
	)
})

// Rolling is the result of workload Y1.
type Rolling struct {
	Card  string  `spill:"card,key"`
	Count int64   `spill:"count_5m"`
	Sum   float64 `spill:"sum_5m"`
}

// Y1 is count and sum over five minutes at every payment.
var Y1 = pipeline.Define("y1_rolling", func(d *pipeline.Draft) {
	var p Payment
	var r Rolling
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	pipeline.Aggregate(payments, &r, pipeline.EveryEvent(),
		pipeline.Feature(&r.Count, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&r.Sum, agg.Sum(expr.Col(&p.Amount)).Or(0), window.Last(5*time.Minute)),
	)
})

// Y2 is count and sum over one-minute tumbling windows.
var Y2 = pipeline.Define("y2_tumble", func(d *pipeline.Draft) {
	var p Payment
	var r Rolling
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	pipeline.Aggregate(payments, &r, pipeline.Every(time.Minute),
		pipeline.Feature(&r.Count, agg.Count(), window.Last(time.Minute)),
		pipeline.Feature(&r.Sum, agg.Sum(expr.Col(&p.Amount)).Or(0), window.Last(time.Minute)),
	)
})

// Batch is the result of workload Y3.
type Batch struct {
	Card      string  `spill:"card,key"`
	Count     int64   `spill:"count_5m"`
	Sum       float64 `spill:"sum_1h"`
	Merchants int64   `spill:"merchants_1h"`
	Mean      float64 `spill:"mean_24h"`
}

// Y3 is four rolling features at every payment, in batch.
var Y3 = pipeline.Define("y3_batch", func(d *pipeline.Draft) {
	var p Payment
	var r Batch
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	amount := expr.Col(&p.Amount)
	pipeline.Aggregate(payments, &r, pipeline.EveryEvent(),
		pipeline.Feature(&r.Count, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&r.Sum, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&r.Merchants, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&r.Mean, agg.Mean(amount).Or(0), window.Last(24*time.Hour)),
	)
})
