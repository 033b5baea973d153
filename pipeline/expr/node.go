package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Op is what a node does.
type Op uint8

// The operations: the whole language. A new one needs an evaluator in the kernel, a line in the oracle and a row in
// opNames.
const (
	OpInvalid Op = iota
	OpColumn
	OpLiteral
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpNeg
	OpToFloat
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpAnd
	OpOr
	OpNot
	OpIsNull
	OpIfNull
	OpIf
	OpCall
)

var opNames = [...]string{
	OpInvalid: "invalid", OpColumn: "col", OpLiteral: "lit", OpAdd: "+", OpSub: "-", OpMul: "*", OpDiv: "/", OpNeg: "neg",
	OpToFloat: "float", OpEq: "=", OpNe: "<>", OpLt: "<", OpLe: "<=", OpGt: ">", OpGe: ">=", OpAnd: "and", OpOr: "or",
	OpNot: "not", OpIsNull: "is_null", OpIfNull: "if_null", OpIf: "if", OpCall: "call",
}

// String is the operation's name in plans.
func (o Op) String() string { return opNames[o] }

// Node is one node of an expression's tree. Engines read it; users build it through Expr.
type Node struct {
	Op   Op
	Kind schema.Kind // of the result
	Args []*Node
	Pos  fault.Pos

	Pointer any   // OpColumn: the field's address, as the user gave it
	Column  int   // OpColumn: the source's column, once resolved; -1 before
	Lit     Datum // OpLiteral
	Func    *Func // OpCall
}

// Datum is one value of any kind. Int, Time (µs) and Bool (0 or 1) are in I.
type Datum struct {
	Null bool
	I    int64
	F    float64
	S    string
}

// Func is a Go function in an expression, known by its name and version.
type Func struct {
	Name    string              // "name/v1"
	Call    func([]Datum) Datum // gets no nulls
	Missing bool                // the user passed a nil function
	In      []schema.Kind       // the kinds of its arguments
	Out     schema.Kind         // the kind of its result
}

// Resolve copies the tree with each column replaced by what column gives for it.
func (n *Node) Resolve(column func(*Node) (*Node, error)) (*Node, error) {
	if n == nil {
		return nil, nil
	}
	if n.Op == OpColumn {
		return column(n)
	}
	c := *n
	c.Args = make([]*Node, len(n.Args))
	for i, a := range n.Args {
		r, err := a.Resolve(column)
		if err != nil {
			return nil, err
		}
		c.Args[i] = r
	}
	return &c, nil
}

// Text writes the resolved tree in the canonical form that enters a plan's hash, with the columns' names.
func (n *Node) Text(names func(column int) string) string {
	var b strings.Builder
	n.text(&b, names)
	return b.String()
}

func (n *Node) text(b *strings.Builder, names func(int) string) {
	switch n.Op {
	case OpColumn:
		b.WriteString(names(n.Column))
	case OpLiteral:
		b.WriteString(n.Lit.Text(n.Kind))
	default:
		b.WriteByte('(')
		b.WriteString(n.Op.String())
		if n.Op == OpCall {
			b.WriteByte(' ')
			b.WriteString(strconv.Quote(n.Func.Name))
		}
		for _, a := range n.Args {
			b.WriteByte(' ')
			a.text(b, names)
		}
		b.WriteByte(')')
	}
}

// Text writes the value so that values of one kind differ in text exactly when they differ.
func (d Datum) Text(kind schema.Kind) string {
	switch {
	case d.Null:
		return "null"
	case kind == schema.Bool:
		return strconv.FormatBool(d.I != 0)
	case kind == schema.Int:
		return strconv.FormatInt(d.I, 10)
	case kind == schema.Float:
		return strconv.FormatFloat(d.F, 'g', -1, 64)
	case kind == schema.Text:
		return strconv.Quote(d.S)
	case kind == schema.Time:
		return strconv.FormatInt(d.I, 10) + "us"
	}
	return fmt.Sprintf("invalid(%v)", kind)
}
