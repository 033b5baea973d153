package expr

import (
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// And is true when a and all of more are; false when one of them is, null or not; else null.
func And(a Expr[bool], more ...Expr[bool]) Expr[bool] {
	for _, b := range more {
		a = Expr[bool]{node(OpAnd, schema.Bool, a.Node(), b.Node())}
	}
	return a
}

// Or is true when a or one of more is; false when all of them are; else null.
func Or(a Expr[bool], more ...Expr[bool]) Expr[bool] {
	for _, b := range more {
		a = Expr[bool]{node(OpOr, schema.Bool, a.Node(), b.Node())}
	}
	return a
}

// Not is true when a is false, and null when a is null.
func Not(a Expr[bool]) Expr[bool] { return Expr[bool]{node(OpNot, schema.Bool, a.Node())} }

// IsNull is whether a is null; it is never null itself.
func IsNull[T Scalar](a Expr[T]) Expr[bool] { return Expr[bool]{node(OpIsNull, schema.Bool, a.Node())} }

// IfNull is the expression, or v where it is null.
func (e Expr[T]) IfNull(v T) Expr[T] {
	return Expr[T]{node(OpIfNull, kindOf[T](), e.Node(), literal(v, fault.Caller(1)))}
}

// IfNull is a, or b where a is null. Where b is a constant, the method of the same name is shorter.
func IfNull[T Scalar](a, b Expr[T]) Expr[T] {
	return Expr[T]{node(OpIfNull, kindOf[T](), a.Node(), b.Node())}
}

// If is then where cond is true, and otherwise (also where cond is null) els.
func If[T Scalar](cond Expr[bool], then, els Expr[T]) Expr[T] {
	return Expr[T]{node(OpIf, kindOf[T](), cond.Node(), then.Node(), els.Node())}
}
