package pipeline_test

import (
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Match is what one player took away from one match.
type Match struct {
	ID      string    `spill:"id,id"`
	Player  string    `spill:"player,key"`
	At      time.Time `spill:"ended_at,time"`
	Won     bool      `spill:"won"` // null for a match that was broken off
	Kills   int       `spill:"kills"`
	Deaths  int       `spill:"deaths"`
	Ping    int32     `spill:"ping_ms"`
	Version string    `spill:"version"`
}

// Form is how a player has been doing, for a fair match.
type Form struct {
	Player    string   `spill:"player,key"`
	Finished  int64    `spill:"finished_1d"`
	Wins      *float64 `spill:"wins_1d"`
	Ratio     *float64 `spill:"kill_ratio_1d"`
	Best      int      `spill:"most_kills_7d"`
	Ping      *int32   `spill:"best_ping_1d"`
	Jitter    *float64 `spill:"ping_variance_1d"`
	Version   string   `spill:"version"`
	Usual     *float64 `spill:"wins_90d"`
	Deviation *float64 `spill:"kills_deviation_90d"`
}

// Game answers at every end of a match.
var Game = pipeline.Define("player_form", func(d *pipeline.Draft) {
	var m Match
	matches := pipeline.From(d, "matches", &m, pipeline.OutOfOrder(30*time.Second))

	won := expr.Col(&m.Won)
	kills, deaths := expr.Float(expr.Col(&m.Kills)), expr.Float(expr.Col(&m.Deaths))
	// Who never died has as many kills a death as kills.
	ratio := expr.Div(kills, expr.If(deaths.Lt(1), expr.Lit(1.0), deaths))

	day := window.Last(window.Day)
	season := window.Last(90 * window.Day).Tile(window.Day)

	var f Form
	pipeline.Aggregate(matches, &f, pipeline.EveryEvent(),
		pipeline.Feature(&f.Finished, agg.CountOf(won), day),
		pipeline.Feature(&f.Wins, agg.Share(won), day),
		pipeline.Feature(&f.Ratio, agg.Mean(ratio), day),
		pipeline.Feature(&f.Best, agg.Max(expr.Col(&m.Kills)).Or(0), window.Last(window.Week)),
		pipeline.Feature(&f.Ping, agg.Min(expr.Col(&m.Ping)), day),
		pipeline.Feature(&f.Jitter, agg.Variance(expr.Col(&m.Ping)), day),
		pipeline.Feature(&f.Version, agg.Last(expr.Col(&m.Version)).Or(""), day),
		pipeline.Feature(&f.Usual, agg.Share(won), season).Historical(),
		pipeline.Feature(&f.Deviation, agg.StdDev(kills), season).Historical(),
	)
})

func Example_game() {
	explain(Game)
	// Output:
	// pipeline player_form   plan 884b350463e3
	//
	// reads     matches (Match), keyed by player, at time ended_at, named by id
	// watermark newest event − 30s
	// late      admitted up to 10m behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// asks      at every event, once: its answer is final
	//
	// Form, one row for each player and ask:
	//   feature              type           placement   meaning
	//   finished_1d          int            live        count of won, last 1d
	//   wins_1d              float or null  live        share of won, last 1d
	//   kill_ratio_1d        float or null  live        mean of (float(kills) / if(float(deaths) < 1, 1, float(deaths))), last 1d
	//   most_kills_7d        int            live        max of kills, last 7d; of nothing 0
	//   best_ping_1d         int or null    live        min of ping_ms, last 1d
	//   ping_variance_1d     float or null  live        variance of ping_ms, last 1d
	//   version              text           live        last of version, last 1d; of nothing ""
	//   wins_90d             float or null  historical  share of won, last 90d by tiles of 1d
	//   kills_deviation_90d  float or null  historical  stddev of float(kills), last 90d by tiles of 1d
}
