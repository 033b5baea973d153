package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// ZoneEvent is a request for a ride, or a driver who says where he is.
type ZoneEvent struct {
	ID     string    `spill:"id,id"`
	Zone   string    `spill:"zone,key"`
	At     time.Time `spill:"at,time"`
	Kind   string    `spill:"kind"`     // request, driver
	Driver string    `spill:"driver"`   // of a driver
	Free   bool      `spill:"free"`     // of a driver
	Wait   int64     `spill:"wait_sec"` // of a request: how long the rider was told to wait
}

// Supply is what the price of a ride in a zone depends on.
type Supply struct {
	Zone      string   `spill:"zone,key"`
	Requests  int64    `spill:"requests_5m"`
	Drivers   int64    `spill:"free_drivers_2m"`
	Pressure  int64    `spill:"pressure_5m"` // requests, long waits counted twice
	Wait      *float64 `spill:"wait_5m"`     // seconds
	WaitUsual *float64 `spill:"wait_4w"`
}

// Rides answers every minute for every zone in which anything happens.
var Rides = pipeline.Define("zone_supply", func(d *pipeline.Draft) {
	var e ZoneEvent
	events := pipeline.From(d, "zone_events", &e, pipeline.OutOfOrder(15*time.Second), pipeline.Ahead(time.Minute))

	kind, wait := expr.Col(&e.Kind), expr.Col(&e.Wait)
	request := kind.Eq("request")
	free := expr.And(kind.Eq("driver"), expr.Col(&e.Free))
	weight := expr.If(wait.Gt(10*60), expr.Lit[int64](2), expr.Lit[int64](1))

	fiveMinutes := window.Last(5 * time.Minute)

	var s Supply
	pipeline.Aggregate(events, &s, pipeline.Every(time.Minute),
		pipeline.Feature(&s.Requests, agg.Count().Where(request), fiveMinutes),
		pipeline.Feature(&s.Drivers, agg.Distinct(expr.Col(&e.Driver)).Where(free), window.Last(2*time.Minute)),
		pipeline.Feature(&s.Pressure, agg.Sum(weight).Where(request).Or(0), fiveMinutes),
		pipeline.Feature(&s.Wait, agg.Mean(wait).Where(request), fiveMinutes),
		pipeline.Feature(&s.WaitUsual, agg.Mean(wait).Where(request), window.Last(4*window.Week).Tile(window.Day)).Historical(),
	)
})

func Example_rides() {
	explain(Rides)
	// Output:
	// pipeline zone_supply   plan 6bede0d30f58
	//
	// reads     zone_events (ZoneEvent), keyed by zone, at time at, named by id
	// watermark newest event − 15s
	// late      admitted up to 10m behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 1m past its Kafka timestamp is invalid
	// asks      at every multiple of 1m, when the watermark reaches it; late events revise
	//
	// Supply, one row for each zone and ask:
	//   feature          type           placement   meaning
	//   requests_5m      int            live        count where kind = "request", last 5m
	//   free_drivers_2m  int            live        distinct of driver where kind = "driver" and free, last 2m
	//   pressure_5m      int            live        sum of if(wait_sec > 600, 2, 1) where kind = "request", last 5m; of nothing 0
	//   wait_5m          float or null  live        mean of wait_sec where kind = "request", last 5m
	//   wait_4w          float or null  historical  mean of wait_sec where kind = "request", last 28d by tiles of 1d
}
