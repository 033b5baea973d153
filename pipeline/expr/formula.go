package expr

import (
	"strings"
	"time"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// strength is how strongly an operation written between its operands binds them; 0 is one that is written otherwise.
func strength(o Op) int {
	switch o {
	case OpOr:
		return 1
	case OpAnd:
		return 2
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return 3
	case OpAdd, OpSub:
		return 4
	case OpMul, OpDiv:
		return 5
	}
	return 0
}

// Formula writes the resolved tree as people do, as in amount > 100 and country <> home_country, and what has a Name by it.
// It is for reading: what a plan is known by is Text.
func (n *Node) Formula(names func(column int) string) string {
	var b strings.Builder
	n.formula(&b, names, 0)
	return b.String()
}

// Operand is Formula, in parentheses where a word before or behind it could be taken for a part of it.
func (n *Node) Operand(names func(column int) string) string {
	var b strings.Builder
	n.formula(&b, names, strength(OpMul)+1)
	return b.String()
}

// formula writes the tree where an operation of the strength outer stands around it.
func (n *Node) formula(b *strings.Builder, names func(int) string, outer int) {
	own := strength(n.Op)
	switch {
	case n.Name != "":
		b.WriteString(n.Name)
	case n.Op == OpColumn:
		b.WriteString(names(n.Column))
	case n.Op == OpLiteral:
		b.WriteString(n.Lit.Formula(n.Kind))
	case own > 0:
		if own < outer {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
		// And and Or may be chained either way; of the others only what stands on the left needs no parentheses.
		left, right := own, own+1
		if n.Op == OpAnd || n.Op == OpOr {
			right = own
		} else if own == strength(OpEq) {
			left = own + 1
		}
		n.Args[0].formula(b, names, left)
		b.WriteString(" " + n.Op.String() + " ")
		n.Args[1].formula(b, names, right)
	default:
		n.call(b, names)
	}
}

// call writes an operation as a function of its arguments, and a minus and a not before theirs.
func (n *Node) call(b *strings.Builder, names func(int) string) {
	switch n.Op {
	case OpNeg:
		b.WriteString("-")
		n.Args[0].formula(b, names, strength(OpMul)+1)
		return
	case OpCall:
		b.WriteString(n.Func.Name)
	default:
		b.WriteString(n.Op.String())
	}
	b.WriteByte('(')
	for i, a := range n.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.formula(b, names, 0)
	}
	b.WriteByte(')')
}

// Formula writes the value as people do: a time by the calendar.
func (d Datum) Formula(kind schema.Kind) string {
	if kind == schema.Time && !d.Null {
		return time.UnixMicro(d.I).UTC().Format(time.RFC3339Nano)
	}
	return d.Text(kind)
}
