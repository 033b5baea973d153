package expr

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Scalar is what a column or an expression can hold.
type Scalar interface {
	~bool | ~int | ~int32 | ~int64 | ~float64 | ~string | time.Time
}

// Number is what arithmetic works on.
type Number interface {
	~int | ~int32 | ~int64 | ~float64
}

// Expr is an expression that gives a T, or null, for each event. The zero Expr is none, and a definition that uses it is
// refused.
type Expr[T Scalar] struct{ node *Node }

// Node is the tree beneath the expression, for engines. That of the zero Expr is OpInvalid.
func (e Expr[T]) Node() *Node {
	if e.node == nil {
		return &Node{Op: OpInvalid, Kind: kindOf[T]()}
	}
	return e.node
}

// Col is the column whose field p points to: a tagged field of the variable that pipeline.From or pipeline.Select was given.
func Col[T Scalar](p *T) Expr[T] {
	return Expr[T]{&Node{Op: OpColumn, Kind: kindOf[T](), Pointer: p, Column: -1, Pos: fault.Caller(1)}}
}

// Lit is the constant v. Its type is v's, so beside an int64 column a 5 is written expr.Lit[int64](5).
func Lit[T Scalar](v T) Expr[T] { return Expr[T]{literal(v, fault.Caller(1))} }

func literal[T Scalar](v T, pos fault.Pos) *Node {
	return &Node{Op: OpLiteral, Kind: kindOf[T](), Lit: datum(v), Pos: pos}
}

func kindOf[T Scalar]() schema.Kind {
	t := reflect.TypeFor[T]()
	if t == reflect.TypeFor[time.Time]() {
		return schema.Time
	}
	switch t.Kind() {
	case reflect.Bool:
		return schema.Bool
	case reflect.Float64:
		return schema.Float
	case reflect.String:
		return schema.Text
	}
	return schema.Int
}

// datum and goValue go between a T and a Datum by T's size and kind: a type switch would miss named types, and
// reflection would cost an allocation for each event that a Call sees.
func datum[T Scalar](v T) Datum {
	p := unsafe.Pointer(&v)
	switch kindOf[T]() {
	case schema.Bool:
		if *(*bool)(p) {
			return Datum{I: 1}
		}
		return Datum{}
	case schema.Float:
		return Datum{F: *(*float64)(p)}
	case schema.Text:
		return Datum{S: *(*string)(p)}
	case schema.Time:
		return Datum{I: schema.Micros(*(*time.Time)(p))}
	}
	if unsafe.Sizeof(v) == 4 {
		return Datum{I: int64(*(*int32)(p))}
	}
	return Datum{I: *(*int64)(p)}
}

func goValue[T Scalar](d Datum) T {
	var v T
	p := unsafe.Pointer(&v)
	switch kindOf[T]() {
	case schema.Bool:
		*(*bool)(p) = d.I != 0
	case schema.Float:
		*(*float64)(p) = d.F
	case schema.Text:
		*(*string)(p) = d.S
	case schema.Time:
		*(*time.Time)(p) = time.UnixMicro(d.I).UTC()
	default:
		if unsafe.Sizeof(v) == 4 {
			*(*int32)(p) = int32(d.I)
		} else {
			*(*int64)(p) = d.I
		}
	}
	return v
}

func node(op Op, kind schema.Kind, args ...*Node) *Node {
	return &Node{Op: op, Kind: kind, Args: args, Pos: fault.Caller(2)}
}
