package pipelinetest

import (
	"cmp"
	"math/big"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

var null = expr.Datum{Null: true}

// evaluator computes expressions of one record. Every operation of a tree is carried out, also those in the branch of an
// If that is not taken: overflow tells whether the result of any did not fit.
type evaluator struct {
	row      []expr.Datum
	overflow bool
}

func (v *evaluator) eval(n *expr.Node) expr.Datum {
	args := make([]expr.Datum, len(n.Args))
	anyNull := false
	for i, a := range n.Args {
		args[i] = v.eval(a)
		anyNull = anyNull || args[i].Null
	}
	switch n.Op {
	case expr.OpColumn:
		return v.row[n.Column]
	case expr.OpLiteral:
		return n.Lit
	case expr.OpIsNull:
		return truth(args[0].Null)
	case expr.OpIfNull:
		if args[0].Null {
			return args[1]
		}
		return args[0]
	case expr.OpIf:
		if isTrue(args[0]) {
			return args[1]
		}
		return args[2]
	case expr.OpAnd:
		return decide(args, false)
	case expr.OpOr:
		return decide(args, true)
	}
	if anyNull {
		return null
	}
	switch n.Op {
	case expr.OpNot:
		return truth(args[0].I == 0)
	case expr.OpToFloat:
		return expr.Datum{F: float64(args[0].I)}
	case expr.OpCall:
		return n.Func.Call(args)
	case expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpNeg:
		if n.Kind == schema.Float {
			return floatArithmetic(n.Op, args)
		}
		return v.wholeArithmetic(n.Op, args)
	}
	order := compareData(n.Args[0].Kind, args[0], args[1])
	switch n.Op {
	case expr.OpEq:
		return truth(order == 0)
	case expr.OpNe:
		return truth(order != 0)
	case expr.OpLt:
		return truth(order < 0)
	case expr.OpLe:
		return truth(order <= 0)
	case expr.OpGt:
		return truth(order > 0)
	case expr.OpGe:
		return truth(order >= 0)
	}
	panic("pipelinetest: an operation that the oracle does not know: " + n.Op.String())
}

func truth(b bool) expr.Datum {
	if b {
		return expr.Datum{I: 1}
	}
	return expr.Datum{I: 0}
}

func isTrue(d expr.Datum) bool { return !d.Null && d.I != 0 }

// decide is And (by false) or Or (by true) in three values: one deciding value decides, else a null makes it null.
func decide(args []expr.Datum, by bool) expr.Datum {
	result := truth(!by)
	for _, a := range args {
		if !a.Null && isTrue(a) == by {
			return truth(by)
		}
		if a.Null {
			result = null
		}
	}
	return result
}

// compareData orders values: NaN above all numbers and equal to itself, −0 equal to +0, texts by bytes, false before true.
func compareData(kind schema.Kind, a, b expr.Datum) int {
	switch kind {
	case schema.Text:
		return cmp.Compare(a.S, b.S)
	case schema.Float:
		aNaN, bNaN := a.F != a.F, b.F != b.F
		if aNaN || bNaN {
			return int(truth(aNaN).I - truth(bNaN).I)
		}
		return cmp.Compare(a.F, b.F)
	}
	return cmp.Compare(a.I, b.I)
}

func floatArithmetic(op expr.Op, args []expr.Datum) expr.Datum {
	x := args[0].F
	switch op {
	case expr.OpAdd:
		return expr.Datum{F: x + args[1].F}
	case expr.OpSub:
		return expr.Datum{F: x - args[1].F}
	case expr.OpMul:
		return expr.Datum{F: x * args[1].F}
	case expr.OpDiv:
		return expr.Datum{F: x / args[1].F}
	}
	return expr.Datum{F: -x}
}

func (v *evaluator) wholeArithmetic(op expr.Op, args []expr.Datum) expr.Datum {
	x, y := big.NewInt(args[0].I), big.NewInt(args[len(args)-1].I)
	r := new(big.Int)
	switch op {
	case expr.OpAdd:
		r.Add(x, y)
	case expr.OpSub:
		r.Sub(x, y)
	case expr.OpMul:
		r.Mul(x, y)
	case expr.OpDiv:
		if y.Sign() == 0 {
			return null
		}
		r.Quo(x, y) // truncates toward zero
	case expr.OpNeg:
		r.Neg(x)
	}
	if !r.IsInt64() {
		v.overflow = true
	}
	return expr.Datum{I: r.Int64()}
}
