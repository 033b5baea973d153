package exact

import (
	"math"
	"math/big"
)

// A point is a value and its time; where times play no part they are 0. If int is not nil it is the value.
type point struct {
	t   int64
	x   float64
	int *int64
}

// oracle answers every question by the definition, in fractions of unlimited size: to be checked by eye.
type oracle []point

func (o oracle) rat(i int) *big.Rat {
	if o[i].int != nil {
		return new(big.Rat).SetInt64(*o[i].int)
	}
	return new(big.Rat).SetFloat64(o[i].x)
}

// special is the sum of the values that are not finite, or 0 if there are none.
func (o oracle) special() float64 {
	sum := 0.0
	for _, p := range o {
		if p.int == nil && (math.IsNaN(p.x) || math.IsInf(p.x, 0)) {
			sum += p.x
		}
	}
	if math.IsNaN(sum) {
		return math.NaN() // of one bit pattern
	}
	return sum
}

func (o oracle) total(term func(i int) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for i := range o {
		sum.Add(sum, term(i))
	}
	return sum
}

func (o oracle) sum() float64 {
	if s := o.special(); s != 0 {
		return s
	}
	return nearest(o.total(o.rat))
}

func (o oracle) mean() (float64, bool) {
	if len(o) == 0 {
		return 0, false
	}
	if s := o.special(); s != 0 {
		return s, true
	}
	return nearest(quo(o.total(o.rat), whole(len(o)))), true
}

// variance is Σ(x − mean)²/(n − less).
func (o oracle) variance(less int) (float64, bool) {
	if len(o) <= less {
		return 0, false
	}
	if o.special() != 0 {
		return math.NaN(), true
	}
	mean := quo(o.total(o.rat), whole(len(o)))
	squares := o.total(func(i int) *big.Rat {
		d := new(big.Rat).Sub(o.rat(i), mean)
		return d.Mul(d, d)
	})
	return nearest(quo(squares, whole(len(o)-less))), true
}

// slope is unit·Σ(t − mean t)(x − mean x)/Σ(t − mean t)².
func (o oracle) slope(unit uint64) (float64, bool) {
	if len(o) == 0 {
		return 0, false
	}
	time := func(i int) *big.Rat { return new(big.Rat).SetInt64(o[i].t) }
	meanT := quo(o.total(time), whole(len(o)))
	squares := o.total(func(i int) *big.Rat {
		d := new(big.Rat).Sub(time(i), meanT)
		return d.Mul(d, d)
	})
	if squares.Sign() == 0 {
		return 0, false
	}
	if o.special() != 0 {
		return math.NaN(), true
	}
	meanX := quo(o.total(o.rat), whole(len(o)))
	products := o.total(func(i int) *big.Rat {
		d := new(big.Rat).Sub(time(i), meanT)
		return d.Mul(d, new(big.Rat).Sub(o.rat(i), meanX))
	})
	products.Mul(products, new(big.Rat).SetUint64(unit))
	return nearest(quo(products, squares)), true
}

func whole(n int) *big.Rat { return new(big.Rat).SetInt64(int64(n)) }

func quo(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

// nearest rounds once, ties to even; a number too large becomes an infinity.
func nearest(x *big.Rat) float64 {
	f, _ := x.Float64()
	return f
}
