package pipeline_test

import (
	"database/sql"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Micros is an amount of money in millionths of the account's currency: whole numbers add up exactly.
type Micros int64

// Charge is what an advertiser pays for one click.
type Charge struct {
	ID       string    `spill:"id,id"`
	Campaign string    `spill:"campaign,key"`
	At       time.Time `spill:"at,time"`
	Price    Micros    `spill:"price_micros"`
	Credit   Micros    `spill:"credit_micros"` // null as a rule
	Valid    bool      `spill:"valid"`         // false for a click that is refunded
}

// Pacing is how fast a campaign spends its money.
type Pacing struct {
	Campaign string           `spill:"campaign,key"`
	Spent1h  Micros           `spill:"spent_1h"`
	Spent1d  sql.Null[Micros] `spill:"spent_1d"` // null: no click at all, which is not the same as clicks that cost nothing
	Cheapest *Micros          `spill:"cheapest_1h"`
	Dearest  *Micros          `spill:"dearest_1h"`
	Refused  *float64         `spill:"refused_1h"` // the share of clicks that are refunded
	Spread   *float64         `spill:"spread_1d"`
}

// Ads answers at every click, since a budget can be gone with the next.
var Ads = pipeline.Define("campaign_pacing", func(d *pipeline.Draft) {
	var c Charge
	charges := pipeline.From(d, "charges", &c, pipeline.OutOfOrder(5*time.Second), pipeline.Lateness(time.Hour))

	cost := expr.Sub(expr.Col(&c.Price), expr.Col(&c.Credit).IfNull(0))
	valid := expr.Col(&c.Valid)
	hour, day := window.Last(time.Hour), window.Last(window.Day)

	var p Pacing
	pipeline.Aggregate(charges, &p, pipeline.EveryEvent(),
		pipeline.Feature(&p.Spent1h, agg.Sum(cost).Where(valid).Or(0), hour),
		pipeline.Feature(&p.Spent1d, agg.Sum(cost).Where(valid).Null(), day),
		pipeline.Feature(&p.Cheapest, agg.Min(cost).Where(valid), hour),
		pipeline.Feature(&p.Dearest, agg.Max(cost).Where(valid), hour),
		pipeline.Feature(&p.Refused, agg.Share(expr.Not(valid)), hour),
		pipeline.Feature(&p.Spread, agg.StdDev(cost).Where(valid), day),
	)
})

func Example_ads() {
	explain(Ads)
	// Output:
	// pipeline campaign_pacing   plan 48892a34bde5
	//
	// reads     charges (Charge), keyed by campaign, at time at, named by id
	// watermark newest event − 5s
	// late      admitted up to 1h behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// asks      at every event, once: its answer is final
	//
	// Pacing, one row for each campaign and ask:
	//   feature      type           placement  meaning
	//   spent_1h     int            live       sum of (price_micros - if_null(credit_micros, 0)) where valid, last 1h; of nothing 0
	//   spent_1d     int or null    live       sum of (price_micros - if_null(credit_micros, 0)) where valid, last 1d
	//   cheapest_1h  int or null    live       min of (price_micros - if_null(credit_micros, 0)) where valid, last 1h
	//   dearest_1h   int or null    live       max of (price_micros - if_null(credit_micros, 0)) where valid, last 1h
	//   refused_1h   float or null  live       share of not(valid), last 1h
	//   spread_1d    float or null  live       stddev of (price_micros - if_null(credit_micros, 0)) where valid, last 1d
}
