package schedule

import (
	"fmt"
	"math"
	"time"
)

// An Interval that is open below starts at Beginning, one that is open above ends at End.
const (
	Beginning int64 = math.MinInt64
	End       int64 = math.MaxInt64
)

// Interval is the stretch of time [From, To) that a run answers for, in µs UTC. The zero Interval is empty and no run
// can have it.
type Interval struct {
	From int64
	To   int64
}

// Always is the interval that is open on both sides.
var Always = Interval{From: Beginning, To: End}

// String is the interval as [from, to) with its times in RFC 3339, an open side as "…".
func (iv Interval) String() string {
	side := func(us int64) string {
		if us == Beginning || us == End {
			return "…"
		}
		return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.999999Z")
	}
	return fmt.Sprintf("[%s, %s)", side(iv.From), side(iv.To))
}
