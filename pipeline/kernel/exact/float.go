package exact

// Parts of a float64, as IEEE 754 lays them out.
const (
	signBit      = 1 << 63
	mantissaMask = 1<<52 - 1
	hiddenBit    = 1 << 52
	exponentMask = 1<<11 - 1
)

// exponent returns the biased exponent of the float64 with the bits b.
func exponent(b uint64) uint64 { return b >> 52 & exponentMask }

// split returns the finite number with the bits b as ±m·2^exp.
func split(b uint64) (m uint64, exp int) {
	e := exponent(b)
	m = b & mantissaMask
	if e == 0 {
		return m, -1074
	}
	return m | hiddenBit, int(e) - 1075
}
