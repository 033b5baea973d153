package expr

import "github.com/spillway-go/spillway/pipeline/schema"

// Add is a + b.
func Add[T Number](a, b Expr[T]) Expr[T] {
	return Expr[T]{node(OpAdd, kindOf[T](), a.Node(), b.Node())}
}

// Sub is a − b.
func Sub[T Number](a, b Expr[T]) Expr[T] {
	return Expr[T]{node(OpSub, kindOf[T](), a.Node(), b.Node())}
}

// Mul is a · b.
func Mul[T Number](a, b Expr[T]) Expr[T] {
	return Expr[T]{node(OpMul, kindOf[T](), a.Node(), b.Node())}
}

// Div is a / b. Of whole numbers it truncates toward zero, and is null when b is zero.
func Div[T Number](a, b Expr[T]) Expr[T] {
	return Expr[T]{node(OpDiv, kindOf[T](), a.Node(), b.Node())}
}

// Neg is −a.
func Neg[T Number](a Expr[T]) Expr[T] { return Expr[T]{node(OpNeg, kindOf[T](), a.Node())} }

// Float is the number as a float64, rounded to the nearest.
func Float[T Number](a Expr[T]) Expr[float64] {
	if kindOf[T]() == schema.Float {
		return Expr[float64]{a.Node()}
	}
	return Expr[float64]{node(OpToFloat, schema.Float, a.Node())}
}
