// Package cards defines what is known of a payment card at one moment.
package cards

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Payment is one card payment as the processor reports it.
type Payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Country  string    `spill:"country"`
	Home     string    `spill:"home_country"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

// Activity is what is known of one card at one moment.
type Activity struct {
	Card        string  `spill:"card,key"`
	Count5m     int64   `spill:"count_5m"`
	Spend1h     float64 `spill:"spend_1h"`
	Merchants1h int64   `spill:"merchants_1h"`
	Abroad1h    int64   `spill:"abroad_1h"`
	Mean90d     float64 `spill:"mean_90d"`
}

// CardActivity answers at every payment. What a card did within the hour is live; what it usually spends is left to the
// night.
var CardActivity = pipeline.Define("card_activity", func(d *pipeline.Draft) {
	var p Payment // stands for any payment: its fields are columns
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))

	amount := expr.Col(&p.Amount)
	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))

	var c Activity
	pipeline.Aggregate(payments.Where(amount.Gt(0)), &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Count5m, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&c.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&c.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&c.Abroad1h, agg.Count().Where(abroad), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean90d, agg.Mean(amount).Or(0), window.Last(90*window.Day).Tile(window.Day)).Historical(),
	)
})

// Minute is what is known of one card at the end of a minute.
type Minute struct {
	Card    string   `spill:"card,key"`
	Count   int64    `spill:"count_10m"`
	Largest *float64 `spill:"largest_10m"`
	Last    *string  `spill:"last_country"`
}

// CardMinutes answers every minute, and is revised by payments that come late.
var CardMinutes = pipeline.Define("card_minutes", func(d *pipeline.Draft) {
	var p Payment
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))

	var m Minute
	tenMinutes := window.Last(10 * time.Minute)
	pipeline.Aggregate(payments, &m, pipeline.Every(time.Minute),
		pipeline.Feature(&m.Count, agg.Count(), tenMinutes),
		pipeline.Feature(&m.Largest, agg.Max(expr.Col(&p.Amount)), tenMinutes),
		pipeline.Feature(&m.Last, agg.Last(expr.Col(&p.Country)), tenMinutes),
	)
})
