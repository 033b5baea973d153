package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// hardWords are the words where long division errs, if it does.
var hardWords = []uint64{0, 1, 1 << 63, 1<<63 - 1, 1<<63 + 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 32}

func randomWords(r *rand.Rand, n int) []uint64 {
	x := make([]uint64, n)
	for i := range x {
		x[i] = r.Uint64()
		if r.IntN(2) == 0 {
			x[i] = hardWords[r.IntN(len(hardWords))]
		}
	}
	return x
}

func ratOf(x []uint64) *big.Rat {
	n := new(big.Int)
	for i := range x {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(x[len(x)-1-i]))
	}
	return new(big.Rat).SetInt(n)
}

func scale(x *big.Rat, exp int) *big.Rat {
	power := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(exp, -exp))))
	if exp < 0 {
		power.Inv(power)
	}
	return power.Mul(power, x)
}

// almostTie returns a number half-way between two of 53 bits, or one more or less than that.
func almostTie(r *rand.Rand) []uint64 {
	x := make([]uint64, 5)
	zeros := 2 + r.Uint64N(180)
	addShifted(x, 0, (1<<52|r.Uint64N(1<<52))<<1|1, zeros, 0)
	switch r.IntN(3) {
	case 0:
		add(x, []uint64{1})
	case 1:
		sub(x, []uint64{1, 0, 0, 0, 0})
	}
	return x
}

// A tie to even that any one lower bit turns into more than a tie: none may be lost, however it is divided.
func TestDivideSeesEveryBit(t *testing.T) {
	for bit := range uint64(256) {
		x := []uint64{0, 0, 0, 0, 1<<53 | 1} // a mantissa of 53 bits and half a unit of its last place
		x[bit>>6] |= 1 << (bit & 63)
		for _, y := range [][]uint64{{1}, {2}, {0, 1}, {0, 1 << 63}, {0, 0, 1}, {0, 0, 0, 1}} {
			if got, want := divide(x, y, 0, 0), nearest(quo(ratOf(x), ratOf(y))); got != want {
				t.Errorf("%x / %x = %v, want %v", x, y, got, want)
			}
		}
	}
}

// The estimate of the quotient is two too large here, as much as it can be.
func TestDivideCorrectsTwice(t *testing.T) {
	const most = math.MaxUint64
	x, y := []uint64{most, most, most >> 1}, []uint64{most, 1 << 63}
	want := nearest(quo(ratOf(x), ratOf(y)))
	if got := divide(x, y, 0, 0); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDivideRoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 30000 {
		x, y := randomWords(r, 1+r.IntN(9)), randomWords(r, 1+r.IntN(4))
		if isZero(y) {
			continue
		}
		if r.IntN(2) == 0 {
			q := almostTie(r)
			x = make([]uint64, len(y)+len(q))
			mul(x, y, q)
		}
		exp := r.IntN(2400) - 1400
		neg := mask(r.Uint64())
		want := scale(quo(ratOf(x), ratOf(y)), exp)
		if neg != 0 {
			want.Neg(want)
		}
		if got := divide(x, y, exp, neg); math.Float64bits(got) != math.Float64bits(nearest(want)) {
			t.Fatalf("%x / %x · 2^%d = %v, want %v", x, y, exp, got, nearest(want))
		}
		want = scale(ratOf(x), exp)
		if neg != 0 {
			want.Neg(want)
		}
		if got := round(x, exp, neg); math.Float64bits(got) != math.Float64bits(nearest(want)) {
			t.Fatalf("%x · 2^%d = %v, want %v", x, exp, got, nearest(want))
		}
	}
}
