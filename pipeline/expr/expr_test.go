package expr_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

type money float64

// event has a column of each type that an expression can hold.
var event struct {
	X, Y float64
	N    int64
	M    int32
	I    int
	B, C bool
	S    string
	T    time.Time
	Cost money
}

// columns are the columns of event by their address, in the order of names.
var (
	columns = []any{&event.X, &event.Y, &event.N, &event.M, &event.I, &event.B, &event.C, &event.S, &event.T, &event.Cost}
	names   = []string{"x", "y", "n", "m", "i", "b", "c", "s", "t", "cost"}
)

func name(c int) string { return names[c] }

func column(n *expr.Node) (*expr.Node, *fault.Error) {
	for i, ptr := range columns {
		if n.Pointer == ptr {
			r := *n
			r.Column = i
			return &r, nil
		}
	}
	return nil, fault.New("column", "is unknown", "use another")
}

func resolved(t *testing.T, n *expr.Node) *expr.Node {
	t.Helper()
	r := expr.Resolver{Column: column}
	n = r.Resolve(n, fault.Pos{})
	if len(r.Faults) > 0 {
		t.Fatal(r.Faults)
	}
	return n
}

func TestTextAndFormula(t *testing.T) {
	x, y, n, m := expr.Col(&event.X), expr.Col(&event.Y), expr.Col(&event.N), expr.Col(&event.M)
	b, c, s, at := expr.Col(&event.B), expr.Col(&event.C), expr.Col(&event.S), expr.Col(&event.T)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 1999, time.UTC)
	for _, e := range []struct {
		node          *expr.Node
		text, formula string
	}{
		{expr.Add(x, y).Node(), "(+ x y)", "x + y"},
		{expr.Sub(x, expr.Sub(y, x)).Node(), "(- x (- y x))", "x - (y - x)"},
		{expr.Sub(expr.Sub(x, y), x).Node(), "(- (- x y) x)", "x - y - x"},
		{expr.Mul(expr.Add(x, y), expr.Neg(x)).Node(), "(* (+ x y) (neg x))", "(x + y) * -x"},
		{expr.Add(x, expr.Mul(y, x)).Node(), "(+ x (* y x))", "x + y * x"},
		{expr.Div(n, expr.Div(n, n)).Node(), "(/ n (/ n n))", "n / (n / n)"},
		{expr.Neg(expr.Add(n, n)).Node(), "(neg (+ n n))", "-(n + n)"},
		{expr.Float(n).Node(), "(float n)", "float(n)"},
		{expr.Float(x).Node(), "x", "x"},
		{x.Eq(1).Node(), "(= x 1.0)", "x = 1"},
		{x.Ne(-0.5).Node(), "(<> x -0.5)", "x <> -0.5"},
		{n.Lt(1).Node(), "(< n 1)", "n < 1"},
		{m.Le(-1).Node(), "(<= m -1)", "m <= -1"},
		{s.Gt("a\"b").Node(), `(> s "a\"b")`, `s > "a\"b"`},
		{at.Ge(noon).Node(), "(>= t 1767268800000001us)", "t >= 2026-01-01T12:00:00.000001Z"},
		{b.Eq(true).Node(), "(= b true)", "b = true"},
		{x.Between(1, 1e300).Node(), "(and (>= x 1.0) (<= x 1e+300))", "x >= 1 and x <= 1e+300"},
		{s.In().Node(), "false", "false"},
		{s.In("a").Node(), `(= s "a")`, `s = "a"`},
		{s.In("a", "b", "c").Node(), `(or (or (= s "a") (= s "b")) (= s "c"))`, `s = "a" or s = "b" or s = "c"`},
		{expr.Equal(x, y).Node(), "(= x y)", "x = y"},
		{expr.NotEqual(x, y).Node(), "(<> x y)", "x <> y"},
		{expr.Less(x, y).Node(), "(< x y)", "x < y"},
		{expr.LessEqual(x, y).Node(), "(<= x y)", "x <= y"},
		{expr.Greater(x, y).Node(), "(> x y)", "x > y"},
		{expr.GreaterEqual(x, y).Node(), "(>= x y)", "x >= y"},
		{expr.Equal(b, x.Gt(0)).Node(), "(= b (> x 0.0))", "b = (x > 0)"},
		{expr.Equal(x.Gt(0), b).Node(), "(= (> x 0.0) b)", "(x > 0) = b"},
		{expr.And(b).Node(), "b", "b"},
		{expr.And(b, c, x.Gt(0)).Node(), "(and (and b c) (> x 0.0))", "b and c and x > 0"},
		{expr.And(b, expr.Or(b, c)).Node(), "(and b (or b c))", "b and (b or c)"},
		{expr.Or(expr.And(b, c), b).Node(), "(or (and b c) b)", "b and c or b"},
		{expr.Or(b, expr.Or(c, b)).Node(), "(or b (or c b))", "b or c or b"},
		{expr.Not(expr.Or(b, c)).Node(), "(not (or b c))", "not(b or c)"},
		{expr.IsNull(s).Node(), "(is_null s)", "is_null(s)"},
		{expr.IfNull(x, y).Node(), "(if_null x y)", "if_null(x, y)"},
		{x.IfNull(0).Node(), "(if_null x 0.0)", "if_null(x, 0)"},
		{expr.If(b, x, expr.Add(x, y)).Node(), "(if b x (+ x y))", "if(b, x, x + y)"},
		{expr.Call("f/v1", func(float64) bool { return true }, expr.Add(x, y)).Node(), `(call "f/v1" (+ x y))`, "f/v1(x + y)"},
		{expr.Lit(math.NaN()).Node(), "NaN", "NaN"},
		{expr.Lit(math.Inf(-1)).Node(), "-Inf", "-Inf"},
		{expr.Lit(math.Copysign(0, -1)).Node(), "-0.0", "-0"},
		{expr.Lit(money(2)).Node(), "2.0", "2"},
		{expr.Lit[int32](2).Node(), "2", "2"},
	} {
		r := resolved(t, e.node)
		if got := r.Text(name); got != e.text {
			t.Errorf("text %s, want %s", got, e.text)
		}
		if got := r.Formula(name); got != e.formula {
			t.Errorf("formula %s, want %s", got, e.formula)
		}
	}
	sum := resolved(t, expr.Add(x, y).Node())
	if got := sum.Operand(name); got != "(x + y)" {
		t.Errorf("an operand is %s", got)
	}
	sum.Name = "total"
	if got := expr.Add(expr.Col(&event.X), expr.Lit(1.0)).Node(); got.Name != "" || sum.Operand(name) != "total" || sum.Text(name) != "(+ x y)" {
		t.Errorf("a name is no name: %s, %s", sum.Operand(name), sum.Text(name))
	}
}

