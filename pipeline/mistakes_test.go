package pipeline_test

import (
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

var update = flag.Bool("update", false, "write the golden files anew")

type sale struct {
	ID     string    `spill:"id,id"`
	Shop   string    `spill:"shop,key"`
	At     time.Time `spill:"at,time"`
	Amount float64   `spill:"amount"`
	Pieces int32     `spill:"pieces"`
	Note   string
	Buyer  struct {
		Name string `spill:"name"`
	}
}

type shopSales struct {
	Shop  string `spill:"shop,key"`
	Count int64  `spill:"count"`
}

type shopTotals struct {
	Shop  string   `spill:"shop,key"`
	Count int64    `spill:"count"`
	Sum   *float64 `spill:"sum"`
}

var (
	minute  = window.Last(time.Minute)
	nothing = expr.Expr[float64]{}
	never   = expr.Expr[bool]{}

	// What variables of a package are made of is at fault where they are made.
	stray  sale
	beside = expr.Col(&stray.Amount)
	none   = window.Last(0)
)

// mistakes are definitions with something wrong in them. What they say is in testdata/mistakes.golden, each below the line
// of this file that it points to.
var mistakes = []struct {
	name   string
	define func(d *pipeline.Draft)
}{
	// The definition as a whole.
	{"nothing", func(d *pipeline.Draft) {}},
	{"no aggregate", func(d *pipeline.Draft) {
		var s sale
		pipeline.From(d, "sales", &s)
	}},
	{"two sources", func(d *pipeline.Draft) {
		var s, t sale
		var c shopSales
		sales := pipeline.From(d, "sales", &s)
		pipeline.From(d, "returns", &t)
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"two aggregates", func(d *pipeline.Draft) {
		var s sale
		var c, e shopSales
		sales := pipeline.From(d, "sales", &s)
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
		pipeline.Aggregate(sales, &e, pipeline.EveryEvent(), pipeline.Feature(&e.Count, agg.Count(), minute))
	}},
	{"a panic", func(d *pipeline.Draft) {
		var s *sale
		fmt.Println(s.Amount)
	}},
	{"a panic after a mistake", func(d *pipeline.Draft) {
		var s sale
		pipeline.From(d, "sales!", &s)
		panic("unfinished")
	}},
	{"nil draft", func(*pipeline.Draft) {
		var s sale
		pipeline.From(nil, "sales", &s)
	}},
	{"draft of another pipeline", func(*pipeline.Draft) {
		var kept *pipeline.Draft
		pipeline.Define("other", func(d *pipeline.Draft) { kept = d })
		var s sale
		pipeline.From(kept, "sales", &s)
	}},
	{"nil stream in Where", func(*pipeline.Draft) {
		var sales *pipeline.Stream
		sales.Where(expr.Lit(true))
	}},
	{"nil stream in Select", func(*pipeline.Draft) {
		var x struct {
			A float64 `spill:"a"`
		}
		pipeline.Select(nil, &x, pipeline.Set(&x.A, expr.Lit(1.0)))
	}},
	{"nil stream in Aggregate", func(*pipeline.Draft) {
		var c shopSales
		pipeline.Aggregate(nil, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"zero stream", func(*pipeline.Draft) {
		new(pipeline.Stream).Where(expr.Lit(true))
	}},

	// The source.
	{"name of a source", source("sales of today")},
	{"name of a source is a dot", source(".")},
	{"source is the pipeline's own output", source("shop_sales.features")},
	{"negative OutOfOrder", source("sales", pipeline.OutOfOrder(-time.Second))},
	{"endless Lateness and Ahead", source("sales", pipeline.Lateness(math.MaxInt64), pipeline.Ahead(4000*window.Day))},
	{"Lateness finer than a microsecond", source("sales", pipeline.Lateness(1500*time.Nanosecond))},
	{"nil option", source("sales", nil, pipeline.SkipNullKey())},
	{"nil row", func(d *pipeline.Draft) {
		var s *sale
		var c shopSales
		sales := pipeline.From(d, "sales", s)
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"row is no struct", func(d *pipeline.Draft) {
		var s int
		var c shopSales
		sales := pipeline.From(d, "sales", &s).Where(expr.Col(&s).Gt(0))
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"no columns", from(&struct{ Shop string }{})},
	{"empty struct", from(&struct{}{})},
	{"no key and no time", from(&struct {
		Amount float64 `spill:"amount"`
	}{})},
	{"two keys, two times, two ids", from(&struct {
		A string    `spill:"a,key"`
		B string    `spill:"b,key"`
		C time.Time `spill:"c,time"`
		D time.Time `spill:"d,time"`
		E string    `spill:"e,id"`
		F string    `spill:"f,id"`
	}{})},
	{"types of key, time and id", from(&struct {
		A int64 `spill:"a,key"`
		B int64 `spill:"b,time"`
		C int64 `spill:"c,id"`
	}{})},
	{"nullable columns in a source", from(&struct {
		Shop   string            `spill:"shop,key"`
		At     time.Time         `spill:"at,time"`
		Amount *float64          `spill:"amount"`
		Pieces sql.Null[int64]   `spill:"pieces"`
		Price  sql.Null[float64] `spill:"price"`
	}{})},
	{"unsupported types", from(&struct {
		Shop  string          `spill:"shop,key"`
		At    time.Time       `spill:"at,time"`
		Small uint8           `spill:"small"`
		Big   uint64          `spill:"big"`
		Half  float32         `spill:"half"`
		Raw   []byte          `spill:"raw"`
		Any   any             `spill:"any"`
		Deep  **int64         `spill:"deep"`
		Map   map[string]int  `spill:"map"`
		Inner struct{ A int } `spill:"inner"`
		Null  sql.NullInt64   `spill:"null"`
	}{})},
	{"names of columns", from(&struct {
		Shop string    `spill:"shop,key"`
		At   time.Time `spill:"at,time"`
		A    string    `spill:""`
		B    string    `spill:"_offset"`
		C    string    `spill:"net amount"`
		D    string    `spill:"größe"`
		E    string    `spill:"e,primary"`
		F    string    `spill:"f,key,id"`
		G    string    `spill:"shop"`
		H    string    `spill:"Shop"`
		i    string    `spill:"i"` //lint:ignore U1000 that is the mistake
	}{})},
	{"columns embedded by a pointer", from(&struct {
		*Stamped
		Shop string `spill:"shop,key"`
	}{})},
	{"the same column embedded", from(&struct {
		Stamped
		Shop  string    `spill:"shop,key"`
		Other time.Time `spill:"at"`
	}{})},

	// Expressions.
	{"column without a tag", where(func(s *sale) expr.Expr[bool] { return expr.Col(&s.Note).Eq("x") })},
	{"column of a struct within", where(func(s *sale) expr.Expr[bool] { return expr.Col(&s.Buyer.Name).Eq("x") })},
	{"column of another variable", where(func(*sale) expr.Expr[bool] {
		var other sale
		return expr.Col(&other.Amount).Gt(0)
	})},
	{"column and window of the package", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), none),
			pipeline.Feature(&c.Sum, agg.Sum(beside), minute))
	}},
	{"nil column", where(func(*sale) expr.Expr[bool] { return expr.Col[float64](nil).Gt(0) })},
	{"column of the result", func(d *pipeline.Draft) {
		var s sale
		var c shopSales
		sales := pipeline.From(d, "sales", &s)
		pipeline.Aggregate(sales.Where(expr.Col(&c.Count).Gt(0)), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"column with a fault of its own", func(d *pipeline.Draft) {
		var s struct {
			Shop   string    `spill:"shop,key"`
			At     time.Time `spill:"at,time"`
			Amount float64   `spill:"amount,sum"`
		}
		var c shopTotals
		sales := pipeline.From(d, "sales", &s)
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&s.Amount)), minute))
	}},
	{"zero expression in Where", where(func(*sale) expr.Expr[bool] { return never })},
	{"zero expressions within", where(func(s *sale) expr.Expr[bool] {
		return expr.And(never,
			nothing.Between(1, 2),
			expr.Greater(expr.Add(expr.Col(&s.Amount), nothing), expr.Lit(1.0)),
			expr.Call("known/v1", func(float64) bool { return true }, nothing),
		)
	})},
	{"nil function", where(func(s *sale) expr.Expr[bool] {
		return expr.Call[float64, bool]("good/v1", nil, expr.Col(&s.Amount))
	})},
	{"functions without a version", where(func(s *sale) expr.Expr[bool] {
		good := func(float64) bool { return true }
		return expr.And(
			expr.Call("good", good, expr.Col(&s.Amount)),
			expr.Call("good/v0", good, expr.Col(&s.Amount)),
			expr.Call("Good/v1", good, expr.Col(&s.Amount)),
			expr.Call("", good, expr.Col(&s.Amount)),
		)
	})},
	{"two functions of one name", where(func(s *sale) expr.Expr[bool] {
		return expr.And(
			expr.Call("good/v1", func(float64) bool { return true }, expr.Col(&s.Amount)),
			expr.Call("good/v1", func(string) bool { return true }, expr.Col(&s.Shop)),
		)
	})},
	{"expression that grows without end", where(func(s *sale) expr.Expr[bool] {
		x := expr.Col(&s.Amount)
		for range 64 {
			x = expr.Add(x, x)
		}
		return x.Gt(0)
	})},

	// Select.
	{"faults of Select", func(d *pipeline.Draft) {
		var s sale
		var x, y struct {
			Net   float64  `spill:"net"`
			Gross float64  `spill:"gross"`
			Maybe *float64 `spill:"maybe"`
			Plain float64
		}
		var c shopTotals
		sales := pipeline.From(d, "sales", &s)
		sales = pipeline.Select(sales, &x,
			pipeline.Set(&x.Net, expr.Col(&s.Amount)),
			pipeline.Set(&x.Net, expr.Col(&x.Gross)),
			pipeline.Set(&x.Plain, expr.Col(&s.Amount)),
			pipeline.Set(&y.Gross, expr.Col(&s.Amount)),
			pipeline.Set(nil, expr.Lit(1.0)),
		)
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&x.Gross)), minute))
	}},
	{"Select of itself", func(d *pipeline.Draft) {
		var s sale
		var x struct {
			Net float64 `spill:"net"`
		}
		var c shopTotals
		sales := pipeline.From(d, "sales", &s)
		sales = pipeline.Select(sales, &x, pipeline.Set(&x.Net, expr.Neg(expr.Col(&x.Net))))
		pipeline.Aggregate(sales, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&x.Net)), minute))
	}},
	{"Select into one variable twice", func(d *pipeline.Draft) {
		var s sale
		var x struct {
			Net float64 `spill:"net"`
		}
		sales := pipeline.From(d, "sales", &s)
		sales = pipeline.Select(sales, &x, pipeline.Set(&x.Net, expr.Col(&s.Amount)))
		sales = pipeline.Select(sales, &x, pipeline.Set(&x.Net, expr.Neg(expr.Col(&x.Net))))
		count(sales)
	}},
	{"Select with roles, and a zero expression", func(d *pipeline.Draft) {
		var s sale
		var x struct {
			Shop string `spill:"shop,key"`
			Twin string `spill:"twin"`
		}
		sales := pipeline.From(d, "sales", &s)
		count(pipeline.Select(sales, &x,
			pipeline.Set(&x.Shop, expr.Col(&s.Shop)),
			pipeline.Set(&x.Twin, expr.Expr[string]{})))
	}},
	{"Select of a name that is known", func(d *pipeline.Draft) {
		var s sale
		var x struct {
			Amount float64 `spill:"amount"`
		}
		sales := pipeline.From(d, "sales", &s)
		count(pipeline.Select(sales, &x, pipeline.Set(&x.Amount, expr.Neg(expr.Col(&s.Amount)))))
	}},
	{"Select into no struct", func(d *pipeline.Draft) {
		var s sale
		var x float64
		sales := pipeline.From(d, "sales", &s)
		count(pipeline.Select(sales, &x, pipeline.Set(&x, expr.Col(&s.Amount))))
	}},

	// The aggregate and its features.
	{"no grain", aggregate(pipeline.Grain{})},
	{"ticks of nothing", aggregate(pipeline.Every(0))},
	{"ticks backwards", aggregate(pipeline.Every(-time.Minute))},
	{"ticks finer than a microsecond", aggregate(pipeline.Every(1500 * time.Nanosecond))},
	{"ticks further apart than ten years", aggregate(pipeline.Every(4000 * window.Day))},
	{"no features", func(d *pipeline.Draft) {
		var s sale
		var c shopSales
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent())
	}},
	{"nil result", func(d *pipeline.Draft) {
		var s sale
		pipeline.Aggregate[shopSales](pipeline.From(d, "sales", &s), nil, pipeline.EveryEvent())
	}},
	{"result without a key", func(d *pipeline.Draft) {
		var s sale
		var c struct {
			Count int64 `spill:"count"`
		}
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"result with roles and reserved columns", func(d *pipeline.Draft) {
		var s sale
		var c struct {
			Shop   *string   `spill:"Partition,key"`
			At     time.Time `spill:"ask_time,time"`
			Count  int64     `spill:"Offset"`
			Number int64     `spill:"plan"`
		}
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.At, agg.Max(expr.Col(&s.At)).Or(time.Unix(0, 0)), minute),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Number, agg.Count(), minute))
	}},
	{"two features of one name", func(d *pipeline.Draft) {
		var s sale
		var c struct {
			Shop  string `spill:"shop,key"`
			Count int64  `spill:"count"`
			Again int64  `spill:"count"`
		}
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Again, agg.Count(), minute))
	}},
	{"no feature of the result", func(d *pipeline.Draft) {
		var s sale
		var c struct {
			Shop  string `spill:"shop,key"`
			Count int64
		}
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute))
	}},
	{"faults of features", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		var other shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			nil,
			(*pipeline.FeatureSpec)(nil).Historical(),
			pipeline.Feature(&other.Count, agg.Count(), minute),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Shop, agg.Last(expr.Col(&s.Shop)).Or(""), minute),
			pipeline.Feature(nil, agg.Count(), minute))
	}},
	{"features of nothing", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Total{}, minute),
			pipeline.Feature(&c.Sum, nil, window.Window{}))
	}},
	{"features of zero expressions", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count().Where(never).Where(never), minute),
			pipeline.Feature(&c.Sum, agg.Sum(nothing).Where(never), minute))
	}},
	{"slope per nothing", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		amount := expr.Col(&s.Amount)
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Sum, agg.Slope(amount, 0), minute))
	}},
	{"slope per less than a microsecond", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		amount := expr.Col(&s.Amount)
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), minute),
			pipeline.Feature(&c.Sum, agg.Slope(amount, time.Nanosecond), minute))
	}},
	{"one bad column in two features", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		note := expr.Col(&s.Note)
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Distinct(note), minute),
			pipeline.Feature(&c.Sum, agg.Sum(expr.Col(&s.Amount)).Where(note.Ne("")), minute))
	}},

	// Windows.
	{"window of nothing", over(window.Last(0))},
	{"window into the future", over(window.Last(-time.Minute))},
	{"window that overflows", over(window.Last(window.Day * time.Duration(days(200_000))))},
	{"window longer than ten years", over(window.Last(3661 * window.Day))},
	{"window finer than a microsecond", over(window.Last(time.Nanosecond))},
	{"tile of nothing", over(minute.Tile(0))},
	{"tile backwards", over(minute.Tile(-time.Second))},
	{"tile longer than its window", over(minute.Tile(time.Hour))},
	{"tile finer than a microsecond", over(minute.Tile(time.Nanosecond))},
	{"window that nobody placed", over(window.Window{Length: -1})},
	{"window of too many ticks", func(d *pipeline.Draft) {
		var s sale
		var c shopSales
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.Every(time.Millisecond),
			pipeline.Feature(&c.Count, agg.Count(), window.Last(window.Day)))
	}},
	{"all at once", func(d *pipeline.Draft) {
		var s sale
		var c shopTotals
		sales := pipeline.From(d, "sales?", &s, pipeline.Ahead(-1)).Where(expr.Col(&s.Note).Eq(""))
		pipeline.Aggregate(sales, &c, pipeline.Every(0),
			pipeline.Feature(&c.Sum, agg.Sum(nothing), window.Last(0)))
	}},
}

