package agg

import (
	"database/sql"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Op names an aggregate.
type Op string

// The aggregates.
const (
	OpCount    Op = "count"
	OpCountOf  Op = "count_of"
	OpSum      Op = "sum"
	OpMean     Op = "mean"
	OpMin      Op = "min"
	OpMax      Op = "max"
	OpFirst    Op = "first"
	OpLast     Op = "last"
	OpVar      Op = "variance"
	OpVarPop   Op = "variance_pop"
	OpStd      Op = "stddev"
	OpStdPop   Op = "stddev_pop"
	OpDistinct Op = "distinct"
	OpShare    Op = "share"
	OpSlope    Op = "slope"
)

// Spec is an aggregate as an engine reads it.
type Spec struct {
	Op    Op
	Kind  schema.Kind   // of the result
	Arg   *expr.Node    // nil for Count
	Where *expr.Node    // nil: every event
	Per   time.Duration // OpSlope: the unit of time
	Or    *expr.Datum   // what a null result becomes; nil: it stays null
	Pos   fault.Pos
}

// Of is an aggregate whose result fits a field of type O.
type Of[O any] interface {
	Spec() Spec
	fits(O)
}

// Total is an aggregate that is never null: a count.
type Total struct{ spec Spec }

// Spec is the aggregate for engines.
func (t Total) Spec() Spec { return t.spec }
func (Total) fits(int64)   {}

// Where keeps only the events for which the predicate is true.
func (t Total) Where(p expr.Expr[bool]) Total {
	t.spec.Where = and(t.spec.Where, p)
	return t
}

// Maybe is an aggregate that is null when its window holds nothing. It fits a field of type *T.
type Maybe[T expr.Scalar] struct{ spec Spec }

// Spec is the aggregate for engines.
func (m Maybe[T]) Spec() Spec { return m.spec }
func (Maybe[T]) fits(*T)      {}

// Where keeps only the events for which the predicate is true.
func (m Maybe[T]) Where(p expr.Expr[bool]) Maybe[T] {
	m.spec.Where = and(m.spec.Where, p)
	return m
}

// Or gives v in place of null, so that the aggregate fits a plain field of type T.
func (m Maybe[T]) Or(v T) Plain[T] {
	d := expr.Lit(v).Node().Lit
	m.spec.Or = &d
	return Plain[T](m)
}

// Null makes the aggregate fit a field of type sql.Null[T].
func (m Maybe[T]) Null() SQLNull[T] { return SQLNull[T](m) }

// Plain is an aggregate whose null has been replaced. It fits a field of type T.
type Plain[T expr.Scalar] struct{ spec Spec }

// Spec is the aggregate for engines.
func (p Plain[T]) Spec() Spec { return p.spec }
func (Plain[T]) fits(T)       {}

// Where keeps only the events for which the predicate is true.
func (p Plain[T]) Where(w expr.Expr[bool]) Plain[T] {
	p.spec.Where = and(p.spec.Where, w)
	return p
}

// SQLNull is an aggregate that fits a field of type sql.Null[T].
type SQLNull[T expr.Scalar] struct{ spec Spec }

// Spec is the aggregate for engines.
func (n SQLNull[T]) Spec() Spec     { return n.spec }
func (SQLNull[T]) fits(sql.Null[T]) {}

// Where keeps only the events for which the predicate is true.
func (n SQLNull[T]) Where(p expr.Expr[bool]) SQLNull[T] {
	n.spec.Where = and(n.spec.Where, p)
	return n
}

func and(a *expr.Node, p expr.Expr[bool]) *expr.Node {
	if a == nil {
		return p.Node()
	}
	return &expr.Node{Op: expr.OpAnd, Kind: schema.Bool, Args: []*expr.Node{a, p.Node()}, Pos: p.Node().Pos}
}
