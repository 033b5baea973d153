package control

import (
	"strings"
	"testing"
)

func TestAlert(t *testing.T) {
	n := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		about string
		c     Control
		alert bool
		why   string
	}{
		{"nobody heard of", Control{}, false, "no reading"},
		{"low already", Control{Glucose: n(69)}, true, "is 69 mg/dl"},
		{"the bound is in range", Control{Glucose: n(70), Trend: n(0)}, false, "stays above"},
		{"one reading", Control{Glucose: n(71)}, false, "one reading has no trend"},
		{"falls below within 20 minutes", Control{Glucose: n(95), Trend: n(-1.5)}, true, "65 in 20 minutes"},
		{"falls, but not so far", Control{Glucose: n(95), Trend: n(-1)}, false, "stays above"},
		{"varies little: 10 minutes", Control{Glucose: n(95), Trend: n(-1.5), Mean14d: n(120), StdDev14d: n(20)}, false, "stays above"},
		{"varies little, and falls fast", Control{Glucose: n(80), Trend: n(-1.5), Mean14d: n(120), StdDev14d: n(20)}, true, "65 in 10 minutes"},
		{"varies much: 20 minutes", Control{Glucose: n(95), Trend: n(-1.5), Mean14d: n(120), StdDev14d: n(60)}, true, "65 in 20 minutes"},
	} {
		if alert, why := Alert(&c.c); alert != c.alert || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v, %q", c.about, alert, why)
		}
	}
}