// Stamped is a struct that others embed.
type Stamped struct {
	At time.Time `spill:"at,time"`
}

func source(name string, opts ...pipeline.SourceOption) func(*pipeline.Draft) {
	return func(d *pipeline.Draft) {
		var s sale
		count(pipeline.From(d, name, &s, opts...))
	}
}

func from[T any](row *T) func(*pipeline.Draft) {
	return func(d *pipeline.Draft) { count(pipeline.From(d, "sales", row)) }
}

func where(p func(*sale) expr.Expr[bool]) func(*pipeline.Draft) {
	return func(d *pipeline.Draft) {
		var s sale
		count(pipeline.From(d, "sales", &s).Where(p(&s)))
	}
}

func aggregate(g pipeline.Grain) func(*pipeline.Draft) {
	return func(d *pipeline.Draft) {
		var s sale
		var c shopSales
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, g, pipeline.Feature(&c.Count, agg.Count(), minute))
	}
}

func over(w window.Window) func(*pipeline.Draft) {
	return func(d *pipeline.Draft) {
		var s sale
		var c shopSales
		pipeline.Aggregate(pipeline.From(d, "sales", &s), &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), w))
	}
}

func count(s *pipeline.Stream) {
	var c shopSales
	pipeline.Aggregate(s, &c, pipeline.EveryEvent(), pipeline.Feature(&c.Count, agg.Count(), minute))
}

