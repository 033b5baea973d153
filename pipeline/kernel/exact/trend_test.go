package exact

import "testing"

func TestSlopeOfKnownPoints(t *testing.T) {
	const start, minute = 1_700_000_000_000_000, 60_000_000
	var r Trend
	var p Pool
	r.Add(start, 100, &p)
	r.Add(start, 104, &p)
	if _, ok := r.Slope(minute, &p); ok {
		t.Error("the slope at one time is not none")
	}
	r.Add(start+5*minute, 112, &p)
	r.Add(start+5*minute, 112, &p)
	if got, ok := r.Slope(minute, &p); !ok || got != 2 {
		t.Errorf("Slope = %v, %t, want 2 a minute", got, ok)
	}
}
