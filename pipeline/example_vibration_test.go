package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Vibration is one sample of an accelerometer on a machine.
type Vibration struct {
	Machine     string    `spill:"machine,key"`
	At          time.Time `spill:"at,time"`
	X           float64   `spill:"x"` // m/s²
	Y           float64   `spill:"y"`
	Z           float64   `spill:"z"`
	Temperature float64   `spill:"bearing_temp"` // °C; null where a sensor has none
}

// Health is the state of one machine, ten seconds by ten seconds.
type Health struct {
	Machine string   `spill:"machine,key"`
	Power   *float64 `spill:"power_10s"`    // the mean square of the acceleration, m²/s⁴
	Shake   *float64 `spill:"shake_10s"`    // the deviation along the shaft, m/s²
	Peak    *float64 `spill:"peak_10m"`     // the greatest square
	Heating *float64 `spill:"heating_10m"`  // °C an hour
	Usual   *float64 `spill:"usual_7d"`     // the power that the machine has as a rule
	Spread  *float64 `spill:"spread_7d"`    // and how much that varies
	Samples int64    `spill:"temp_samples"` // how many temperatures the slope rests on
}

// Machines samples 200 times a second, so there are no ids and no answers an event: ten seconds are soon enough.
var Machines = pipeline.Define("machine_health", func(d *pipeline.Draft) {
	var v Vibration
	samples := pipeline.From(d, "vibration", &v, pipeline.OutOfOrder(2*time.Second), pipeline.Lateness(time.Minute))

	square := func(axis *float64) expr.Expr[float64] { return expr.Mul(expr.Col(axis), expr.Col(axis)) }
	var derived struct {
		Power float64 `spill:"power"`
	}
	samples = pipeline.Select(samples, &derived,
		pipeline.Set(&derived.Power, expr.Add(expr.Add(square(&v.X), square(&v.Y)), square(&v.Z))),
	)
	power := expr.Col(&derived.Power)
	temperature := expr.Col(&v.Temperature)

	now, soon := window.Last(10*time.Second), window.Last(10*time.Minute)
	week := window.Last(window.Week).Tile(time.Hour)

	var h Health
	pipeline.Aggregate(samples, &h, pipeline.Every(10*time.Second),
		pipeline.Feature(&h.Power, agg.Mean(power), now),
		pipeline.Feature(&h.Shake, agg.StdDevPop(expr.Col(&v.Z)), now),
		pipeline.Feature(&h.Peak, agg.Max(power), soon),
		pipeline.Feature(&h.Heating, agg.Slope(temperature, time.Hour), soon),
		pipeline.Feature(&h.Usual, agg.Mean(power), week).Historical(),
		pipeline.Feature(&h.Spread, agg.Variance(power), week).Historical(),
		pipeline.Feature(&h.Samples, agg.CountOf(temperature), soon),
	)
})

func Example_vibration() {
	explain(Machines)
	// Output:
	// pipeline machine_health   plan 85550a55004e
	//
	// reads     vibration (Vibration), keyed by machine, at time at; events have no id, so no duplicate is known
	// watermark newest event − 2s
	// late      admitted up to 1m behind the watermark, then dead-lettered
	// ahead     more than 10m past its Kafka timestamp is invalid
	// select    power = x * x + y * y + z * z
	// asks      at every multiple of 10s, when the watermark reaches it; late events revise
	//
	// Health, one row for each machine and ask:
	//   feature       type           placement   meaning
	//   power_10s     float or null  live        mean of power, last 10s
	//   shake_10s     float or null  live        stddev_pop of z, last 10s
	//   peak_10m      float or null  live        max of power, last 10m
	//   heating_10m   float or null  live        slope of bearing_temp per 1h, last 10m
	//   usual_7d      float or null  historical  mean of power, last 7d by tiles of 1h
	//   spread_7d     float or null  historical  variance of power, last 7d by tiles of 1h
	//   temp_samples  int            live        count of bearing_temp, last 10m
}