func days(n int) int { return n } // keeps the compiler from seeing the overflow

func TestMistakes(t *testing.T) {
	source, err := os.ReadFile("mistakes_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	var got strings.Builder
	for _, m := range mistakes {
		fmt.Fprintf(&got, "# %s\n", m.name)
		p := pipeline.Define("shop_sales", m.define)
		if plan, err := p.Plan(); plan != nil || err == nil {
			t.Errorf("%s: has a plan", m.name)
			continue
		}
		shown := 0
		for _, f := range faults(t, p) {
			if filepath.Base(f.Pos.File) != "mistakes_test.go" || f.Thing == "" || f.Fault == "" || f.Remedy == "" {
				t.Errorf("%s: place, thing, fault or remedy is missing: %v", m.name, f)
				continue
			}
			if f.Pos.Line != shown {
				shown = f.Pos.Line
				fmt.Fprintf(&got, "%s\n", strings.TrimSpace(lines[shown-1]))
			}
			text := strings.TrimPrefix(f.Error(), f.Pos.String())
			fmt.Fprintf(&got, "    mistakes_test.go:N%s\n", atLine(lines, text))
		}
		got.WriteByte('\n')
	}
	golden(t, "testdata/mistakes.golden", got.String())
}

// atLine takes the numbers of lines out of a message that names another place.
func atLine(lines []string, text string) string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for n := len(lines); n > 0; n-- {
		text = strings.ReplaceAll(text, fmt.Sprintf("%s:%d", filepath.Join(dir, "mistakes_test.go"), n), "mistakes_test.go:N")
	}
	return text
}

