package control

import (
	"fmt"
	"time"
)

// Horizon is how far the rule looks forward, and steady how far for a person whose glucose varies little: the coefficient
// of variation below which glucose counts as stable is 36 %.
const (
	Horizon  = 20 * time.Minute
	steady   = 10 * time.Minute
	unstable = 0.36
)

// Alert tells whether a person needs to act against a hypoglycaemia now, and why. It needs the live features; the
// historical ones sharpen it: one whose glucose varies much is warned earlier.
func Alert(c *Control) (alert bool, why string) {
	if c.Glucose == nil {
		return false, "no reading in the last half hour"
	}
	if *c.Glucose < low {
		return true, fmt.Sprintf("glucose is %.0f mg/dl", *c.Glucose)
	}
	horizon := Horizon
	if c.Mean14d != nil && c.StdDev14d != nil && *c.StdDev14d < unstable**c.Mean14d {
		horizon = steady
	}
	if c.Trend == nil {
		return false, "one reading has no trend"
	}
	if soon := *c.Glucose + horizon.Minutes()**c.Trend; soon < low {
		return true, fmt.Sprintf("glucose is %.0f mg/dl and falls by %.1f a minute: %.0f in %.0f minutes", *c.Glucose, -*c.Trend, soon, horizon.Minutes())
	}
	return false, "glucose is and stays above 70 mg/dl"
}
