package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Delivery is one parcel that has arrived.
type Delivery struct {
	Parcel    string    `spill:"parcel,id"`
	Lane      string    `spill:"lane,key"` // from a hub to a district
	Delivered time.Time `spill:"delivered_at,time"`
	Promised  time.Time `spill:"promised_at"`
	Carrier   string    `spill:"carrier"`
	Kilograms float64   `spill:"weight_kg"`
}

// Delay is how late a lane is.
type Delay struct {
	Lane     string   `spill:"lane,key"`
	Parcels  int64    `spill:"parcels_1d"`
	OnTime   *float64 `spill:"on_time_1d"`
	Minutes  *float64 `spill:"delay_1d"`  // minutes; negative when early
	Trend    *float64 `spill:"trend_1d"`  // minutes more a day
	Spread   *float64 `spill:"spread_7d"` // minutes
	Heavy    *float64 `spill:"heavy_share_1d"`
	Worst30d float64  `spill:"worst_30d"`
}

func minutesBetween(promised, delivered time.Time) float64 { return delivered.Sub(promised).Minutes() }

// Deliveries answers every ten minutes. Vans hand in what they delivered when they are back in reach.
var Deliveries = pipeline.Define("lane_delays", func(d *pipeline.Draft) {
	var p Delivery
	parcels := pipeline.From(d, "deliveries", &p, pipeline.OutOfOrder(10*time.Minute), pipeline.Lateness(12*time.Hour))

	var derived struct {
		Delay float64 `spill:"delay"`
	}
	late := expr.Call2("minutes_between/v1", minutesBetween, expr.Col(&p.Promised), expr.Col(&p.Delivered))
	parcels = pipeline.Select(parcels, &derived, pipeline.Set(&derived.Delay, late))
	delay := expr.Col(&derived.Delay)
	carried := expr.Col(&p.Carrier).Ne("pickup")

	day := window.Last(window.Day)
	month := window.Last(30 * window.Day).Tile(window.Day)

	var l Delay
	pipeline.Aggregate(parcels.Where(carried), &l, pipeline.Every(10*time.Minute),
		pipeline.Feature(&l.Parcels, agg.Count(), day),
		pipeline.Feature(&l.OnTime, agg.Share(delay.Le(0)), day),
		pipeline.Feature(&l.Minutes, agg.Mean(delay), day),
		pipeline.Feature(&l.Trend, agg.Slope(delay, window.Day), day),
		pipeline.Feature(&l.Spread, agg.StdDevPop(delay), window.Last(window.Week).Tile(time.Hour)),
		pipeline.Feature(&l.Heavy, agg.Share(expr.Col(&p.Kilograms).Gt(20)), day),
		pipeline.Feature(&l.Worst30d, agg.Max(delay).Or(0), month).Historical(),
	)
})

func Example_deliveries() {
	explain(Deliveries)
	// Output:
	// pipeline lane_delays   plan 7d3cdb682115
	//
	// reads     deliveries (Delivery), keyed by lane, at time delivered_at, named by parcel
	// watermark newest event − 10m
	// late      admitted up to 12h behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// select    delay = minutes_between/v1(promised_at, delivered_at)
	// where     carrier <> "pickup"
	// asks      at every multiple of 10m, when the watermark reaches it; late events revise
	//
	// Delay, one row for each lane and ask:
	//   feature         type           placement   meaning
	//   parcels_1d      int            live        count, last 1d
	//   on_time_1d      float or null  live        share of (delay <= 0), last 1d
	//   delay_1d        float or null  live        mean of delay, last 1d
	//   trend_1d        float or null  live        slope of delay per 1d, last 1d
	//   spread_7d       float or null  live        stddev_pop of delay, last 7d by tiles of 1h
	//   heavy_share_1d  float or null  live        share of (weight_kg > 20), last 1d
	//   worst_30d       float          historical  max of delay, last 30d by tiles of 1d; of nothing 0
}
