package pipeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

func TestPlanSaysWhatWasDefined(t *testing.T) {
	p := planOf(t, Meters)
	if p.Name != "household_load" || p.KeyName != "meter" || p.RowName != "Household" || p.Tick != 900_000_000 || p.Where != nil {
		t.Errorf("plan %+v", p)
	}
	s := p.Source
	if s.Name != "meter_readings" || s.Key != 1 || s.Time != 2 || s.ID != 0 || s.SkipNullKey ||
		s.OutOfOrder != 300_000_000 || s.Lateness != 2*86_400_000_000 || s.Ahead != 3_600_000_000 {
		t.Errorf("source %+v", s)
	}
	if f := p.Features[0]; f.Name != "register_wh" || !f.Nullable || !f.Live() || f.Agg.Op != agg.OpLast || f.Agg.Arg.Column != 3 {
		t.Errorf("feature %+v", f)
	}
	if f := p.Features[6]; f.Live() || f.Window.TileMicros() != 3_600_000_000 {
		t.Errorf("feature %+v", f)
	}
	machines := planOf(t, Machines).Source
	if machines.ID != -1 {
		t.Errorf("a source without ids has the id %d", machines.ID)
	}
	if d := planOf(t, Glucose).Source; d.Ahead != pipeline.DefaultAhead.Microseconds() {
		t.Errorf("Ahead is %d µs unless it is given", d.Ahead)
	}
}

func TestFeaturesAreInTheOrderOfTheFields(t *testing.T) {
	p := planOf(t, pipeline.Define("trips", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&s.Amount)), minute),
			pipeline.Feature(&c.Count, agg.Count(), minute))
	}))
	if p.Features[0].Name != "count" || p.Features[1].Name != "sum" {
		t.Errorf("features %v", p.Features)
	}
}

func TestLongestWindow(t *testing.T) {
	p := planOf(t, pipeline.Define("trips", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), window.Last(50*time.Minute)),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&s.Amount)), window.Last(40*time.Minute).Tile(30*time.Minute)))
	}))
	const m = 60_000_000
	for at, want := range map[int64]int64{
		100 * m: 50 * m, // 100 − 40 = 60 is a multiple of 30 already
		115 * m: 55 * m, // 115 − 40 = 75 is floored to 60
		-5 * m:  55 * m, // −45 is floored to −60
	} {
		if got := p.LongestWindow(at); got != want {
			t.Errorf("asked at minute %d, windows begin %d minutes before, want %d", at/m, got/m, want/m)
		}
	}
}

func TestArrowOfAResult(t *testing.T) {
	got := planOf(t, Clicks).Arrow()
	var fields []string
	for _, f := range got.Fields() {
		text := f.Name + " " + f.Type.String()
		if f.Nullable {
			text += " nullable"
		}
		fields = append(fields, text)
	}
	want := []string{
		"visitor utf8", "ask_time timestamp[us, tz=UTC]", "partition int32 nullable", "offset int64 nullable", "revision int32",
		"click_rate_30m float64 nullable", "items_30m int64 nullable", "last_category utf8 nullable",
		"landing_category utf8 nullable", "deepest_click_1d int64 nullable", "purchases_30d int64 nullable",
	}
	if strings.Join(fields, "\n") != strings.Join(want, "\n") {
		t.Errorf("fields\n%s", strings.Join(fields, "\n"))
	}
	if got.Field(1).Type.ID() != arrow.TIMESTAMP {
		t.Error("the ask's time is no timestamp")
	}
}

// What the examples do not show: a late event that is not let in at all, a Select upon a Select, constants of every kind.
func TestExplainOfTheRest(t *testing.T) {
	p := planOf(t, pipeline.Define("trips", func(d *pipeline.Draft) {
		var s sale
		var net struct {
			Net float64 `spill:"net"`
		}
		var tax struct {
			Tax float64 `spill:"tax"`
		}
		var c struct {
			Shop  string    `spill:"shop,key"`
			First time.Time `spill:"first"`
			Tax   *float64  `spill:"tax"`
		}
		sales := pipeline.From(d, "sales", &s, pipeline.Lateness(0))
		sales = pipeline.Select(sales, &net, pipeline.Set(&net.Net, expr.Div(expr.Col(&s.Amount), expr.Lit(1.19))))
		sales = pipeline.Select(sales, &tax, pipeline.Set(&tax.Tax, expr.Sub(expr.Col(&s.Amount), expr.Col(&net.Net))))
		since := expr.Col(&s.At).Ge(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		pipeline.Aggregate(sales.Where(since), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.First, agg.First(expr.Col(&s.At)).Or(time.Unix(0, 0)), minute),
			pipeline.Feature(&c.Tax, agg.Sum(expr.Col(&tax.Tax)).Where(expr.Col(&net.Net).Gt(0)), minute))
	}))
	const want = `
reads     sales (sale), keyed by shop, at time at, named by id
watermark newest event
late      what is behind the watermark is dead-lettered
ahead     more than 10m past its Kafka timestamp is invalid
select    net = amount / 1.19
select    tax = amount - net
where     at >= 2026-01-01T00:00:00Z
asks      at every event, once: its answer is final

struct{…}, one row for each shop and ask:
  feature  type           placement  meaning
  first    time           live       first of at, last 1m; of nothing 1970-01-01T00:00:00Z
  tax      float or null  live       sum of tax where net > 0, last 1m
`
	if _, got, _ := strings.Cut(p.Explain(), "\n"); got != want {
		t.Errorf("explained as\n%s", got)
	}
}

func TestDefinitionsOfThePackageKnowTheirPlace(t *testing.T) {
	for _, f := range faults(t, unfinished) {
		if !strings.HasSuffix(f.Pos.File, "plan_test.go") {
			t.Errorf("it is at %v", f.Pos)
		}
	}
}

var unfinished = pipeline.Define("unfinished", func(*pipeline.Draft) {})
