package expr

import (
	"slices"
	"unsafe"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// Func is a Go function in an expression, known by its name and version.
type Func struct {
	Name    string              // "name/v1"
	Call    func([]Datum) Datum // gets no nulls
	Missing bool                // the user passed a nil function
	In      []schema.Kind       // the kinds of its arguments
	Out     schema.Kind         // the kind of its result
	small   []bool              // which of its parameters are whole numbers of 32 bits
}

// Call applies a Go function to an expression. The name must end in a version, as in "risky_bin/v1": change it when the
// function's answers change, since it is all that the plan's hash knows of the function. Where an argument is null the
// function is not called and the result is null.
//
// The function must depend on its arguments alone: it is called again whenever an engine asks again. If it panics, the
// engine stops with an error that names it.
func Call[A, R Scalar](name string, fn func(A) R, a Expr[A]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.Node())
	n.Func = &Func{
		Name: name, Missing: fn == nil, In: []schema.Kind{kindOf[A]()}, Out: kindOf[R](), small: []bool{small[A]()},
		Call: func(d []Datum) Datum { return datum(fn(goValue[A](d[0]))) },
	}
	return Expr[R]{n}
}

// Call2 applies a Go function to two expressions; see Call.
func Call2[A, B, R Scalar](name string, fn func(A, B) R, a Expr[A], b Expr[B]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.Node(), b.Node())
	n.Func = &Func{
		Name: name, Missing: fn == nil, In: []schema.Kind{kindOf[A](), kindOf[B]()}, Out: kindOf[R](),
		small: []bool{small[A](), small[B]()},
		Call:  func(d []Datum) Datum { return datum(fn(goValue[A](d[0]), goValue[B](d[1]))) },
	}
	return Expr[R]{n}
}

// Call3 applies a Go function to three expressions; see Call.
func Call3[A, B, C, R Scalar](name string, fn func(A, B, C) R, a Expr[A], b Expr[B], c Expr[C]) Expr[R] {
	n := node(OpCall, kindOf[R](), a.Node(), b.Node(), c.Node())
	n.Func = &Func{
		Name: name, Missing: fn == nil, In: []schema.Kind{kindOf[A](), kindOf[B](), kindOf[C]()}, Out: kindOf[R](),
		small: []bool{small[A](), small[B](), small[C]()},
		Call:  func(d []Datum) Datum { return datum(fn(goValue[A](d[0]), goValue[B](d[1]), goValue[C](d[2]))) },
	}
	return Expr[R]{n}
}

// same tells whether two functions of one name can be one function, as far as can be seen.
func (f *Func) same(g *Func) bool { return f.Out == g.Out && slices.Equal(f.In, g.In) }

func small[T Scalar]() bool { return kindOf[T]() == schema.Int && unsafe.Sizeof(*new(T)) == 4 }

// fit makes a resolved expression one that a 32-bit parameter can take. Whole numbers are 64 bits wide inside, so
// arithmetic on 32-bit ones can give what the parameter would silently cut. Multiplied by 2^32, exactly those overflow,
// which makes their record invalid (invariant 3).
func fit(n *Node) *Node {
	switch n.Op {
	case OpColumn, OpLiteral, OpCall:
		return n // They come from a Go value of 32 bits.
	}
	shift := &Node{Op: OpLiteral, Kind: schema.Int, Lit: Datum{I: 1 << 32}, Pos: n.Pos}
	high := &Node{Op: OpMul, Kind: schema.Int, Args: []*Node{n, shift}, Pos: n.Pos}
	return &Node{Op: OpDiv, Kind: schema.Int, Args: []*Node{high, shift}, Pos: n.Pos}
}
