package window

import "math"

// Floor is the greatest multiple of step at or below t, also below zero. Where that is less than the least int64, it is the
// least int64. Step is above zero.
func Floor(t, step int64) int64 {
	m := t % step
	if m < 0 {
		m += step
	}
	if t < math.MinInt64+m {
		return math.MinInt64
	}
	return t - m
}

// Ceil is the least multiple of step at or above t. Where that is more than the greatest int64, it is the greatest int64.
// Step is above zero.
func Ceil(t, step int64) int64 {
	m := t % step
	if m > 0 {
		m -= step
	}
	if t > math.MaxInt64+m {
		return math.MaxInt64
	}
	return t - m
}
