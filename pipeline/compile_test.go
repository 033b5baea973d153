package pipeline_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// program is a definition into which a test writes one statement.
const program = `package main

import (
	"database/sql"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

type Celsius float64

type Reading struct {
	Sensor string
	Temp   Celsius
	Volt   float64
	Ticks  int64
	Level  int32
	Count  int
	On     bool
	At     time.Time
	Small  uint8
	Half   float32
	Maybe  *float64
}

type Row struct {
	Float      float64
	Int        int64
	Int32      int32
	Plain      int
	Text       string
	Bool       bool
	Time       time.Time
	Temp       Celsius
	FloatPtr   *float64
	IntPtr     *int64
	TextPtr    *string
	TimePtr    *time.Time
	TempPtr    *Celsius
	FloatNull  sql.Null[float64]
	IntNull    sql.Null[int64]
}

var last = window.Last(time.Hour)

func define(d *pipeline.Draft, s *pipeline.Stream) {
	var r Reading
	var c Row
	_ = sql.Drivers
	_, _, _, _, _, _ = pipeline.EveryEvent, agg.Count, expr.Not, last, r, c

	%s
}
`

// compiles are statements that the compiler takes.
var compiles = []string{
	`pipeline.Feature(&c.Int, agg.Count(), last)`,
	`pipeline.Feature(&c.Int, agg.Distinct(expr.Col(&r.Sensor)), last)`,
	`pipeline.Feature(&c.Float, agg.Sum(expr.Col(&r.Volt)).Or(0), last)`,
	`pipeline.Feature(&c.FloatPtr, agg.Sum(expr.Col(&r.Volt)), last)`,
	`pipeline.Feature(&c.FloatNull, agg.Sum(expr.Col(&r.Volt)).Null(), last)`,
	`pipeline.Feature(&c.IntPtr, agg.Sum(expr.Col(&r.Ticks)), last)`,
	`pipeline.Feature(&c.IntNull, agg.Sum(expr.Col(&r.Ticks)).Null(), last)`,
	`pipeline.Feature(&c.Int32, agg.Sum(expr.Col(&r.Level)).Or(0), last)`,
	`pipeline.Feature(&c.Plain, agg.Max(expr.Col(&r.Count)).Or(-1), last)`,
	`pipeline.Feature(&c.Temp, agg.Max(expr.Col(&r.Temp)).Or(0), last)`,
	`pipeline.Feature(&c.TempPtr, agg.Last(expr.Col(&r.Temp)), last)`,
	`pipeline.Feature(&c.FloatPtr, agg.Mean(expr.Col(&r.Temp)), last)`,
	`pipeline.Feature(&c.FloatPtr, agg.Mean(expr.Col(&r.Ticks)), last)`,
	`pipeline.Feature(&c.TextPtr, agg.Min(expr.Col(&r.Sensor)), last)`,
	`pipeline.Feature(&c.TimePtr, agg.Max(expr.Col(&r.At)), last)`,
	`pipeline.Feature(&c.Bool, agg.Last(expr.Col(&r.On)).Or(false), last)`,
	`pipeline.Feature(&c.FloatPtr, agg.Share(expr.Col(&r.On)), last)`,
	`s.Where(expr.Col(&r.On)).Where(expr.Col(&r.Temp).Gt(21.5))`,
	`s.Where(expr.Col(&r.Sensor).In("a", "b"))`,
	`expr.Add(expr.Col(&r.Ticks), expr.Lit[int64](5))`,
	`expr.Mul(expr.Col(&r.Temp), expr.Lit(Celsius(1.8)))`,
	`expr.Less(expr.Float(expr.Col(&r.Ticks)), expr.Col(&r.Volt))`,
	`expr.Call2("late/v1", func(a, b time.Time) float64 { return b.Sub(a).Hours() }, expr.Col(&r.At), expr.Col(&r.At))`,
	`pipeline.Select(s, &c, pipeline.Set(&c.Float, expr.Neg(expr.Col(&r.Volt))))`,
}