func TestColumnsThatLookLikeConstants(t *testing.T) {
	x := resolved(t, expr.Col(&event.X).Node())
	for name, want := range map[string]string{
		"amount": "amount", "5": "`5`", "24h_volume": "`24h_volume`", "true": "`true`", "false": "`false`", "null": "`null`",
		"NaN": "`NaN`", "nan": "nan", "Inf": "Inf",
	} {
		if got := x.Text(func(int) string { return name }); got != want {
			t.Errorf("column %s is written %s, want %s", name, got, want)
		}
	}
}

func TestTextOfWhatIsNoValue(t *testing.T) {
	if got := (expr.Datum{Null: true}).Text(schema.Time); got != "null" {
		t.Errorf("null is %s", got)
	}
	if got := (expr.Datum{Null: true}).Formula(schema.Time); got != "null" {
		t.Errorf("null is %s", got)
	}
	if got := (expr.Datum{}).Text(schema.Invalid); got != "invalid(invalid)" {
		t.Errorf("a value of no kind is %s", got)
	}
}

func TestPlaces(t *testing.T) {
	x, b := expr.Col(&event.X), expr.Col(&event.B)
	twice := func(x float64) float64 { return 2 * x }
	for _, n := range []*expr.Node{
		x.Node(), expr.Lit(1.0).Node(), x.Gt(1).Node(), x.Gt(1).Node().Args[1], x.Between(1, 2).Node(), x.In(1, 2).Node(),
		x.In(1, 2).Node().Args[0], expr.Add(x, x).Node(), expr.Neg(x).Node(), expr.Equal(x, x).Node(), expr.And(b, b).Node(),
		expr.Not(b).Node(), expr.If(b, x, x).Node(), x.IfNull(1).Node(), x.IfNull(1).Node().Args[1], expr.IfNull(x, x).Node(),
		expr.Float(expr.Col(&event.N)).Node(), expr.Call("f/v1", twice, x).Node(),
	} {
		if filepath.Base(n.Pos.File) != "expr_test.go" {
			t.Errorf("%s is at %v", n.Op, n.Pos)
		}
	}
}

