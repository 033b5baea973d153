// Package control is the flagship example: continuous glucose readings of 19 people, as features that are the same live and in
// the nightly batch.
//
// What a person needs to know within seconds is computed live: how fast glucose changes, and how much of the last half hour
// was in and below range. What changes over days is left to the night: mean, variability and time in range of the last 14
// days. A rule over both warns of a hypoglycaemia before it comes.
package control

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Reading is one value of a sensor.
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

// The target range, in mg/dl, both bounds included: the international consensus on time in range.
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
