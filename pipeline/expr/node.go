package expr

import (
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Op is what a node does.
type Op uint8

// The operations: the whole language. A new one needs an evaluator in the kernel, a line in the oracle and a row in
// opNames.
const (
	OpInvalid Op = iota // a zero Expr: Resolve refuses it
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
	Name string // what a Select calls it, for people; it means nothing

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