func TestResolverFindsAllFaults(t *testing.T) {
	var other float64
	var none expr.Expr[float64]
	here := fault.Pos{File: "here.go", Line: 7}
	f := func(float64) float64 { return 0 }
	r := expr.Resolver{Column: column}
	e := expr.And(
		none.Gt(0),
		expr.Col(&other).Gt(0),
		expr.Call("f", f, none).Gt(0),
		expr.Call[float64, float64]("f/v1", nil, expr.Col(&other)).Gt(0),
		expr.Call("f/v1", func(string) float64 { return 0 }, expr.Col(&event.S)).Gt(0),
	)
	if n := r.Resolve(e.Node(), here); n != nil {
		t.Errorf("it is resolved: %v", n)
	}
	var got []string
	for _, f := range r.Faults {
		if filepath.Base(f.Pos.File) != "expr_test.go" {
			t.Errorf("a fault at %v: %v", f.Pos, f)
		}
		got = append(got, f.Fault[:min(len(f.Fault), 22)])
	}
	want := []string{
		"is the zero Expr, whic", "is unknown", "its name has no versio", "is the zero Expr, whic", "is nil", "is unknown",
		"is another function at",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("faults\n%s", strings.Join(got, "\n"))
	}

	r = expr.Resolver{Column: column}
	r.Resolve(none.Node(), here)
	if len(r.Faults) != 1 || r.Faults[0].Pos != here {
		t.Errorf("what does not know its place: %v", r.Faults)
	}
	if r.Resolve(nil, here) != nil || len(r.Faults) != 1 {
		t.Error("no expression has a fault")
	}
}

func TestResolverLetsAColumnBeSilent(t *testing.T) {
	r := expr.Resolver{Column: func(*expr.Node) (*expr.Node, *fault.Error) { return nil, nil }}
	if n := r.Resolve(expr.Col(&event.X).Gt(0).Node(), fault.Pos{}); n != nil || len(r.Faults) > 0 {
		t.Errorf("%v, %v", n, r.Faults)
	}
}

func TestLimit(t *testing.T) {
	x := expr.Col(&event.N)
	wide := func(values int) *expr.Node { return x.In(make([]int64, values)...).Node() }
	r := expr.Resolver{Column: column}
	// Each value is a comparison, a column and a constant, and joined to those before.
	if r.Resolve(wide(expr.Limit/4), fault.Pos{}) == nil {
		t.Errorf("refused: %v", r.Faults)
	}
	if r.Resolve(wide(expr.Limit/4+1), fault.Pos{}) != nil || len(r.Faults) != 1 {
		t.Errorf("not refused: %v", r.Faults)
	}
	// A column that stands for a large expression counts as that.
	big := resolved(t, wide(1000))
	r = expr.Resolver{Column: func(*expr.Node) (*expr.Node, *fault.Error) { return big, nil }}
	b := expr.Col(&event.B)
	if r.Resolve(expr.And(b, b, b, b, b).Node(), fault.Pos{}) != nil || len(r.Faults) != 1 {
		t.Errorf("not refused: %v", r.Faults)
	}
}

// call gives the answer of a Call with constants for arguments.
func call(t *testing.T, n *expr.Node) expr.Datum {
	t.Helper()
	n = resolved(t, n)
	in := make([]expr.Datum, len(n.Args))
	for i, a := range n.Args {
		in[i] = a.Lit
	}
	return n.Func.Call(in)
}

