package decode

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"
)

// number is a JSON number as read: ±mant·10^exp, unless it is long.
type number struct {
	mant uint64
	exp  int64 // relative to the last digit; beyond ±maxExp it is no longer exact, and need not be
	neg  bool
	long bool // more digits than mant can hold: only the text has them all
}

const (
	maxDigits = 19      // every number of so many decimal digits fits a uint64
	maxExp    = 1 << 40 // far more than a value has bytes, so that no run of zeros makes up for it
)

// scanNumber reads the number that begins at i, by the grammar of RFC 8259, and returns the position after it. When there
// is none, ok is false and the position is that of the byte that does not fit.
func scanNumber(v []byte, i int) (n number, end int, ok bool) {
	if i < len(v) && v[i] == '-' {
		n.neg = true
		i++
	}
	first := i
	for ; i < len(v) && v[i]-'0' <= 9; i++ {
		n.mant = n.mant*10 + uint64(v[i]-'0')
	}
	digits := i - first
	if digits == 0 {
		return n, i, false
	}
	if v[first] == '0' && digits > 1 {
		return n, first + 1, false
	}
	if i < len(v) && v[i] == '.' {
		i++
		point := i
		for ; i < len(v) && v[i]-'0' <= 9; i++ {
			n.mant = n.mant*10 + uint64(v[i]-'0')
		}
		if i == point {
			return n, i, false
		}
		digits += i - point
		n.exp = int64(point - i)
	}
	n.long = digits > maxDigits
	if i < len(v) && v[i]|0x20 == 'e' {
		var e int64
		if e, i, ok = scanExponent(v, i+1); !ok {
			return n, i, false
		}
		n.exp += e
	}
	return n, i, true
}

func scanExponent(v []byte, i int) (e int64, end int, ok bool) {
	neg := false
	if i < len(v) && (v[i] == '+' || v[i] == '-') {
		neg = v[i] == '-'
		i++
	}
	first := i
	for ; i < len(v) && v[i]-'0' <= 9; i++ {
		if e < maxExp {
			e = e*10 + int64(v[i]-'0')
		}
	}
	if neg {
		e = -e
	}
	return e, i, i > first
}

// integer is the exact value of the number written as text. It tells whether it is a whole number at all, and whether it
// fits an int64.
func (n number) integer(text []byte) (value int64, whole, fits bool) {
	if n.long && !n.shorten(text) {
		// More than 19 digits up to the last that is not zero: whole only if none of them is behind the point.
		return 0, n.exp >= 0, false
	}
	if n.mant == 0 {
		return 0, true, true
	}
	for n.exp < 0 {
		if n.mant%10 != 0 {
			return 0, false, false
		}
		n.mant /= 10
		n.exp++
	}
	for ; n.exp > 0; n.exp-- {
		high, low := bits.Mul64(n.mant, 10)
		if high != 0 {
			return 0, true, false
		}
		n.mant = low
	}
	if n.neg {
		return -int64(n.mant), true, n.mant <= 1<<63
	}
	return int64(n.mant), true, n.mant <= math.MaxInt64
}

// shorten strips the zeros before and behind a long number's digits and reads the rest into mant. It is false when even
// those are too many; exp is then that of the last digit that is not zero.
func (n *number) shorten(text []byte) bool {
	n.mant = 0
	digits := 0 // since the first that is not zero
	zeros := 0  // those at the end of them
	for _, c := range text {
		switch {
		case c|0x20 == 'e':
			n.exp += int64(zeros)
			return digits-zeros <= maxDigits
		case c < '0' || c > '9' || c == '0' && digits == 0:
			continue
		case c == '0':
			zeros++
		default:
			for ; zeros > 0; zeros-- {
				n.mant *= 10
			}
			n.mant = n.mant*10 + uint64(c-'0')
		}
		digits++
	}
	n.exp += int64(zeros)
	return digits-zeros <= maxDigits
}

// powers are the powers of ten that a double holds exactly.
var powers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float is the double nearest to the number written as text, ties to even. It is false when that would be infinite.
func (n number) float(text []byte) (float64, bool) {
	if !n.long && n.mant < 1<<53 && -int64(len(powers)) < n.exp && n.exp < int64(len(powers)) {
		// Both operands are exact, so the one operation rounds correctly.
		f := float64(n.mant)
		if n.neg {
			f = -f
		}
		if n.exp < 0 {
			return f / powers[-n.exp], true
		}
		return f * powers[n.exp], true
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	return f, err == nil
}