// faults are what is wrong with the pipeline, one by one.
func faults(t *testing.T, p *pipeline.Pipeline) []*fault.Error {
	t.Helper()
	joined, ok := p.Validate().(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("no list of faults: %v", p.Validate())
	}
	var all []*fault.Error
	for _, err := range joined.Unwrap() {
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Fatalf("no fault: %v", err)
		}
		all = append(all, f)
	}
	return all
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not as in %s (go test -update writes it anew):\n%s", path, got)
	}
}

func TestDefineItself(t *testing.T) {
	for _, name := range []string{"", "Sales", "9sales", "shop-sales", "sales of today", strings.Repeat("s", 101)} {
		all := faults(t, pipeline.Define(name, source("sales")))
		if len(all) != 1 || !strings.Contains(all[0].Error(), "has a name that topics and tables cannot carry") {
			t.Errorf("name %q: %v", name, all)
		}
	}
	all := faults(t, pipeline.Define("sales", nil))
	if len(all) != 1 || !strings.Contains(all[0].Error(), "has no definition") {
		t.Errorf("no definition: %v", all)
	}
	longest := strings.Repeat("s", 100)
	p := pipeline.Define(longest, source("sales"))
	if p.Name() != longest || p.Validate() != nil {
		t.Errorf("a good definition: %v", p.Validate())
	}
}
