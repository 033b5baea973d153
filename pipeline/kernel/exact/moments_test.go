package exact

import (
	"math"
	"testing"
)

func TestStdDevIsRootOfRoundedVariance(t *testing.T) {
	var m Moments
	var p Pool
	if _, ok := m.StdDevPop(&p); ok {
		t.Error("StdDevPop of nothing is not none")
	}
	m.Add(1, &p)
	if _, ok := m.StdDevSample(&p); ok {
		t.Error("StdDevSample of one value is not none")
	}
	m.Add(2, &p)
	m.Add(4, &p)
	if got, ok := m.StdDevSample(&p); !ok || got != math.Sqrt(7.0/3) {
		t.Errorf("StdDevSample = %v, %t", got, ok)
	}
	if got, ok := m.StdDevPop(&p); !ok || got != math.Sqrt(14.0/9) {
		t.Errorf("StdDevPop = %v, %t", got, ok)
	}
}
