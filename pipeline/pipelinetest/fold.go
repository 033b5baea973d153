package pipelinetest

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// misfit is an answer that does not fit its field.
var misfit = expr.Datum{Null: true, S: "does not fit"}

// fold is the answer of feature f over the events of its window, in order.
func fold(f *pipeline.FeaturePlan, index int, window []*Event) expr.Datum {
	var values []expr.Datum
	var times []int64
	for _, e := range window {
		if e.taken[index] && (f.Agg.Op == agg.OpCount || !e.args[index].Null) {
			values = append(values, e.args[index])
			times = append(times, e.Time)
		}
	}
	answer := canonical(f.Kind, aggregate(&f.Agg, values, times))
	switch {
	case answer == null && f.Agg.Or != nil:
		answer = canonical(f.Kind, *f.Agg.Or)
	case f.Kind == schema.Int && !answer.Null && (answer.I < f.Min || answer.I > f.Max):
		answer = misfit
	}
	return answer
}

func aggregate(spec *agg.Spec, values []expr.Datum, times []int64) expr.Datum {
	n := int64(len(values))
	switch spec.Op {
	case agg.OpCount, agg.OpCountOf:
		return expr.Datum{I: n}
	case agg.OpDistinct:
		return expr.Datum{I: distinct(spec.Arg.Kind, values)}
	}
	if n == 0 {
		return null
	}
	compare := func(a, b expr.Datum) int { return compareData(spec.Arg.Kind, a, b) }
	switch spec.Op {
	case agg.OpFirst:
		return values[0]
	case agg.OpLast:
		return values[n-1]
	case agg.OpMin:
		return slices.MinFunc(values, compare)
	case agg.OpMax:
		return slices.MaxFunc(values, compare)
	case agg.OpShare:
		var yes int64
		for _, v := range values {
			yes += v.I
		}
		return round(big.NewRat(yes, n))
	case agg.OpSum:
		if spec.Kind == schema.Int {
			s := sum(rationals(schema.Int, values)).Num()
			if !s.IsInt64() {
				return misfit
			}
			return expr.Datum{I: s.Int64()}
		}
		if special, ok := specialSum(values); ok {
			return special
		}
		return round(sum(rationals(schema.Float, values)))
	case agg.OpMean:
		if special, ok := specialSum(values); ok {
			return special
		}
		return round(mean(rationals(spec.Arg.Kind, values)))
	}
	return moments(spec, values, times)
}

// moments are the aggregates of squares and products. One infinity or NaN makes them NaN.
func moments(spec *agg.Spec, values []expr.Datum, times []int64) expr.Datum {
	n := int64(len(values))
	switch {
	case (spec.Op == agg.OpVar || spec.Op == agg.OpStd) && n < 2:
		return null
	case spec.Op == agg.OpSlope && slices.Min(times) == slices.Max(times):
		return null
	}
	if _, ok := specialSum(values); ok {
		return expr.Datum{F: math.NaN()}
	}
	x := deviations(rationals(spec.Arg.Kind, values))
	switch spec.Op {
	case agg.OpVar:
		return round(over(dot(x, x), n-1))
	case agg.OpVarPop:
		return round(over(dot(x, x), n))
	case agg.OpStd:
		return expr.Datum{F: math.Sqrt(round(over(dot(x, x), n-1)).F)}
	case agg.OpStdPop:
		return expr.Datum{F: math.Sqrt(round(over(dot(x, x), n)).F)}
	case agg.OpSlope:
		var at []*big.Rat
		for _, t := range times {
			at = append(at, big.NewRat(t, spec.Per.Microseconds()))
		}
		at = deviations(at)
		return round(new(big.Rat).Quo(dot(at, x), dot(at, at)))
	}
	panic(fmt.Sprintf("pipelinetest: an aggregate that the oracle does not know: %s", spec.Op))
}

// specialSum is the sum of floats that are not all finite numbers.
func specialSum(values []expr.Datum) (expr.Datum, bool) {
	s, found := 0.0, false
	for _, v := range values {
		if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
			s, found = s+v.F, true
		}
	}
	return expr.Datum{F: s}, found
}

func distinct(kind schema.Kind, values []expr.Datum) int64 {
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, func(a, b expr.Datum) int { return compareData(kind, a, b) })
	same := func(a, b expr.Datum) bool { return compareData(kind, a, b) == 0 }
	return int64(len(slices.CompactFunc(sorted, same)))
}

func rationals(kind schema.Kind, values []expr.Datum) []*big.Rat {
	rs := make([]*big.Rat, len(values))
	for i, v := range values {
		if kind == schema.Int {
			rs[i] = new(big.Rat).SetInt64(v.I)
		} else {
			rs[i] = new(big.Rat).SetFloat64(v.F)
		}
	}
	return rs
}

func sum(xs []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for _, x := range xs {
		s.Add(s, x)
	}
	return s
}

func over(x *big.Rat, n int64) *big.Rat { return new(big.Rat).Quo(x, big.NewRat(n, 1)) }

func mean(xs []*big.Rat) *big.Rat { return over(sum(xs), int64(len(xs))) }

// deviations are each x less the mean.
func deviations(xs []*big.Rat) []*big.Rat {
	m := mean(xs)
	ds := make([]*big.Rat, len(xs))
	for i, x := range xs {
		ds[i] = new(big.Rat).Sub(x, m)
	}
	return ds
}

func dot(xs, ys []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for i := range xs {
		s.Add(s, new(big.Rat).Mul(xs[i], ys[i]))
	}
	return s
}

// round is the float64 nearest to x, ties to even; beyond the greatest it is an infinity.
func round(x *big.Rat) expr.Datum {
	f, _ := x.Float64()
	return canonical(schema.Float, expr.Datum{F: f})
}
