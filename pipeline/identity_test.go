package pipeline_test

import (
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/window"
)

// examples are the real definitions of this package's examples.
var examples = []*pipeline.Pipeline{
	Fraud, Glucose, Clicks, Machines, Rides, Ads, Meters, Logins, Deliveries, Game,
}

func planOf(t *testing.T, p *pipeline.Pipeline) *pipeline.Plan {
	t.Helper()
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A hash that changes without a change of the definition orphans every topic, table and offset that carries it (S7). So
// testdata/hashes.golden may get lines, but not lose or change one unless the form of the text, whose first line says its
// version, is changed on purpose.
func TestHashesOfExamples(t *testing.T) {
	var hashes strings.Builder
	for _, p := range examples {
		plan := planOf(t, p)
		fmt.Fprintf(&hashes, "%s %s\n", plan.Hash(), plan.Name)
	}
	golden(t, "testdata/hashes.golden", hashes.String())
	golden(t, "testdata/text.golden", planOf(t, Machines).Text())
}

func TestExamplesUseTheWholeLanguage(t *testing.T) {
	aggregates := map[agg.Op]bool{}
	ops := map[expr.Op]bool{}
	var walk func(n *expr.Node)
	walk = func(n *expr.Node) {
		if n == nil {
			return
		}
		ops[n.Op] = true
		for _, a := range n.Args {
			walk(a)
		}
	}
	for _, p := range examples {
		plan := planOf(t, p)
		if _, err := kernel.Compile(plan, kernel.All); err != nil {
			t.Errorf("%s: %v", plan.Name, err)
		}
		walk(plan.Where)
		for _, f := range plan.Features {
			aggregates[f.Agg.Op] = true
			walk(f.Agg.Arg)
			walk(f.Agg.Where)
		}
	}
	for _, op := range []agg.Op{
		agg.OpCount, agg.OpCountOf, agg.OpSum, agg.OpMean, agg.OpMin, agg.OpMax, agg.OpFirst, agg.OpLast, agg.OpVar,
		agg.OpVarPop, agg.OpStd, agg.OpStdPop, agg.OpDistinct, agg.OpShare, agg.OpSlope,
	} {
		if !aggregates[op] {
			t.Errorf("no example has the aggregate %s", op)
		}
	}
	for _, op := range []expr.Op{
		expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpToFloat, expr.OpAnd, expr.OpOr, expr.OpNot, expr.OpIsNull,
		expr.OpIfNull, expr.OpIf, expr.OpCall,
	} {
		if !ops[op] {
			t.Errorf("no example has the operation %s", op)
		}
	}
}

// trip is one definition whose every fact can be changed.
type trip struct {
	name, topic string
	options     []pipeline.SourceOption
	grain       pipeline.Grain
	window      window.Window
	where       func(amount expr.Expr[float64]) expr.Expr[bool]
	only        func(amount expr.Expr[float64]) expr.Expr[bool]
	function    string
	historical  bool
	or          float64
	per         time.Duration
}

func ordinary() trip {
	return trip{
		name: "trips", topic: "rides", grain: pipeline.EveryEvent(), window: window.Last(time.Hour), function: "double/v1",
		where: func(a expr.Expr[float64]) expr.Expr[bool] { return a.Gt(0) },
		only:  func(a expr.Expr[float64]) expr.Expr[bool] { return a.Lt(100) },
		per:   time.Minute,
	}
}

func (c *trip) define() *pipeline.Pipeline {
	return pipeline.Define(c.name, func(d *pipeline.Draft) {
		var e struct {
			ID     string    `spill:"id,id"`
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount"`
		}
		rides := pipeline.From(d, c.topic, &e, c.options...)
		amount := expr.Col(&e.Amount)
		double := expr.Call(c.function, func(x float64) float64 { return 2 * x }, amount)
		var r struct {
			Rider string   `spill:"rider,key"`
			Sum   float64  `spill:"sum"`
			Slope *float64 `spill:"slope"`
		}
		sum := pipeline.Feature(&r.Sum, agg.Sum(double).Where(c.only(amount)).Or(c.or), c.window)
		if c.historical {
			sum.Historical()
		}
		pipeline.Aggregate(rides.Where(c.where(amount)), &r, c.grain,
			sum, pipeline.Feature(&r.Slope, agg.Slope(amount, c.per), c.window))
	})
}

func TestEveryChangeOfMeaningChangesTheHash(t *testing.T) {
	changes := map[string]func(*trip){
		"name":        func(c *trip) { c.name = "tours" },
		"topic":       func(c *trip) { c.topic = "Rides" },
		"D":           func(c *trip) { c.options = []pipeline.SourceOption{pipeline.OutOfOrder(time.Microsecond)} },
		"L":           func(c *trip) { c.options = []pipeline.SourceOption{pipeline.Lateness(0)} },
		"Ahead":       func(c *trip) { c.options = []pipeline.SourceOption{pipeline.Ahead(0)} },
		"SkipNullKey": func(c *trip) { c.options = []pipeline.SourceOption{pipeline.SkipNullKey()} },
		"ticks":       func(c *trip) { c.grain = pipeline.Every(time.Minute) },
		"other ticks": func(c *trip) { c.grain = pipeline.Every(time.Hour) },
		"window":      func(c *trip) { c.window = window.Last(time.Hour + time.Microsecond) },
		"tile":        func(c *trip) { c.window = c.window.Tile(time.Minute) },
		"other tile":  func(c *trip) { c.window = c.window.Tile(time.Hour) },
		"where":       func(c *trip) { c.where = func(a expr.Expr[float64]) expr.Expr[bool] { return a.Ge(0) } },
		"constant": func(c *trip) {
			c.where = func(a expr.Expr[float64]) expr.Expr[bool] { return a.Gt(math.Nextafter(0, 1)) }
		},
		"negative 0": func(c *trip) {
			c.where = func(a expr.Expr[float64]) expr.Expr[bool] { return a.Gt(math.Copysign(0, -1)) }
		},
		"null": func(c *trip) { c.where = expr.IsNull[float64] },
		"not null": func(c *trip) {
			c.where = func(a expr.Expr[float64]) expr.Expr[bool] { return expr.Not(expr.IsNull(a)) }
		},
		"own where":    func(c *trip) { c.only = func(a expr.Expr[float64]) expr.Expr[bool] { return a.Le(100) } },
		"function":     func(c *trip) { c.function = "twice/v1" },
		"version":      func(c *trip) { c.function = "double/v2" },
		"placement":    func(c *trip) { c.historical = true },
		"or":           func(c *trip) { c.or = -1 },
		"unit of time": func(c *trip) { c.per = time.Hour },
	}
	same, seen := ordinary(), map[string]string{}
	seen[planOf(t, same.define()).Hash()] = "no change"
	for what, change := range changes {
		c := ordinary()
		change(&c)
		hash := planOf(t, c.define()).Hash()
		if seen[hash] != "" {
			t.Errorf("%s: the hash is that of: %s", what, seen[hash])
		}
		seen[hash] = what
	}
}

// define is a pipeline with one count over a source of the row's type.
func countOver[T any](row *T) *pipeline.Pipeline {
	return pipeline.Define("trips", func(d *pipeline.Draft) { count(pipeline.From(d, "rides", row)) })
}

// feature is a pipeline with the one feature given by a function of a sale's columns.
func featureOf[O any](a func(*sale) agg.Of[O]) *pipeline.Pipeline {
	return pipeline.Define("trips", func(d *pipeline.Draft) {
		var s sale
		var r struct {
			Shop  string `spill:"shop,key"`
			Value O      `spill:"value"`
		}
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &r, pipeline.EveryEvent(), pipeline.Feature(&r.Value, a(&s), minute))
	})
}

