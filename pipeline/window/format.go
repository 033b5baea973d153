package window

import (
	"strconv"
	"strings"
	"time"
)

// Format writes a span of time as people do: in days where there are any, and without the units that are zero, as in 14d,
// 1d12h, 1h30m or 0s. Negative spans are written as time.Duration writes them.
func Format(d time.Duration) string {
	days := ""
	if d >= Day {
		days = strconv.FormatInt(int64(d/Day), 10) + "d"
		if d %= Day; d == 0 {
			return days
		}
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return days + s
}
