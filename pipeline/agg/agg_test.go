package agg_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

type row struct {
	X float64
	N int32
	S string
	B bool
	T time.Time
}

// These must compile: what each aggregate fits.
var (
	_ agg.Of[int64]                = agg.Count()
	_ agg.Of[*int32]               = agg.Sum(expr.Lit[int32](1))
	_ agg.Of[int32]                = agg.Sum(expr.Lit[int32](1)).Or(0)
	_ agg.Of[sql.Null[string]]     = agg.Last(expr.Lit("a")).Null()
	_ agg.Of[sql.Null[string]]     = agg.Last(expr.Lit("a")).Null().Where(expr.Lit(true))
	_ agg.Of[*time.Time]           = agg.Max(expr.Lit(time.Time{}))
	_ agg.Of[float64]              = agg.Mean(expr.Lit(1)).Or(0).Where(expr.Lit(true))
	_ agg.Of[sql.Null[float64]]    = agg.Slope(expr.Lit(1), time.Hour).Null()
	_ agg.Of[*bool]                = agg.First(expr.Lit(true))
	_ interface{ Spec() agg.Spec } = agg.Total{}
)

func TestSpecs(t *testing.T) {
	var r row
	x, n := expr.Col(&r.X), expr.Col(&r.N)
	for _, c := range []struct {
		a    interface{ Spec() agg.Spec }
		op   agg.Op
		kind schema.Kind
		arg  schema.Kind // Invalid: none
	}{
		{agg.Count(), agg.OpCount, schema.Int, schema.Invalid},
		{agg.CountOf(expr.Col(&r.B)), agg.OpCountOf, schema.Int, schema.Bool},
		{agg.Distinct(expr.Col(&r.S)), agg.OpDistinct, schema.Int, schema.Text},
		{agg.Sum(n), agg.OpSum, schema.Int, schema.Int},
		{agg.Sum(x), agg.OpSum, schema.Float, schema.Float},
		{agg.Mean(n), agg.OpMean, schema.Float, schema.Int},
		{agg.Min(expr.Col(&r.T)), agg.OpMin, schema.Time, schema.Time},
		{agg.Max(expr.Col(&r.S)), agg.OpMax, schema.Text, schema.Text},
		{agg.First(expr.Col(&r.B)), agg.OpFirst, schema.Bool, schema.Bool},
		{agg.Last(n), agg.OpLast, schema.Int, schema.Int},
		{agg.Variance(n), agg.OpVar, schema.Float, schema.Int},
		{agg.VariancePop(x), agg.OpVarPop, schema.Float, schema.Float},
		{agg.StdDev(x), agg.OpStd, schema.Float, schema.Float},
		{agg.StdDevPop(n), agg.OpStdPop, schema.Float, schema.Int},
		{agg.Share(expr.Col(&r.B)), agg.OpShare, schema.Float, schema.Bool},
		{agg.Slope(x, time.Hour), agg.OpSlope, schema.Float, schema.Float},
		{agg.Sum(expr.Expr[float64]{}), agg.OpSum, schema.Float, schema.Float}, // a mistake, but no panic
	} {
		s := c.a.Spec()
		if s.Op != c.op || s.Kind != c.kind || s.Where != nil || s.Or != nil {
			t.Errorf("%s: %+v", c.op, s)
		}
		if (c.arg == schema.Invalid) != (s.Arg == nil) || s.Arg != nil && s.Arg.Kind != c.arg {
			t.Errorf("%s: its argument is %+v", c.op, s.Arg)
		}
		if !strings.HasSuffix(s.Pos.File, "agg_test.go") {
			t.Errorf("%s: it is at %v", c.op, s.Pos)
		}
	}
	if per := agg.Slope(x, time.Hour).Spec().Per; per != time.Hour {
		t.Errorf("a slope an hour is per %v", per)
	}
}

func TestWhereAddsUpAndLeavesTheOriginalAlone(t *testing.T) {
	var r row
	names := func(int) string { return "col" }
	b := expr.Col(&r.B)
	total, maybe := agg.Count(), agg.Sum(expr.Col(&r.X))
	for name, of := range map[string]func(w ...expr.Expr[bool]) agg.Spec{
		"Total": func(w ...expr.Expr[bool]) agg.Spec { return all(total, agg.Total.Where, w) },
		"Maybe": func(w ...expr.Expr[bool]) agg.Spec { return all(maybe, agg.Maybe[float64].Where, w) },
		"Plain": func(w ...expr.Expr[bool]) agg.Spec { return all(maybe.Or(1), agg.Plain[float64].Where, w) },
		"Null":  func(w ...expr.Expr[bool]) agg.Spec { return all(maybe.Null(), agg.SQLNull[float64].Where, w) },
	} {
		if got := of(b).Where.Text(names); got != "col" {
			t.Errorf("%s: %s", name, got)
		}
		if got := of(b, expr.Not(b)).Where.Text(names); got != "(and col (not col))" {
			t.Errorf("%s: %s", name, got)
		}
		if of(expr.Expr[bool]{}).Where.Op != expr.OpInvalid {
			t.Errorf("%s: a zero predicate is lost", name)
		}
	}
	if total.Spec().Where != nil || maybe.Spec().Where != nil {
		t.Error("Where changed what it was called on")
	}
}

// all applies where for each of the predicates.
func all[A interface{ Spec() agg.Spec }](a A, where func(A, expr.Expr[bool]) A, ps []expr.Expr[bool]) agg.Spec {
	for _, p := range ps {
		a = where(a, p)
	}
	return a.Spec()
}

func TestOrIsTheValueInPlaceOfNull(t *testing.T) {
	x := agg.Sum(expr.Lit(1.0))
	if or := x.Or(2.5).Spec().Or; or == nil || or.F != 2.5 || or.Null {
		t.Errorf("Or(2.5) is %v", or)
	}
	if or := agg.Last(expr.Lit("a")).Or("").Spec().Or; or == nil || or.S != "" || or.Null {
		t.Errorf("Or of an empty text is %v", or)
	}
	if x.Null().Spec().Or != nil || x.Spec().Or != nil {
		t.Error("a null is replaced without Or")
	}
}
