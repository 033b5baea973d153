package agg

import (
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func of[T expr.Scalar](op Op, x expr.Expr[T]) Maybe[T] {
	return Maybe[T]{Spec{Op: op, Kind: x.Node().Kind, Arg: x.Node(), Pos: fault.Caller(2)}}
}

func float[T expr.Scalar](op Op, x expr.Expr[T]) Maybe[float64] {
	return Maybe[float64]{Spec{Op: op, Kind: schema.Float, Arg: x.Node(), Pos: fault.Caller(2)}}
}

func total(op Op, arg *expr.Node) Total {
	return Total{Spec{Op: op, Kind: schema.Int, Arg: arg, Pos: fault.Caller(2)}}
}

// Count is the number of events.
func Count() Total { return total(OpCount, nil) }

// CountOf is the number of values of x that are not null.
func CountOf[T expr.Scalar](x expr.Expr[T]) Total { return total(OpCountOf, x.Node()) }

// Distinct is the number of different values of x, compared by their bytes (−0 is +0, and NaN is one value).
func Distinct[T expr.Scalar](x expr.Expr[T]) Total { return total(OpDistinct, x.Node()) }

// Sum is the exact sum, rounded once. A sum of whole numbers that does not fit its field is dead-lettered as an answer.
func Sum[T expr.Number](x expr.Expr[T]) Maybe[T] { return of(OpSum, x) }

// Mean is the exact mean, rounded once.
func Mean[T expr.Number](x expr.Expr[T]) Maybe[float64] { return float(OpMean, x) }

// Min is the least value; NaN is greater than every number.
func Min[T expr.Scalar](x expr.Expr[T]) Maybe[T] { return of(OpMin, x) }

// Max is the greatest value; NaN is greater than every number.
func Max[T expr.Scalar](x expr.Expr[T]) Maybe[T] { return of(OpMax, x) }

// First is the first value in the total order.
func First[T expr.Scalar](x expr.Expr[T]) Maybe[T] { return of(OpFirst, x) }

// Last is the last value in the total order.
func Last[T expr.Scalar](x expr.Expr[T]) Maybe[T] { return of(OpLast, x) }

// Variance is the variance of the sample, Σ(x−mean)²/(n−1), exact and rounded once; of one value it is null.
func Variance[T expr.Number](x expr.Expr[T]) Maybe[float64] { return float(OpVar, x) }

// VariancePop is the variance of the population, Σ(x−mean)²/n, exact and rounded once.
func VariancePop[T expr.Number](x expr.Expr[T]) Maybe[float64] { return float(OpVarPop, x) }

// StdDev is the square root of the rounded Variance.
func StdDev[T expr.Number](x expr.Expr[T]) Maybe[float64] { return float(OpStd, x) }

// StdDevPop is the square root of the rounded VariancePop.
func StdDevPop[T expr.Number](x expr.Expr[T]) Maybe[float64] { return float(OpStdPop, x) }

// Share is the share, 0 to 1, of the values of p that are true, among those that are not null: Share(x.Between(a, b)) is
// the share of x in the range, bounds included.
func Share(p expr.Expr[bool]) Maybe[float64] { return float(OpShare, p) }

// Slope is the slope of the least-squares line of x over event time, in units of x for each per; null below two distinct
// times.
func Slope[T expr.Number](x expr.Expr[T], per time.Duration) Maybe[float64] {
	m := float(OpSlope, x)
	m.spec.Per = per
	return m
}