func TestEveryChangeOfColumnsAndFeaturesChangesTheHash(t *testing.T) {
	all := map[string]*pipeline.Pipeline{
		"source": countOver(new(struct {
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount"`
		})),
		"source with an id": countOver(new(struct {
			ID     string    `spill:"id,id"`
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount"`
		})),
		"id without the role": countOver(new(struct {
			ID     string    `spill:"id"`
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount"`
		})),
		"other type": countOver(new(struct {
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount int64     `spill:"amount"`
		})),
		"other range": countOver(new(struct {
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount int32     `spill:"amount"`
		})),
		"other name": countOver(new(struct {
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"sum"`
		})),
		"other order": countOver(new(struct {
			Rider  string    `spill:"rider,key"`
			Amount float64   `spill:"amount"`
			At     time.Time `spill:"at,time"`
		})),
		"count":           featureOf(func(*sale) agg.Of[int64] { return agg.Count() }),
		"count of":        featureOf(func(s *sale) agg.Of[int64] { return agg.CountOf(expr.Col(&s.Amount)) }),
		"distinct":        featureOf(func(s *sale) agg.Of[int64] { return agg.Distinct(expr.Col(&s.Amount)) }),
		"sum":             featureOf(func(s *sale) agg.Of[*float64] { return agg.Sum(expr.Col(&s.Amount)) }),
		"sum or 0":        featureOf(func(s *sale) agg.Of[float64] { return agg.Sum(expr.Col(&s.Amount)).Or(0) }),
		"small sum":       featureOf(func(s *sale) agg.Of[*int32] { return agg.Sum(expr.Col(&s.Pieces)) }),
		"mean of int":     featureOf(func(s *sale) agg.Of[*float64] { return agg.Mean(expr.Col(&s.Pieces)) }),
		"mean of ratio":   featureOf(func(*sale) agg.Of[*float64] { return agg.Mean(expr.Div(expr.Lit(7), expr.Lit(2))) }),
		"mean of ratio 2": featureOf(func(*sale) agg.Of[*float64] { return agg.Mean(expr.Div(expr.Lit(7.0), expr.Lit(2.0))) }),
		"last text":       featureOf(func(s *sale) agg.Of[*string] { return agg.Last(expr.Col(&s.Shop)) }),
		"last text or":    featureOf(func(s *sale) agg.Of[string] { return agg.Last(expr.Col(&s.Shop)).Or("") }),
		"constant text":   featureOf(func(*sale) agg.Of[*string] { return agg.Last(expr.Lit("shop")) }),
	}
	seen := map[string]string{}
	for what, p := range all {
		hash := planOf(t, p).Hash()
		if seen[hash] != "" {
			t.Errorf("%s: the hash is that of: %s", what, seen[hash])
		}
		seen[hash] = what
	}
}

func TestColumnsAreNotTakenForConstants(t *testing.T) {
	hash := func(p func(five, yes expr.Expr[float64]) expr.Expr[float64]) string {
		return planOf(t, pipeline.Define("trips", func(d *pipeline.Draft) {
			var e struct {
				Rider string    `spill:"rider,key"`
				At    time.Time `spill:"at,time"`
				Five  float64   `spill:"5"`
				NaN   float64   `spill:"NaN"`
			}
			var r struct {
				Rider string   `spill:"rider,key"`
				Value *float64 `spill:"value"`
			}
			pipeline.Aggregate(pipeline.From(d, "rides", &e), &r, pipeline.EveryEvent(),
				pipeline.Feature(&r.Value, agg.Sum(p(expr.Col(&e.Five), expr.Col(&e.NaN))), minute))
		})).Hash()
	}
	type number = expr.Expr[float64]
	if hash(func(five, _ number) number { return five }) == hash(func(number, number) number { return expr.Lit(5.0) }) {
		t.Error("the column 5 and the constant 5 have one hash")
	}
	if hash(func(_, nan number) number { return nan }) == hash(func(number, number) number { return expr.Lit(math.NaN()) }) {
		t.Error("the column NaN and the constant NaN have one hash")
	}
}

// The same definition in other Go words: names of types, fields and variables, a Select, the order of the calls, an
// embedded struct, sql.Null for a pointer.
func TestGoNamesDoNotEnterTheHash(t *testing.T) {
	one := pipeline.Define("trips", func(d *pipeline.Draft) {
		type event struct {
			Rider  string    `spill:"rider,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount"`
			Paid   bool      `spill:"paid"`
		}
		type row struct {
			Rider string   `spill:"rider,key"`
			Sum   *float64 `spill:"sum"`
			Count int64    `spill:"count"`
		}
		var e event
		var r row
		rides := pipeline.From(d, "rides", &e)
		net := expr.Mul(expr.Col(&e.Amount), expr.Lit(0.81))
		pipeline.Aggregate(rides.Where(expr.And(expr.Col(&e.Paid), net.Gt(1))), &r, pipeline.Every(time.Minute),
			pipeline.Feature(&r.Sum, agg.Sum(net), minute),
			pipeline.Feature(&r.Count, agg.Count(), minute))
	})
	other := pipeline.Define("trips", func(d *pipeline.Draft) {
		type base struct {
			Who  string    `spill:"rider,key"`
			When time.Time `spill:"at,time"`
		}
		type ride struct {
			base
			notes string
			Euros float64 `spill:"amount"`
			Done  bool    `spill:"paid"`
		}
		type answer struct {
			Who    string            `spill:"rider,key"`
			Euros  sql.Null[float64] `spill:"sum"`
			Number int64             `spill:"count"`
		}
		x := ride{notes: "not a column"}
		var a answer
		var net struct {
			Euros float64 `spill:"net"`
		}
		rides := pipeline.From(d, "rides", &x, pipeline.OutOfOrder(0), pipeline.Lateness(10*time.Minute))
		rides = pipeline.Select(rides.Where(expr.Col(&x.Done)), &net,
			pipeline.Set(&net.Euros, expr.Mul(expr.Col(&x.Euros), expr.Lit(0.81))))
		rides = rides.Where(expr.Col(&net.Euros).Gt(1))
		pipeline.Aggregate(rides, &a, pipeline.Every(60*time.Second),
			pipeline.Feature(&a.Number, agg.Count(), window.Last(60*time.Second)),
			pipeline.Feature(&a.Euros, agg.Sum(expr.Col(&net.Euros)).Null(), window.Last(60*time.Second)))
	})
	if a, b := planOf(t, one), planOf(t, other); a.Hash() != b.Hash() {
		t.Errorf("two texts:\n%s\n%s", a.Text(), b.Text())
	}
}
