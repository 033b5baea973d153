package reconcile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// exampleSheet is one difference.
type exampleSheet struct {
	Number  int
	Key     name
	Ask     string
	Causes  []causeTag
	Meaning string
	Known   string // how many of the events each side knew
	Asked   string // what the stream had read
	Values  []pair
	Undone  []string // what the answer would have been had one of several causes not acted
	Chart   *chart
	Events  []eventRow
	Omitted string
	Minimal bool
}

// causeTag is a cause in its colour.
type causeTag struct{ Class, Text string }

type eventRow struct {
	Letter              string
	ID                  name
	Time, Arrival, Wait string
	Class, Cause        string // Cause is the CSS class of the cause
	Title               string // of the cause, where the class does not say it
	Stream, Batch       bool
}

func newExampleSheet(number int, e *Example) exampleSheet {
	x := exampleSheet{
		Number: number, Key: nameOf(e.Key, 40), Ask: spaced(e.AskTime), Asked: e.Timeline.Frontier, Minimal: e.Minimal,
	}
	for i, c := range e.Causes {
		tag := causeTag{c.Cause.String(), c.Cause.Title()}
		if i > 0 {
			tag.Text = "and " + tag.Text
			x.Meaning += " "
		}
		x.Causes = append(x.Causes, tag)
		x.Meaning += c.Cause.Meaning()
	}
	if len(e.Causes) > 1 && e.Reason == "" {
		x.Meaning += " " + byRole[e.Causes[0].Role]
	}
	if e.Reason != "" {
		x.Meaning += " Here: " + shorten(e.Reason, longestMessage) + "."
	}
	for _, f := range e.Features {
		x.Values = append(x.Values, pair{
			Feature: f.Name, Equal: f.Equal,
			Served: nameOf(sideText(e.Served, f.Served), 40), Other: nameOf(sideText(e.Truth, f.Other), 40),
		})
	}
	for _, c := range e.Causes {
		if text := e.undone(c); text != "" {
			x.Undone = append(x.Undone, text)
		}
	}
	letters := 0
	for i := range e.Timeline.Events {
		v := &e.Timeline.Events[i]
		row := eventRow{
			ID: nameOf(v.ID, 24), Class: v.Class, Stream: v.Stream, Batch: v.Batch,
			Time: sameDay(v.Time, e.AskTime), Arrival: sameDay(v.Arrival, e.AskTime), Wait: wait(v.arrival - v.at),
		}
		if v.behind > 0 {
			row.Class += ", " + coarse(v.behind) + " behind the watermark"
		}
		if v.Cause != nil {
			row.Cause = v.Cause.String()
			if title := v.Cause.Title(); title != v.Class {
				row.Title = title
			}
		}
		if v.Explaining {
			row.Letter = letter(letters)
			letters++
		}
		x.Events = append(x.Events, row)
	}
	if n := e.Timeline.Omitted; n > 0 {
		x.Omitted = plural(int64(n), "more event of these windows is", "more events of these windows are") + " not shown."
	}
	x.Known = e.known()
	x.Chart = newChart(&e.Timeline, x.Events)
	return x
}

// byRole says how several causes act.
var byRole = map[Role]string{
	Either:  "Each of them would be enough alone.",
	Jointly: "They act together.",
}

// known says how many of the events in the windows each side knew, unless some are not shown.
func (e *Example) known() string {
	t := &e.Timeline
	if len(t.Windows) == 0 || len(t.Events) == 0 || t.Omitted > 0 {
		return ""
	}
	stream, batch := 0, 0
	for i := range t.Events {
		if t.Events[i].Stream {
			stream++
		}
		if t.Events[i].Batch {
			batch++
		}
	}
	return fmt.Sprintf("Of the %s in the windows the stream knew %d when it answered, and the batch counts %d.",
		plural(int64(len(t.Events)), "event", "events"), stream, batch)
}

// undone says what the answer is when only this one of several causes is undone, for the features that differ.
func (e *Example) undone(c Share) string {
	var values []string
	for i, v := range c.Undone {
		if !e.Features[i].Equal {
			values = append(values, e.Features[i].Name+" "+shorten(v.String(), 40))
		}
	}
	if values == nil {
		return ""
	}
	return "Undoing only “" + c.Cause.Title() + "” gives " + strings.Join(values, ", ") + "."
}

// letter names the events that explain: a to z, then a1 and so on.
func letter(n int) string {
	s := string(rune('a' + n%26))
	if n >= 26 {
		s += strconv.Itoa(n / 26)
	}
	return s
}

// spaced writes a time of a report as people read it.
func spaced(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04:05.999999")
}

// sameDay writes the time alone where it is of the day of another.
func sameDay(s, other string) string {
	day, at, _ := strings.Cut(spaced(s), " ")
	if strings.HasPrefix(spaced(other), day+" ") {
		return at
	}
	return day + " " + at
}

// wait says how long after its time an event arrived.
func wait(micros int64) string {
	switch {
	case micros > -1000 && micros < 1000: // Kafka's timestamps are no finer.
		return "at once"
	case micros < 0:
		return coarse(-micros) + " before its time"
	}
	return coarse(micros) + " later"
}

// coarse writes a span of microseconds as finely as people read it.
func coarse(micros int64) string {
	d := time.Duration(min(micros, math.MaxInt64/1000)) * time.Microsecond
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	}
	return lapse(d)
}

// lapse writes a span of time exactly, in the units that people use.
func lapse(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		name string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}} {
		if n := d / u.is; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+u.name)
			d -= n * u.is
		}
	}
	switch {
	case d >= time.Second || d == 0 && parts == nil:
		parts = append(parts, strconv.FormatFloat(d.Seconds(), 'f', -1, 64)+" s")
	case d >= time.Millisecond:
		parts = append(parts, strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', -1, 64)+" ms")
	case d > 0:
		parts = append(parts, strconv.FormatInt(d.Microseconds(), 10)+" µs")
	}
	return strings.Join(parts, " ")
}
