package training

import (
	"errors"
	"time"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// The forms of times: RFC 3339, as Go, JSON and most databases write it, then as pandas and SQL do. The last three are UTC.
var timeLayouts = [...]string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02",
}

var (
	errTime = errors.New("which is no time")
	errYear = errors.New("which is outside the years 1 to 9999")
)

// parseTime reads a time, in µs.
func parseTime(text string) (int64, error) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return checkTime(t)
		}
	}
	return 0, errTime
}

func checkTime(t time.Time) (int64, error) {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return 0, errYear
	}
	return schema.Micros(t), nil
}