// refused are statements that the compiler must refuse, each with parts of what it says: the types that do not go together.
var refused = []struct {
	what, statement string
	says            []string
}{
	{
		"a plain field for an aggregate that may be null", `pipeline.Feature(&c.Float, agg.Sum(expr.Col(&r.Volt)), last)`,
		[]string{"agg.Maybe[float64]", "agg.Of[float64]"},
	},
	{
		"a pointer for a count", `pipeline.Feature(&c.IntPtr, agg.Count(), last)`,
		[]string{"agg.Total", "agg.Of[*int64]"},
	},
	{
		"an int for a count", `pipeline.Feature(&c.Plain, agg.Count(), last)`,
		[]string{"agg.Total", "agg.Of[int]"},
	},
	{
		"a pointer for what Or has filled", `pipeline.Feature(&c.FloatPtr, agg.Sum(expr.Col(&r.Volt)).Or(0), last)`,
		[]string{"agg.Plain[float64]", "agg.Of[*float64]"},
	},
	{
		"an int for a mean", `pipeline.Feature(&c.Int, agg.Mean(expr.Col(&r.Ticks)).Or(0), last)`,
		[]string{"agg.Plain[float64]", "agg.Of[int64]"},
	},
	{
		"a float for a sum of ints", `pipeline.Feature(&c.Float, agg.Sum(expr.Col(&r.Ticks)).Or(0), last)`,
		[]string{"agg.Plain[int64]", "agg.Of[float64]"},
	},
	{
		"a float for a temperature", `pipeline.Feature(&c.Float, agg.Max(expr.Col(&r.Temp)).Or(0), last)`,
		[]string{"agg.Plain[Celsius]", "agg.Of[float64]"},
	},
	{
		"a number for a text", `pipeline.Feature(&c.FloatPtr, agg.Last(expr.Col(&r.Sensor)), last)`,
		[]string{"agg.Maybe[string]", "agg.Of[*float64]"},
	},
	{
		"a pointer for a sql.Null", `pipeline.Feature(&c.FloatPtr, agg.Sum(expr.Col(&r.Volt)).Null(), last)`,
		[]string{"agg.SQLNull[float64]", "agg.Of[*float64]"},
	},
	{
		"a sql.Null without Null", `pipeline.Feature(&c.FloatNull, agg.Sum(expr.Col(&r.Volt)), last)`,
		[]string{"agg.Maybe[float64]", "agg.Of[sql.Null[float64]]"},
	},
	{
		"the field itself for its address", `pipeline.Feature(c.Int, agg.Count(), last)`,
		[]string{"c.Int", "int64"},
	},
	{"Or of another type", `agg.Sum(expr.Col(&r.Ticks)).Or(0.5)`, []string{"0.5", "int64"}},
	{"Or of a count", `agg.Count().Or(0)`, []string{"agg.Total", "Or"}},
	{"Or twice", `agg.Sum(expr.Col(&r.Volt)).Or(0).Or(1)`, []string{"agg.Plain[float64]", "Or"}},

	{"a sum of texts", `agg.Sum(expr.Col(&r.Sensor))`, []string{"string", "expr.Number"}},
	{"a mean of bools", `agg.Mean(expr.Col(&r.On))`, []string{"bool", "expr.Number"}},
	{"a slope of times", `agg.Slope(expr.Col(&r.At), time.Hour)`, []string{"time.Time", "expr.Number"}},
	{"a share of numbers", `agg.Share(expr.Col(&r.Volt))`, []string{"expr.Expr[float64]", "expr.Expr[bool]"}},
	{"an aggregate of a field", `agg.Sum(&r.Volt)`, []string{"*float64", "expr.Expr"}},

	{"a column of the value", `expr.Col(r.Volt)`, []string{"float64", "*T"}},
	{"a column without a sign", `expr.Col(&r.Small)`, []string{"uint8", "expr.Scalar"}},
	{"a column of a float32", `expr.Col(&r.Half)`, []string{"float32", "expr.Scalar"}},
	{"a column of a pointer", `expr.Col(&r.Maybe)`, []string{"*float64", "expr.Scalar"}},
	{"a column that does not exist", `expr.Col(&r.Voltage)`, []string{"r.Voltage", "Reading"}},

	{"arithmetic on texts", `expr.Add(expr.Col(&r.Sensor), expr.Lit("x"))`, []string{"string", "expr.Number"}},
	{
		"arithmetic of an int and a float", `expr.Add(expr.Col(&r.Ticks), expr.Col(&r.Volt))`,
		[]string{"expr.Expr[float64]", "expr.Expr[int64]"},
	},
	{
		"arithmetic of an int64 and a bare constant", `expr.Add(expr.Col(&r.Ticks), expr.Lit(5))`,
		[]string{"expr.Expr[int]", "expr.Expr[int64]"},
	},
	{"volts and degrees", `expr.Sub(expr.Col(&r.Volt), expr.Col(&r.Temp))`, []string{"expr.Expr[Celsius]", "expr.Expr[float64]"}},
	{
		"a text compared with a number", `expr.Equal(expr.Col(&r.Sensor), expr.Col(&r.Volt))`,
		[]string{"expr.Expr[float64]", "expr.Expr[string]"},
	},
	{"a number compared with a text", `expr.Col(&r.Volt).Gt("5")`, []string{`"5"`, "float64"}},
	{"an int compared with a fraction", `expr.Col(&r.Ticks).Gt(0.5)`, []string{"0.5", "int64"}},
	{"Go's own comparison", `_ = expr.Col(&r.Volt) > 5`, []string{"expr.Expr[float64]"}},
	{
		"If of two types", `expr.If(expr.Col(&r.On), expr.Col(&r.Volt), expr.Col(&r.Ticks))`,
		[]string{"expr.Expr[int64]", "expr.Expr[float64]"},
	},
	{
		"IfNull of two types", `expr.IfNull(expr.Col(&r.Volt), expr.Col(&r.Sensor))`,
		[]string{"expr.Expr[string]", "expr.Expr[float64]"},
	},
	{"Not of a number", `expr.Not(expr.Col(&r.Volt))`, []string{"expr.Expr[float64]", "expr.Expr[bool]"}},
	{
		"a function of another type", `expr.Call("f/v1", func(float64) bool { return true }, expr.Col(&r.Sensor))`,
		[]string{"expr.Expr[string]", "expr.Expr[float64]"},
	},
	{
		"a function that may fail", `expr.Call("f/v1", func(float64) (bool, error) { return true, nil }, expr.Col(&r.Volt))`,
		[]string{"func(float64) (bool, error)"},
	},

	{"Where with a number", `s.Where(expr.Col(&r.Volt))`, []string{"expr.Expr[float64]", "expr.Expr[bool]"}},
	{"Where with a bool", `s.Where(r.On)`, []string{"bool", "expr.Expr[bool]"}},
	{"a feature's Where with a text", `agg.Count().Where(expr.Col(&r.Sensor))`, []string{"expr.Expr[string]", "expr.Expr[bool]"}},
	{"Set of another type", `pipeline.Set(&c.Float, expr.Col(&r.Ticks))`, []string{"expr.Expr[int64]", "expr.Expr[float64]"}},
	{"a window that is a duration", `pipeline.Feature(&c.Int, agg.Count(), time.Hour)`, []string{"time.Hour", "window.Window"}},
	{"a grain that is a duration", `pipeline.Aggregate(s, &c, time.Hour)`, []string{"time.Hour", "pipeline.Grain"}},
	{"a result that is no pointer", `pipeline.Aggregate(s, c, pipeline.EveryEvent())`, []string{"Row", "*T"}},
}

func TestWhatCompiles(t *testing.T) {
	check := compiler(t)
	for _, statement := range compiles {
		if err := check(statement); err != nil {
			t.Errorf("%s\n\tis refused: %v", statement, err)
		}
	}
	for _, r := range refused {
		t.Run(strings.ReplaceAll(r.what, " ", "_"), func(t *testing.T) {
			err := check(r.statement)
			if err == nil {
				t.Fatalf("%s\n\tcompiles", r.statement)
			}
			for _, part := range r.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s\n\tgives %q, which does not say %q", r.statement, err, part)
				}
			}
		})
	}
}

// compiler gives a function that checks a statement as the Go compiler does. What the program imports it knows from the
// build cache, so that a case costs no build.
func compiler(t *testing.T) func(statement string) error {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./agg", ".")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[path] = file
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s is not imported by package pipeline", path)
		}
		return os.Open(exports[path])
	})
	return func(statement string) error {
		file, err := parser.ParseFile(fset, "main.go", fmt.Sprintf(program, statement), 0)
		if err != nil {
			t.Fatal(err)
		}
		c := types.Config{Importer: imports}
		_, err = c.Check("main", fset, []*ast.File{file}, nil)
		return err
	}
}
