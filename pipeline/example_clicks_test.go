package pipeline_test

import (
	"database/sql"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// PageEvent is one thing that a visitor saw or did in a shop.
type PageEvent struct {
	ID       string    `spill:"event_id,id"`
	Visitor  string    `spill:"visitor,key"`
	At       time.Time `spill:"at,time"`
	Kind     string    `spill:"kind"` // impression, click, cart, purchase
	Item     string    `spill:"item"`
	Category string    `spill:"category"`
	Position int32     `spill:"position"` // in the list of recommendations, from 1
	Robot    bool      `spill:"robot"`
}

// Interest is what a recommender needs to know of a visitor before it answers.
type Interest struct {
	Visitor     string           `spill:"visitor,key"`
	ClickRate   *float64         `spill:"click_rate_30m"` // clicks among impressions and clicks
	Items       int64            `spill:"items_30m"`
	Category    *string          `spill:"last_category"`
	Landing     sql.Null[string] `spill:"landing_category"` // where the visit began
	DeepestPick *int32           `spill:"deepest_click_1d"` // the farthest position ever clicked today
	Purchases   int64            `spill:"purchases_30d"`
}

// Clicks answers at every event of a visitor. Robots are no visitors; events without a visitor come from opted-out people.
var Clicks = pipeline.Define("visitor_interest", func(d *pipeline.Draft) {
	var e PageEvent
	events := pipeline.From(d, "page_events", &e, pipeline.OutOfOrder(10*time.Second), pipeline.SkipNullKey())
	visitors := events.Where(expr.Not(expr.Col(&e.Robot)))

	kind := expr.Col(&e.Kind)
	clicked := kind.Eq("click")
	visit := window.Last(30 * time.Minute)

	var i Interest
	pipeline.Aggregate(visitors, &i, pipeline.EveryEvent(),
		pipeline.Feature(&i.ClickRate, agg.Share(clicked).Where(kind.In("impression", "click")), visit),
		pipeline.Feature(&i.Items, agg.Distinct(expr.Col(&e.Item)), visit),
		pipeline.Feature(&i.Category, agg.Last(expr.Col(&e.Category)), visit),
		pipeline.Feature(&i.Landing, agg.First(expr.Col(&e.Category)).Null(), visit),
		pipeline.Feature(&i.DeepestPick, agg.Max(expr.Col(&e.Position)).Where(clicked), window.Last(window.Day)),
		pipeline.Feature(&i.Purchases, agg.Count().Where(kind.Eq("purchase")), window.Last(30*window.Day).Tile(time.Hour)),
	)
})

func Example_clicks() {
	explain(Clicks)
	// Output:
	// pipeline visitor_interest   plan 1bad9aef5765
	//
	// reads     page_events (PageEvent), keyed by visitor, at time at, named by event_id
	// watermark newest event − 10s
	// late      admitted up to 10m behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// null key  filtered
	// where     not(robot)
	// asks      at every event, once: its answer is final
	//
	// Interest, one row for each visitor and ask:
	//   feature           type           placement  meaning
	//   click_rate_30m    float or null  live       share of (kind = "click") where kind = "impression" or kind = "click", last 30m
	//   items_30m         int            live       distinct of item, last 30m
	//   last_category     text or null   live       last of category, last 30m
	//   landing_category  text or null   live       first of category, last 30m
	//   deepest_click_1d  int or null    live       max of position where kind = "click", last 1d
	//   purchases_30d     int            live       count where kind = "purchase", last 30d by tiles of 1h
}