func TestValuesGoThroughFunctionsUnchanged(t *testing.T) {
	sent := time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600))
	seen := struct {
		b bool
		n int64
		m int32
		i int
		x float64
		s string
		t time.Time
		c money
	}{}
	call(t, expr.Call3("f/v1", func(b bool, n int64, m int32) bool {
		seen.b, seen.n, seen.m = b, n, m
		return b
	}, expr.Lit(true), expr.Lit[int64](math.MinInt64), expr.Lit[int32](math.MinInt32)).Node())
	call(t, expr.Call3("f/v1", func(i int, x float64, s string) int {
		seen.i, seen.x, seen.s = i, x, s
		return i
	}, expr.Lit(math.MinInt), expr.Lit(math.SmallestNonzeroFloat64), expr.Lit("é\x00")).Node())
	call(t, expr.Call2("f/v1", func(t time.Time, c money) money {
		seen.t, seen.c = t, c
		return c
	}, expr.Lit(sent), expr.Lit(money(1.5))).Node())
	if !seen.b || seen.n != math.MinInt64 || seen.m != math.MinInt32 || seen.i != math.MinInt ||
		seen.x != math.SmallestNonzeroFloat64 || seen.s != "é\x00" || seen.c != 1.5 {
		t.Errorf("arguments came as %+v", seen)
	}
	// Floored to the microsecond, and in UTC.
	if want := time.Date(1969, 12, 31, 22, 59, 59, 999_999_000, time.UTC); seen.t != want {
		t.Errorf("%v came as %v, want %v", sent, seen.t, want)
	}
	for _, c := range []struct {
		n    *expr.Node
		want expr.Datum
	}{
		{expr.Call("f/v1", func(bool) bool { return true }, expr.Lit(false)).Node(), expr.Datum{I: 1}},
		{expr.Call("f/v1", func(bool) bool { return false }, expr.Lit(true)).Node(), expr.Datum{}},
		{expr.Call("f/v1", func(bool) int32 { return -7 }, expr.Lit(false)).Node(), expr.Datum{I: -7}},
		{expr.Call("f/v1", func(bool) int { return -7 }, expr.Lit(false)).Node(), expr.Datum{I: -7}},
		{expr.Call("f/v1", func(bool) float64 { return -7.5 }, expr.Lit(false)).Node(), expr.Datum{F: -7.5}},
		{expr.Call("f/v1", func(bool) string { return "a" }, expr.Lit(false)).Node(), expr.Datum{S: "a"}},
		{expr.Call("f/v1", func(bool) time.Time { return sent }, expr.Lit(false)).Node(), expr.Datum{I: -3600_000_001}},
	} {
		if got := call(t, c.n); got != c.want {
			t.Errorf("%s is %+v, want %+v", c.n.Func.Name, got, c.want)
		}
	}
}

// An int32 parameter must not get the low half of a number that is none.
func TestSmallParametersAreGuarded(t *testing.T) {
	m := expr.Col(&event.M)
	half := func(m int32) int32 { return m / 2 }
	for _, c := range []struct {
		arg  expr.Expr[int32]
		want string
	}{
		{m, `(call "half/v1" m)`},
		{expr.Lit[int32](4), `(call "half/v1" 4)`},
		{expr.Call("half/v1", half, m), `(call "half/v1" (call "half/v1" m))`},
		{expr.Add(m, m), `(call "half/v1" (/ (* (+ m m) 4294967296) 4294967296))`},
	} {
		if got := resolved(t, expr.Call("half/v1", half, c.arg).Node()).Text(name); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	whole := expr.Call("half/v1", func(n int64) int64 { return n / 2 }, expr.Add(expr.Col(&event.N), expr.Col(&event.N)))
	if got, want := resolved(t, whole.Node()).Text(name), `(call "half/v1" (+ n n))`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCallsCostNoAllocation(t *testing.T) {
	f := resolved(t, expr.Call("f/v1", func(x float64) float64 { return x }, expr.Col(&event.X)).Node()).Func
	in := []expr.Datum{{F: 1}}
	if n := testing.AllocsPerRun(100, func() { f.Call(in) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestZeroExpressionsNeverPanic(t *testing.T) {
	var x expr.Expr[float64]
	var b expr.Expr[bool]
	for _, n := range []*expr.Node{
		x.Node(), expr.Add(x, x).Node(), expr.Float(x).Node(), x.Eq(1).Node(), x.Between(1, 2).Node(), x.In(1, 2).Node(),
		expr.And(b).Node(), expr.Or(b, b).Node(), expr.Not(b).Node(), expr.IsNull(x).Node(), x.IfNull(1).Node(),
		expr.If(b, x, x).Node(), expr.Call("f/v1", func(float64) bool { return true }, x).Node(),
	} {
		r := expr.Resolver{Column: column}
		if r.Resolve(n, fault.Pos{File: "here.go", Line: 1}) != nil || len(r.Faults) == 0 {
			t.Errorf("%s has no fault", n.Op)
		}
	}
}
