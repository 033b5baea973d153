package pipeline_test

import (
	"fmt"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Payment is one card payment as the processor reports it.
type Payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Country  string    `spill:"country"`
	Home     string    `spill:"home_country"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

// CardActivity is what is known of one card at one moment.
type CardActivity struct {
	Card        string  `spill:"card,key"`
	Count5m     int64   `spill:"count_5m"`
	Spend1h     float64 `spill:"spend_1h"`
	Merchants1h int64   `spill:"merchants_1h"`
	Abroad1h    int64   `spill:"abroad_1h"`
	Mean90d     float64 `spill:"mean_90d"`
}

// Fraud answers at every payment. What a card did within the hour is live; what it usually spends is left to the night.
var Fraud = pipeline.Define("card_activity", func(d *pipeline.Draft) {
	var p Payment // stands for any payment: its fields are columns
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))

	amount := expr.Col(&p.Amount)
	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))

	var c CardActivity
	pipeline.Aggregate(payments.Where(amount.Gt(0)), &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Count5m, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&c.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&c.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&c.Abroad1h, agg.Count().Where(abroad), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean90d, agg.Mean(amount).Or(0), window.Last(90*window.Day).Tile(window.Day)).Historical(),
	)
})

func Example_fraud() {
	explain(Fraud)
	// Output:
	// pipeline card_activity   plan bf8d456918f7
	//
	// reads     payments (Payment), keyed by card, at time at, named by id
	// watermark newest event − 30s
	// late      admitted up to 10m behind the watermark, then dead-lettered; ids remembered as long
	// ahead     more than 10m past its Kafka timestamp is invalid
	// where     amount > 0
	// asks      at every event, once: its answer is final
	//
	// CardActivity, one row for each card and ask:
	//   feature       type   placement   meaning
	//   count_5m      int    live        count, last 5m
	//   spend_1h      float  live        sum of amount, last 1h; of nothing 0
	//   merchants_1h  int    live        distinct of merchant, last 1h
	//   abroad_1h     int    live        count where country <> home_country, last 1h
	//   mean_90d      float  historical  mean of amount, last 90d by tiles of 1d; of nothing 0
}

// explain prints a pipeline's plan, or what is wrong with its definition.
func explain(p *pipeline.Pipeline) {
	plan, err := p.Plan()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(plan.Explain())
}
