// Command outside is a module of its own: it uses spillway as any program would, through its public packages only.
//
//	go run . load visits visits.jsonl
//	go run . stream --until-end
//	go run . rows page_visits
package main

import (
	"time"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Visit is one page that somebody has seen.
type Visit struct {
	Visitor string    `spill:"visitor,key"`
	Page    string    `spill:"page"`
	Seconds int64     `spill:"seconds"`
	At      time.Time `spill:"at,time"`
}

// Visits is what is known of a visitor at a visit.
type Visits struct {
	Visitor string `spill:"visitor,key"`
	Count   int64  `spill:"visits_30m"`
	Pages   int64  `spill:"pages_30m"`
	Seconds *int64 `spill:"seconds_30m"`
}

// PageVisits counts the last half hour at every visit.
var PageVisits = pipeline.Define("page_visits", func(d *pipeline.Draft) {
	var v Visit
	visits := pipeline.From(d, "visits", &v)
	recent := window.Last(30 * time.Minute)
	var out Visits
	pipeline.Aggregate(visits, &out, pipeline.EveryEvent(),
		pipeline.Feature(&out.Count, agg.Count(), recent),
		pipeline.Feature(&out.Pages, agg.Distinct(expr.Col(&v.Page)), recent),
		pipeline.Feature(&out.Seconds, agg.Sum(expr.Col(&v.Seconds)), recent),
	)
})

func main() { spillway.Main(&spillway.App{Pipelines: []*pipeline.Pipeline{PageVisits}}) }
