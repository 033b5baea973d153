package expr

import "github.com/spillway-go/spillway/pipeline/schema"

// Call applies a Go function to an expression. The name must end in a version, as in "risky_bin/v1": change it when the
// function's answers change, since it is all that the plan's hash knows of the function. Where an argument is null the
// function is not called and the result is null.
func Call[A, R Scalar](name string, fn func(A) R, a Expr[A]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.node)
	n.Func = &Func{Name: name, In: []schema.Kind{kindOf[A]()}, Out: kindOf[R](), Call: func(d []Datum) Datum {
		return datum(fn(goValue[A](d[0])))
	}}
	n.Func.Missing = fn == nil
	return Expr[R]{n}
}

// Call2 applies a Go function to two expressions; see Call.
func Call2[A, B, R Scalar](name string, fn func(A, B) R, a Expr[A], b Expr[B]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.node, b.node)
	n.Func = &Func{Name: name, In: []schema.Kind{kindOf[A](), kindOf[B]()}, Out: kindOf[R](), Call: func(d []Datum) Datum {
		return datum(fn(goValue[A](d[0]), goValue[B](d[1])))
	}}
	n.Func.Missing = fn == nil
	return Expr[R]{n}
}

// Call3 applies a Go function to three expressions; see Call.
func Call3[A, B, C, R Scalar](name string, fn func(A, B, C) R, a Expr[A], b Expr[B], c Expr[C]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.node, b.node, c.node)
	n.Func = &Func{Name: name, In: []schema.Kind{kindOf[A](), kindOf[B](), kindOf[C]()}, Out: kindOf[R](),
		Call: func(d []Datum) Datum {
			return datum(fn(goValue[A](d[0]), goValue[B](d[1]), goValue[C](d[2])))
		}}
	n.Func.Missing = fn == nil
	return Expr[R]{n}
}
