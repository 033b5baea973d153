package reconcile

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed report.gohtml
var sheetText string

// sheetTemplate is the page. Its template escapes whatever it is given by where it stands: keys and values are the data's.
var sheetTemplate = template.Must(template.New("report").Parse(sheetText))

// WriteHTML writes the report as one page that needs nothing else: no script, no font, no request.
func (r *Report) WriteHTML(w io.Writer) error { return sheetTemplate.Execute(w, newSheet(r)) }

// sheet is the report as the page shows it.
type sheet struct {
	Report   *Report
	Sentence string
	Reasons  []string
	Mark     string // the outcome as a sign, beside the word
	At       string
	Tiles    []tile
	Facts    []fact
	Broken   []brokenRow
	Causes   []causeRow
	Features []featureRow
	Keys     []keyRow
	Examples []exampleSheet
	Accounts []accountRow
}

// tile is one of the three numbers.
type tile struct {
	Number, Label string
	Bad           bool
}

type fact struct{ Name, Value string }

// name is a key, an id or a value: cut, with all of it at hand.
type name struct{ Short, Full string }

func nameOf(s string, n int) name { return name{shorten(s, n), shorten(s, 1<<20)} }

type brokenRow struct {
	Kind, Time, Place string
	Key               name
	Values            []pair
}

// pair is one feature's values on the two sides.
type pair struct {
	Feature        string
	Served, Other  name
	Equal, Missing bool
}

type causeRow struct {
	Class, Title, Meaning, Roles, Count, Share string
	Percent                                    int64
}

type featureRow struct{ Name, Type, Window, Differing, Nulls, MeanText, MaxText string }

type keyRow struct {
	Key                  name
	Differences, Answers string
	Percent              int64
	Share, Causes        string
}

type accountRow struct {
	Partition, First, Next string
	Counts                 []string
	Watermark              string
	Complaints             []string
}

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

func newSheet(r *Report) *sheet {
	s := &sheet{Report: r, At: r.At.Format("2006-01-02 15:04 MST")}
	s.Sentence = shorten(r.Verdict.Sentence, longestMessage)
	for _, reason := range r.Verdict.Reasons {
		s.Reasons = append(s.Reasons, shorten(reason, longestMessage))
	}
	s.Mark = map[Outcome]string{Agrees: "✓", Breaks: "✗", Inconclusive: "?"}[r.Verdict.Outcome]
	if s.Mark == "" {
		s.Mark = "!"
	}
	id, unexplained := &r.Identity, r.count(Unexplained)
	s.Tiles = []tile{
		{group(id.Agreed), "of " + group(max(id.StreamRows, id.ServedRows)) + " rows equal to the bit, stream and batch", id.Agreed < max(id.StreamRows, id.ServedRows)},
		{percent(r.Lateness.Share), "of the answers were changed by lateness", false},
		{group(unexplained), "differences unexplained", unexplained > 0},
	}
	s.Facts = []fact{
		{"Pipeline", r.Pipeline + ", asked " + r.plan.grain},
		{"Source", r.plan.source + ", out of order by " + r.plan.disorder + ", late by " + r.plan.lateness + " at most"},
		{"Plan", fmt.Sprintf("%.12s", r.PlanHash)},
		{"Snapshot", shorten(r.Snapshot, 60)},
		{"Compared", s.At},
	}
	for _, b := range id.Samples {
		row := brokenRow{Kind: b.Kind, Key: nameOf(b.Key, 40), Time: spaced(b.AskTime), Place: fmt.Sprintf("%d/%d, revision %d", b.Partition, b.Offset, b.Revision)}
		for _, f := range b.Features {
			row.Values = append(row.Values, pair{Feature: f.Name, Served: nameOf(f.Served.String(), 40), Other: nameOf(f.Other.String(), 40)})
		}
		s.Broken = append(s.Broken, row)
	}
	for _, f := range r.Features {
		s.Features = append(s.Features, featureRow{f.Name, f.Type, f.Window, group(f.Differing), group(f.Nulls), f.measure(f.Mean), f.measure(f.Max)})
	}
	s.causes(r)
	s.keys(r)
	for i := range r.Examples {
		s.Examples = append(s.Examples, newExampleSheet(i+1, &r.Examples[i]))
	}
	s.accounts(r)
	return s
}

// IdentityCounts are the cells of the comparison with the stream.
func (s *sheet) IdentityCounts() []string {
	id := &s.Report.Identity
	return append(groups(id.StreamRows, id.ServedRows, id.Agreed, id.Differing, id.Missing, id.Extra, id.Repeated), percent(id.Coverage))
}

// LatenessCounts are the cells of the comparison with truth.
func (s *sheet) LatenessCounts() []string {
	l := &s.Report.Lateness
	return append(groups(l.Answers, l.Agreed, l.Differing, l.OnlyServed, l.OnlyTruth), percent(l.Share), group(l.Keys))
}

func groups(counts ...int64) []string {
	var s []string
	for _, n := range counts {
		s = append(s, group(n))
	}
	return s
}

func (s *sheet) causes(r *Report) {
	all := max(1, r.Lateness.Differences())
	for _, c := range r.Causes {
		s.Causes = append(s.Causes, causeRow{
			Class: c.Cause.String(), Title: c.Cause.Title(), Meaning: c.Cause.Meaning(), Roles: c.roles(),
			Count: group(c.Differences), Share: percent(float64(c.Differences) / float64(all)), Percent: 100 * c.Differences / all,
		})
	}
}

func (s *sheet) keys(r *Report) {
	for _, k := range r.WorstKeys {
		s.Keys = append(s.Keys, keyRow{
			Key: nameOf(k.Key, 40), Differences: group(k.Differences), Answers: group(k.Answers),
			Percent: 100 * k.Differences / max(1, k.Answers), Share: percent(float64(k.Differences) / float64(max(1, k.Answers))), Causes: titles(k),
		})
	}
}

func (s *sheet) accounts(r *Report) {
	marks := map[int32]string{}
	for _, f := range r.Frontier {
		if f.Watermark != nil {
			marks[f.Partition] = spaced(*f.Watermark)
		}
	}
	for _, a := range r.Accounting {
		row := accountRow{strconv.Itoa(int(a.Partition)), strconv.FormatInt(a.First, 10), strconv.FormatInt(a.Next, 10), groups(a.counts()...), marks[a.Partition], nil}
		for _, c := range a.Complaints {
			row.Complaints = append(row.Complaints, shorten(c, longestMessage))
		}
		s.Accounts = append(s.Accounts, row)
	}
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
		x.Meaning += " Here " + shorten(e.Reason, longestMessage) + "."
	}
	for _, f := range e.Features {
		x.Values = append(x.Values, pair{
			Feature: f.Name, Served: nameOf(e.sideText(e.Served, f.Served), 40), Other: nameOf(e.sideText(e.Truth, f.Other), 40), Equal: f.Equal,
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
			ID: nameOf(v.ID, 24), Time: sameDay(v.Time, e.AskTime), Arrival: sameDay(v.Arrival, e.AskTime), Wait: wait(v.arrival - v.at), Class: v.Class,
			Stream: v.Stream, Batch: v.Batch,
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
	case micros == 0:
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
