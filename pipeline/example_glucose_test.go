package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Reading is one value of a glucose sensor.
type Reading struct {
	ID      string    `spill:"id,id"`
	Subject string    `spill:"subject,key"`
	At      time.Time `spill:"at,time"`
	Glucose float64   `spill:"glucose"` // mg/dl
}

// Control is what is known of a person's glucose at one moment.
type Control struct {
	Subject    string   `spill:"subject,key"`
	Glucose    *float64 `spill:"glucose"`      // the newest reading of the last half hour, mg/dl
	Trend      *float64 `spill:"trend"`        // its rise, mg/dl a minute
	InRange    *float64 `spill:"in_range_30m"` // the share of readings from 70 to 180 mg/dl
	Below      *float64 `spill:"below_30m"`    // the share of readings below 70 mg/dl
	Readings   int64    `spill:"readings_30m"` // how many there were
	Mean14d    *float64 `spill:"mean_14d"`     // mg/dl
	StdDev14d  *float64 `spill:"stddev_14d"`   // mg/dl
	InRange14d *float64 `spill:"in_range_14d"` // the share of readings from 70 to 180 mg/dl
}

// The target range, in mg/dl, both bounds included.
const (
	low  = 70
	high = 180
)

// Glucose defines the features. Phones are off line for hours now and then: what comes up to three hours late still counts.
var Glucose = pipeline.Define("glucose_control", func(d *pipeline.Draft) {
	var r Reading
	readings := pipeline.From(d, "glucose", &r, pipeline.OutOfOrder(time.Minute), pipeline.Lateness(3*time.Hour))
	glucose := expr.Col(&r.Glucose)
	inRange := glucose.Between(low, high)

	recent := window.Last(30 * time.Minute)
	fortnight := window.Last(14 * window.Day).Tile(time.Hour)

	var c Control
	pipeline.Aggregate(readings, &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Glucose, agg.Last(glucose), recent),
		pipeline.Feature(&c.Trend, agg.Slope(glucose, time.Minute), recent),
		pipeline.Feature(&c.InRange, agg.Share(inRange), recent),
		pipeline.Feature(&c.Below, agg.Share(glucose.Lt(low)), recent),
		pipeline.Feature(&c.Readings, agg.Count(), recent),
		pipeline.Feature(&c.Mean14d, agg.Mean(glucose), fortnight).Historical(),
		pipeline.Feature(&c.StdDev14d, agg.StdDev(glucose), fortnight).Historical(),
		pipeline.Feature(&c.InRange14d, agg.Share(inRange), fortnight).Historical(),
	)
})

func Example_glucose() {
	explain(Glucose)
	// Output:
	// pipeline glucose_control   plan a611fdb8753d
	//
	// reads     glucose (Reading), keyed by subject, at time at, named by id
	// watermark newest event − 1m
	// late      admitted up to 3h behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// asks      at every event, once: its answer is final
	//
	// Control, one row for each subject and ask:
	//   feature       type           placement   meaning
	//   glucose       float or null  live        last of glucose, last 30m
	//   trend         float or null  live        slope of glucose per 1m, last 30m
	//   in_range_30m  float or null  live        share of (glucose >= 70 and glucose <= 180), last 30m
	//   below_30m     float or null  live        share of (glucose < 70), last 30m
	//   readings_30m  int            live        count, last 30m
	//   mean_14d      float or null  historical  mean of glucose, last 14d by tiles of 1h
	//   stddev_14d    float or null  historical  stddev of glucose, last 14d by tiles of 1h
	//   in_range_14d  float or null  historical  share of (glucose >= 70 and glucose <= 180), last 14d by tiles of 1h
}
