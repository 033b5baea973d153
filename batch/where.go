package batch

import (
	"fmt"
	"math"
	"strconv"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// where gives conditions that are true of every record for which the plan's Where is: those of its conjuncts that SQL
// judges exactly as the kernel does, which judges them again. Comparisons, logic of three values and tests for null are
// the same in both (S4); arithmetic and calls are left to the kernel.
func (h *History) where() []string {
	var conditions []string
	var split func(n *expr.Node)
	split = func(n *expr.Node) {
		if n == nil {
			return
		}
		if n.Op == expr.OpAnd {
			split(n.Args[0])
			split(n.Args[1])
			return
		}
		if sql, ok := h.predicate(n); ok {
			conditions = append(conditions, sql)
		}
	}
	split(h.plan.Where)
	return conditions
}

var operators = map[expr.Op]string{
	expr.OpEq: "=", expr.OpNe: "<>", expr.OpLt: "<", expr.OpLe: "<=", expr.OpGt: ">", expr.OpGe: ">=",
	expr.OpAnd: "AND", expr.OpOr: "OR",
}

// predicate prints an expression, or tells that SQL might judge it otherwise.
func (h *History) predicate(n *expr.Node) (string, bool) {
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		var ok bool
		if args[i], ok = h.predicate(a); !ok {
			return "", false
		}
	}
	switch n.Op {
	case expr.OpColumn:
		return h.name(n.Column), true
	case expr.OpLiteral:
		return literal(n.Kind, n.Lit)
	case expr.OpEq, expr.OpNe, expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe, expr.OpAnd, expr.OpOr:
		return fmt.Sprintf("(%s %s %s)", args[0], operators[n.Op], args[1]), true
	case expr.OpNot:
		return "(NOT " + args[0] + ")", true
	case expr.OpIsNull:
		return "(" + args[0] + " IS NULL)", true
	}
	return "", false
}

func literal(kind schema.Kind, d expr.Datum) (string, bool) {
	if d.Null {
		return "", false
	}
	switch kind {
	case schema.Bool:
		return strconv.FormatBool(d.I != 0), true
	case schema.Int:
		return fmt.Sprintf("'%d'::BIGINT", d.I), true
	case schema.Float:
		switch {
		case math.IsNaN(d.F):
			return "'nan'::DOUBLE", true
		case math.IsInf(d.F, 0):
			return fmt.Sprintf("'%sinf'::DOUBLE", map[bool]string{true: "-"}[d.F < 0]), true
		}
		return "'" + strconv.FormatFloat(d.F, 'e', -1, 64) + "'::DOUBLE", true
	case schema.Text:
		return duckdb.Text(d.S), true
	case schema.Time:
		return duckdb.Time(d.I), d.I >= firstTime && d.I <= lastTime
	}
	return "", false
}
