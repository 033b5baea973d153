package pipeline_test

import (
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

type payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Country  string    `spill:"country"`
	Home     string    `spill:"home_country"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

type cardActivity struct {
	Card        string   `spill:"card,key"`
	Count5m     int64    `spill:"count_5m"`
	Spend1h     float64  `spill:"spend_1h"`
	Mean90d     *float64 `spill:"mean_90d"`
	Merchants1h int64    `spill:"merchants_1h"`
	Abroad1h    int64    `spill:"abroad_1h"`
}

var fraud = pipeline.Define("card_activity", func(d *pipeline.Draft) {
	var p payment
	payments := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second))
	amount := expr.Col(&p.Amount)
	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))
	var c cardActivity
	pipeline.Aggregate(payments.Where(amount.Gt(0)), &c, pipeline.EveryEvent(),
		pipeline.Feature(&c.Count5m, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&c.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&c.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&c.Abroad1h, agg.Count().Where(abroad), window.Last(time.Hour)),
		pipeline.Feature(&c.Mean90d, agg.Mean(amount), window.Last(90*window.Day).Tile(window.Day)).Historical(),
	)
})

func TestExplain(t *testing.T) {
	plan, err := fraud.Plan()
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + plan.Explain() + "\n" + plan.Text())
}
