package schedule

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/spillway-go/spillway/internal/fault"
)

// Cron is a parsed cron expression: a rule for when ticks come. All its ticks are whole seconds.
type Cron struct {
	text  string
	place *time.Location
	every int64              // Of @every, in seconds; 0 is none.
	set   *cron.SpecSchedule // Of all others: each field as a set of bits.
}

// cronRemedy shows each form that ParseCron accepts.
const cronRemedy = `write five fields (minute hour day-of-month month day-of-week), as in "30 2 * * *" for every night ` +
	`at 02:30 UTC, with a zone as in "CRON_TZ=Europe/Berlin 30 2 * * *", ` +
	`or @hourly, @daily, @weekly, @monthly, @yearly or "@every 15m"`

// longestGap bounds the search for a tick. The rarest day is a 29th of February around a year such as 2100.
const longestGap = 9 * 366 * 24 * time.Hour

// star is the bit by which the parser marks a field that was written as * (or ?).
const star = 1 << 63

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// ParseCron reads a standard cron expression of five fields or a descriptor (@hourly, @every 15m, …), after an optional
// zone (CRON_TZ=Europe/Berlin, or TZ=); without one it is in UTC. The ticks of @every are the multiples of its duration
// since 1970-01-01T00:00Z, so that they do not depend on when the scheduler was started. The error is a *fault.Error.
func ParseCron(text string) (*Cron, error) {
	c := &Cron{text: text, place: time.UTC}
	if err := c.parse(); err != nil {
		return nil, fault.Wrap(err, fmt.Sprintf("cron expression %q", text), "cannot be read", cronRemedy)
	}
	return c, nil
}

func (c *Cron) parse() error {
	rest, err := c.zone(strings.TrimSpace(c.text))
	if err != nil {
		return err
	}
	if d, ok := strings.CutPrefix(rest, "@every "); ok {
		c.every, err = parseEvery(strings.TrimSpace(d))
		return err
	}
	rule, err := fiveFields.Parse(rest)
	if err != nil {
		return err
	}
	c.set = rule.(*cron.SpecSchedule)
	if c.set.Minute == 0 || c.set.Hour == 0 || c.set.Dom == 0 || c.set.Month == 0 || c.set.Dow == 0 {
		return errors.New("a field lists nothing") // The parser takes a lone comma for a list.
	}
	if c.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return errors.New("no such day ever comes")
	}
	return nil
}

// zone takes the zone off the front. The parser beneath could do it, but it panics on a zone without fields behind it
// and takes a missing zone to be the machine's.
func (c *Cron) zone(text string) (rest string, err error) {
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		after, ok := strings.CutPrefix(text, prefix)
		if !ok {
			continue
		}
		name, fields, _ := strings.Cut(after, " ")
		if name == "" {
			return "", fmt.Errorf("%s names no zone", prefix)
		}
		if c.place, err = time.LoadLocation(name); err != nil {
			return "", err
		}
		text = strings.TrimSpace(fields)
		break
	}
	if text == "" {
		return "", errors.New("it is empty")
	}
	if strings.Contains(text, "TZ=") {
		return "", errors.New("it names two zones")
	}
	return text, nil
}

// String is the expression as it was written.
func (c *Cron) String() string { return c.text }

// Next is the first tick after t, in UTC; it is the zero time if there is none for nine years.
//
// The parser's own Next loses its way where a zone's clock skips midnight or moves by half an hour (it steps over days
// that match and gives days that do not), so the fields are walked here: over a day, an hour or a minute that does not
// match, but never over a change of the zone's clock.
func (c *Cron) Next(t time.Time) time.Time {
	if c.every > 0 {
		return c.nextMultiple(t)
	}
	limit := t.Add(longestGap)
	t = t.Truncate(time.Second).Add(time.Second)
	for t.Before(limit) {
		local := t.In(c.place)
		hour, minute, second := local.Clock()
		toMinute := time.Duration(60-second) * time.Second
		toHour := time.Duration(59-minute)*time.Minute + toMinute
		var step time.Duration
		switch {
		case !c.matchesDay(local):
			step = time.Duration(23-hour)*time.Hour + toHour
		case c.set.Hour&(1<<hour) == 0:
			step = toHour
		case c.set.Minute&(1<<minute) == 0 || second != 0:
			step = toMinute
		default:
			return t.UTC()
		}
		t = t.Add(step)
		if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(t) {
			t = change
		}
	}
	return time.Time{}
}

// matchesDay says whether the day of t has ticks. As ever in cron, a day of the month and a day of the week that are both
// given are alternatives.
func (c *Cron) matchesDay(t time.Time) bool {
	if c.set.Month&(1<<t.Month()) == 0 {
		return false
	}
	ofMonth, ofWeek := c.set.Dom&(1<<t.Day()) != 0, c.set.Dow&(1<<t.Weekday()) != 0
	if c.set.Dom&star != 0 || c.set.Dow&star != 0 {
		return ofMonth && ofWeek
	}
	return ofMonth || ofWeek
}

// nextMultiple is the first multiple of the seconds of @every after t.
func (c *Cron) nextMultiple(t time.Time) time.Time {
	s := t.Unix()
	into := ((s % c.every) + c.every) % c.every // How far t is past a multiple, also before 1970.
	return time.Unix(s-into+c.every, 0).UTC()
}

// Floor is the newest tick at or before t, in UTC; it is the zero time if there is none for nine years back.
func (c *Cron) Floor(t time.Time) time.Time {
	if c.every > 0 {
		return c.nextMultiple(t).Add(-time.Duration(c.every) * time.Second)
	}
	t = t.UTC().Truncate(time.Second)
	// Whether a tick lies in (t−k s, t] can only turn from no to yes as k grows.
	back := func(k int) time.Time { return t.Add(-time.Duration(k) * time.Second) }
	k := sort.Search(int(longestGap/time.Second), func(k int) bool {
		next := c.Next(back(k))
		return !next.IsZero() && !next.After(t)
	})
	tick := c.Next(back(k))
	if tick.IsZero() || tick.After(t) {
		return time.Time{}
	}
	return tick
}

// parseEvery reads the duration of @every, as seconds.
func parseEvery(text string) (int64, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, err
	}
	if d < time.Second || d%time.Second != 0 {
		return 0, fmt.Errorf("%v is not a whole number of seconds above zero", d)
	}
	return int64(d / time.Second), nil
}
