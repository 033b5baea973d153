package decode

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline/schema"
)

func TestParseTime(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1970-01-01T00:00:00-00:00", 0},
		{"1970-01-01T00:00:00.000001Z", 1},
		{"1970-01-01T00:00:00.0000019999Z", 1},
		{"1969-12-31T23:59:59.9999999Z", -1}, // floored
		{"1969-12-31T23:59:59.9999990000001Z", -1},
		{"1970-01-01T00:00:00.5Z", 500_000},
		{"1970-01-01T00:00:00+01:00", -3_600_000_000},
		{"1969-12-31T18:29:00-05:31", 0},
		{"2000-02-29T12:00:00Z", 951_825_600_000_000},
		{"2024-02-29T00:00:00Z", 1_709_164_800_000_000},
		{"0000-01-01T00:00:00Z", minTime},
		{"0000-02-29T00:00:00Z", minTime + 59*dayTime},
		{"9999-12-31T23:59:59.9999999Z", maxTime},
	} {
		if got, ok := parseTime([]byte(c.text)); got != c.want || !ok {
			t.Errorf("%s is %d, %v, want %d", c.text, got, ok, c.want)
		}
	}
	for _, text := range []string{
		"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00Z", "20260101T000000Z",
		"2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.5",
		"2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0000",
		"2026-01-01T00:00:00+00", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z",
		"+026-01-01T00:00:00Z", "2026-1-01T00:00:00ZZ", "2026/01/01T00:00:00Z", "2026-01-01T00-00-00Z", "2026-01-01T0a:00:00Z",
		"0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "٢٠٢٦-01-01T00:00:00Z",
	} {
		if got, ok := parseTime([]byte(text)); ok {
			t.Errorf("%q is %d, want none", text, got)
		}
	}
}

// TestEveryDay compares the calendar with the standard library's, day by day through eras of 400 years.
func TestEveryDay(t *testing.T) {
	text := make([]byte, 0, 32)
	for _, first := range []int{0, 1600, 2000, 9600} {
		for day := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < first+400; day = day.AddDate(0, 0, 1) {
			text = day.AppendFormat(text[:0], time.RFC3339)
			if got, ok := parseTime(text); !ok || got != schema.Micros(day) {
				t.Fatalf("%s is %d, %v, want %d", text, got, ok, schema.Micros(day))
			}
		}
	}
}

func TestTimesAgreeWithTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		day := int64(86_400) // so that no offset leads out of the years 0 to 9999
		first, last := minTime/second+day, maxTime/second-day
		at := time.Unix(first+rng.Int64N(last-first), rng.Int64N(1e9))
		zone := time.FixedZone("", (rng.IntN(2*1439)-1439)*60)
		text := at.In(zone).Format("2006-01-02T15:04:05." + strings.Repeat("0", 1+rng.IntN(9)) + "Z07:00")
		want, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseTime([]byte(text)); !ok || got != schema.Micros(want) {
			t.Fatalf("%s is %d, %v, want %d", text, got, ok, schema.Micros(want))
		}
	}
}
