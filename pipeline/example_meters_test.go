package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// MeterReading is what an electricity meter sends every few minutes.
type MeterReading struct {
	ID       string    `spill:"id,id"`
	Meter    string    `spill:"meter,key"`
	At       time.Time `spill:"at,time"`
	Register int64     `spill:"register_wh"` // the meter's counter, Wh
	Load     float64   `spill:"load_w"`
	Fed      float64   `spill:"fed_w"` // what a roof feeds in; null without one
}

// Household is the load of one household, quarter of an hour by quarter of an hour, as it is billed.
type Household struct {
	Meter     string   `spill:"meter,key"`
	Register  *int64   `spill:"register_wh"`
	Began     *int64   `spill:"register_before_wh"` // at the beginning of the quarter
	Load      *float64 `spill:"load_15m"`
	Least     *float64 `spill:"base_load_1d"`
	Peak      *float64 `spill:"peak_load_1d"`
	Balance   *float64 `spill:"net_load_1d"` // less what was fed in
	Variation *float64 `spill:"variation_28d"`
}

// Meters answers for each quarter of an hour once its readings are five minutes old, and corrects it when a meter that was
// off line for up to two days delivers what is missing.
var Meters = pipeline.Define("household_load", func(d *pipeline.Draft) {
	var m MeterReading
	readings := pipeline.From(d, "meter_readings", &m,
		pipeline.OutOfOrder(5*time.Minute), pipeline.Lateness(2*window.Day), pipeline.Ahead(time.Hour))

	load := expr.Col(&m.Load)
	net := expr.Sub(load, expr.Col(&m.Fed).IfNull(0))
	quarter, day := window.Last(15*time.Minute), window.Last(window.Day)

	var h Household
	pipeline.Aggregate(readings, &h, pipeline.Every(15*time.Minute),
		pipeline.Feature(&h.Register, agg.Last(expr.Col(&m.Register)), quarter),
		pipeline.Feature(&h.Began, agg.First(expr.Col(&m.Register)), quarter),
		pipeline.Feature(&h.Load, agg.Mean(load), quarter),
		pipeline.Feature(&h.Least, agg.Min(load), day),
		pipeline.Feature(&h.Peak, agg.Max(load), day),
		pipeline.Feature(&h.Balance, agg.Mean(net), day),
		pipeline.Feature(&h.Variation, agg.VariancePop(load), window.Last(28*window.Day).Tile(time.Hour)).Historical(),
	)
})

func Example_meters() {
	explain(Meters)
	// Output:
	// pipeline household_load   plan bedd95133ee0
	//
	// reads     meter_readings (MeterReading), keyed by meter, at time at, named by id
	// watermark newest event − 5m
	// late      admitted up to 2d behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 1h past its Kafka timestamp is invalid
	// asks      at every multiple of 15m, when the watermark reaches it; late events revise
	//
	// Household, one row for each meter and ask:
	//   feature             type           placement   meaning
	//   register_wh         int or null    live        last of register_wh, last 15m
	//   register_before_wh  int or null    live        first of register_wh, last 15m
	//   load_15m            float or null  live        mean of load_w, last 15m
	//   base_load_1d        float or null  live        min of load_w, last 1d
	//   peak_load_1d        float or null  live        max of load_w, last 1d
	//   net_load_1d         float or null  live        mean of (load_w - if_null(fed_w, 0)), last 1d
	//   variation_28d       float or null  historical  variance_pop of load_w, last 28d by tiles of 1h
}
