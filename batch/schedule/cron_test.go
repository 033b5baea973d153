package schedule

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

func mustCron(t testing.TB, text string) *Cron {
	t.Helper()
	c, err := ParseCron(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCronNext(t *testing.T) {
	for _, test := range []struct{ cron, after, want string }{
		{"30 2 * * *", "2026-03-01T02:29:59.999999Z", "2026-03-01T02:30:00Z"},
		{"30 2 * * *", "2026-03-01T02:30:00Z", "2026-03-02T02:30:00Z"},
		{"  */15 8-10 * * MON-FRI ", "2026-11-20T10:45:00Z", "2026-11-23T08:00:00Z"},
		{"@hourly", "2026-03-01T02:30:00Z", "2026-03-01T03:00:00Z"},
		{"@daily", "2026-03-01T02:30:00Z", "2026-03-02T00:00:00Z"},
		{"@weekly", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"},
		{"@monthly", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
		{"@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},

		// The multiples since 1970, whenever it is asked.
		{"@every 15m", "2026-03-01T02:31:07Z", "2026-03-01T02:45:00Z"},
		{"@every 7s", "1970-01-01T00:00:00Z", "1970-01-01T00:00:07Z"},
		{"@every 7s", "1969-12-31T23:59:58Z", "1970-01-01T00:00:00Z"},
		{"@every 7s", "1969-12-31T23:59:53Z", "1970-01-01T00:00:00Z"},
		{"@every 7s", "1969-12-31T23:59:52.9Z", "1969-12-31T23:59:53Z"},
		{"CRON_TZ=Europe/Berlin @every 24h", "2026-03-01T02:31:07Z", "2026-03-02T00:00:00Z"},

		// Berlin goes from UTC+1 to UTC+2 on 2026-03-29 and back on 2026-10-25.
		{"CRON_TZ=Europe/Berlin 30 4 * * *", "2026-03-28T12:00:00Z", "2026-03-29T02:30:00Z"},
		{"TZ=Europe/Berlin @daily", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"}, // No 02:30 on the 29th.
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"}, // 02:30 comes
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}, // twice.
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		{"CRON_TZ=Europe/Berlin 30 0 30 3 *", "2026-03-28T12:00:00Z", "2026-03-29T22:30:00Z"}, // After a day of 23 hours.
		// Cairo's 2026-04-24 begins at 01:00; Lord Howe puts its clock back by half an hour on 2026-04-05.
		{"CRON_TZ=Africa/Cairo 27 4 * * FRI", "2026-04-22T12:00:00Z", "2026-04-24T01:27:00Z"},
		{"CRON_TZ=Australia/Lord_Howe 59 5 5 4 *", "2026-04-03T12:00:00Z", "2026-04-04T19:29:00Z"},
	} {
		c := mustCron(t, test.cron)
		if got := c.Next(at(t, test.after)); !got.Equal(at(t, test.want)) {
			t.Errorf("%q after %s: %v, want %s", test.cron, test.after, got, test.want)
		}
		if got := c.Floor(at(t, test.want)); !got.Equal(at(t, test.want)) {
			t.Errorf("%q at its tick %s: floor %v", test.cron, test.want, got)
		}
	}
}

func TestParseCronErrors(t *testing.T) {
	for _, text := range []string{
		"", "   ", "* * * *", "* * * * * *", "61 * * * *", "* * * * 7", "a * * * *", "5-1 * * * *", "*/0 * * * *",
		"@noon", "@every", "@every 500ms", "@every 1h0m0.5s", "@every -1h", "@every 7d", "0 0 31 2 *", ", * * * *", "* * , * *",
		"CRON_TZ=", "CRON_TZ=UTC", "CRON_TZ= 0 0 * * *", "CRON_TZ=Mars/Olympus 0 0 * * *", "TZ=UTC", "TZ=UTC @every",
		"CRON_TZ=UTC TZ=UTC", "CRON_TZ=UTC TZ=UTC 0 0 * * *",
	} {
		_, err := ParseCron(text)
		var wrong *fault.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%q: error %v is no fault", text, err)
			continue
		}
		if !strings.Contains(wrong.Thing, fmt.Sprintf("%q", text)) || wrong.Cause == nil ||
			!strings.Contains(wrong.Remedy, "30 2 * * *") {
			t.Errorf("%q: the error does not say what, why and how it is right: %v", text, err)
		}
	}
}

// zones change their clocks in every way there is: in the small hours, at midnight (which one day then lacks), by half an
// hour, against the year's usual order, and never.
var zones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Cairo", "America/Santiago",
	"Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
}

// TestCronAgainstCalendar holds Next and Floor against a walk over every minute of a year's clock changes.
func TestCronAgainstCalendar(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, zone := range zones {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			rule := randomRule(random)
			c := mustCron(t, "CRON_TZ="+zone+" "+rule.String())
			start := changeNear(place, random)
			checkCalendar(t, c, rule, place, start, start.AddDate(0, 0, 4))
		}
	}
}

// checkCalendar walks the minutes of [from, to) and asks at each.
func checkCalendar(t *testing.T, c *Cron, rule calendarRule, place *time.Location, from, to time.Time) {
	t.Helper()
	last := c.Floor(from)
	for minute := from.Add(time.Minute); minute.Before(to); minute = minute.Add(time.Minute) {
		next := c.Next(minute.Add(-time.Second))
		if is := next.Equal(minute); is != rule.matches(minute.In(place)) {
			t.Fatalf("%q: tick at %v is %v, the calendar says otherwise", c, minute.In(place), is)
		} else if is {
			if after := c.Next(last); !last.IsZero() && !after.Equal(minute) {
				t.Fatalf("%q: next after %v is %v, want %v", c, last, after, minute)
			}
			last = minute
		}
		if minute.Minute() == 7 {
			if floor := c.Floor(minute.Add(999 * time.Millisecond)); !floor.Equal(last) {
				t.Fatalf("%q: floor of %v is %v, want %v", c, minute, floor, last)
			}
		}
	}
}

// calendarRule is a cron expression as sets, the plain way; a nil set is a star.
type calendarRule struct{ minute, hour, day, weekday map[int]bool }

func randomRule(random *rand.Rand) calendarRule {
	pick := func(star float64, n, from, to int) map[int]bool {
		if random.Float64() < star {
			return nil
		}
		set := map[int]bool{}
		for range n {
			set[from+random.IntN(to-from)] = true
		}
		return set
	}
	return calendarRule{
		minute: pick(0.1, 3, 0, 60), hour: pick(0.3, 2, 0, 6),
		day: pick(0.5, 12, 1, 29), weekday: pick(0.6, 2, 0, 7),
	}
}

func (r calendarRule) String() string {
	field := func(set map[int]bool) string {
		if set == nil {
			return "*"
		}
		var parts []string
		for v := range set {
			parts = append(parts, fmt.Sprint(v))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprintf("%s %s %s * %s", field(r.minute), field(r.hour), field(r.day), field(r.weekday))
}

func (r calendarRule) matches(t time.Time) bool {
	in := func(set map[int]bool, v int) bool { return set == nil || set[v] }
	day := in(r.day, t.Day()) && in(r.weekday, int(t.Weekday()))
	if r.day != nil && r.weekday != nil {
		day = r.day[t.Day()] || r.weekday[int(t.Weekday())]
	}
	return in(r.minute, t.Minute()) && in(r.hour, t.Hour()) && day
}

// changeNear is a time one to three days before a change of the zone's clock, or any time if it has none.
func changeNear(place *time.Location, random *rand.Rand) time.Time {
	t := time.Date(2024+random.IntN(3), time.Month(1+random.IntN(12)), 1+random.IntN(28), 0, 0, 0, 0, time.UTC)
	if _, end := t.In(place).ZoneBounds(); !end.IsZero() {
		t = end
	}
	return t.Add(-time.Duration(24+random.IntN(48)) * time.Hour).Truncate(time.Minute).UTC()
}

func FuzzParseCron(f *testing.F) {
	for _, seed := range []string{
		"30 2 * * *", "CRON_TZ=Asia/Beirut 0,30 */5 1-7 JAN-MAR,12 ?", "@every 90s",
		"TZ=UTC @weekly", "TZ=UTC", "0 0 29 2 *", "@daily", "* * * * 1/3", "CRON_TZ=Local 0 0 * * *",
	} {
		f.Add(seed, int64(1_790_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, second int64) {
		c, err := ParseCron(text)
		if err != nil {
			return
		}
		now := time.Unix(second%4_000_000_000, 0)
		next := c.Next(now)
		if next.IsZero() {
			t.Fatalf("%q: no tick after %v", text, now)
		}
		if !next.After(now) || next.Nanosecond() != 0 {
			t.Fatalf("%q: next after %v is %v", text, now, next)
		}
		if floor := c.Floor(next); !floor.Equal(next) {
			t.Fatalf("%q: floor of its tick %v is %v", text, next, floor)
		}
	})
}
