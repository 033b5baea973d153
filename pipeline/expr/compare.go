package expr

import (
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func compare[T Scalar](op Op, a Expr[T], v T) Expr[bool] {
	pos := fault.Caller(2)
	return Expr[bool]{&Node{Op: op, Kind: schema.Bool, Args: []*Node{a.Node(), literal(v, pos)}, Pos: pos}}
}

// Eq is whether the expression equals v.
func (e Expr[T]) Eq(v T) Expr[bool] { return compare(OpEq, e, v) }

// Ne is whether the expression differs from v.
func (e Expr[T]) Ne(v T) Expr[bool] { return compare(OpNe, e, v) }

// Lt is whether the expression is less than v.
func (e Expr[T]) Lt(v T) Expr[bool] { return compare(OpLt, e, v) }

// Le is whether the expression is at most v.
func (e Expr[T]) Le(v T) Expr[bool] { return compare(OpLe, e, v) }

// Gt is whether the expression is greater than v.
func (e Expr[T]) Gt(v T) Expr[bool] { return compare(OpGt, e, v) }

// Ge is whether the expression is at least v.
func (e Expr[T]) Ge(v T) Expr[bool] { return compare(OpGe, e, v) }

// Between is whether the expression lies in [lo, hi], both bounds included.
func (e Expr[T]) Between(lo, hi T) Expr[bool] {
	return Expr[bool]{node(OpAnd, schema.Bool, compare(OpGe, e, lo).node, compare(OpLe, e, hi).node)}
}

// In is whether the expression equals one of the values; of no values it is false.
func (e Expr[T]) In(values ...T) Expr[bool] {
	if len(values) == 0 {
		return Lit(false)
	}
	in := compare(OpEq, e, values[0])
	for _, v := range values[1:] {
		in = Expr[bool]{node(OpOr, schema.Bool, in.node, compare(OpEq, e, v).node)}
	}
	return in
}

// Equal is whether a equals b.
func Equal[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpEq, schema.Bool, a.Node(), b.Node())}
}

// NotEqual is whether a differs from b.
func NotEqual[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpNe, schema.Bool, a.Node(), b.Node())}
}

// Less is whether a is less than b.
func Less[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpLt, schema.Bool, a.Node(), b.Node())}
}

// LessEqual is whether a is at most b.
func LessEqual[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpLe, schema.Bool, a.Node(), b.Node())}
}

// Greater is whether a is greater than b.
func Greater[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpGt, schema.Bool, a.Node(), b.Node())}
}

// GreaterEqual is whether a is at least b.
func GreaterEqual[T Scalar](a, b Expr[T]) Expr[bool] {
	return Expr[bool]{node(OpGe, schema.Bool, a.Node(), b.Node())}
}
