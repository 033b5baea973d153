package reconcile

import (
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
		tag := causeTag{c.Cause.String(), c.text()}
		if i > 0 {
			tag.Text = "and " + tag.Text
			x.Meaning += " "
		}
		x.Causes = append(x.Causes, tag)
		x.Meaning += c.Cause.Meaning()
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
	x.Chart = newChart(&e.Timeline, x.Events)
	return x
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
		return coarse(-micros) + " before"
	}
	return coarse(micros) + " after"
}

// coarse writes a span of microseconds as finely as people read it.
func coarse(micros int64) string {
	d := time.Duration(min(micros, math.MaxInt64/1000)) * time.Microsecond
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(time.Millisecond)
	}
	return d.String()
}
