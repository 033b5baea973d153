package reconcile

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
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
	Feature       string
	Served, Other name
	Equal         bool
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
	Counts                 []fact
	Watermark              string
	Complaints             []string
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
	rows := max(id.StreamRows, id.ServedRows)
	s.Tiles = []tile{
		{group(id.Agreed), "of " + group(rows) + " rows are equal to the bit in stream and batch", id.Agreed < rows},
		{percent(r.Lateness.Share), "of the answers were changed by lateness: " + group(r.Lateness.Differences()) + " of " +
			group(r.Lateness.Answers), false},
		{group(unexplained), noun(unexplained, "difference is", "differences are") + " unexplained", unexplained > 0},
	}
	s.Facts = []fact{
		{"Pipeline", r.Pipeline + ", which answers at " + r.plan.grain},
		{"Source", fmt.Sprintf("%s, whose events may be out of order by %s and still are on time, and %s later than that are too late",
			r.plan.source, r.plan.disorder, r.plan.lateness)},
		{"Definition", fmt.Sprintf("plan %.12s, the hash of all that the definition says", r.PlanHash)},
		{"Log", "snapshot " + shorten(r.Snapshot, 60) + " of the archive: " + r.frontierText()},
		{"Compared", s.At},
	}
	s.broken(r)
	for _, f := range r.Features {
		s.Features = append(s.Features, featureRow{
			f.Name, f.Type, f.Window, group(f.Differing), group(f.Nulls), f.measure(f.Mean), f.measure(f.Max),
		})
	}
	s.causes(r)
	s.keys(r)
	for i := range r.Examples {
		s.Examples = append(s.Examples, newExampleSheet(i+1, &r.Examples[i]))
	}
	s.accounts(r)
	return s
}

// frontierText names the first partitions of the frontier.
func (r *Report) frontierText() string {
	const most = 4
	var said []string
	for _, f := range r.Frontier[:min(len(r.Frontier), most)] {
		said = append(said, fmt.Sprintf("partition %d up to offset %d", f.Partition, f.Next-1))
	}
	if n := len(r.Frontier) - most; n > 0 {
		said = append(said, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(said, ", ")
}

func (s *sheet) broken(r *Report) {
	for _, b := range r.Identity.Samples {
		row := brokenRow{
			Kind: b.Kind, Key: nameOf(b.Key, 40), Time: spaced(b.AskTime),
			Place: fmt.Sprintf("%d/%d, revision %d", b.Partition, b.Offset, b.Revision),
		}
		for _, f := range b.Features {
			row.Values = append(row.Values, pair{
				Feature: f.Name, Served: nameOf(f.Served.String(), 40), Other: nameOf(f.Other.String(), 40),
			})
		}
		s.Broken = append(s.Broken, row)
	}
}

// countRow is a number, what it counts, and what that means.
type countRow struct {
	Number, Label, Meaning string
	Bad                    bool
}

// IdentityCounts are those of the comparison with the stream. Faults are listed where there are any.
func (s *sheet) IdentityCounts() []countRow {
	id := &s.Report.Identity
	rows := []countRow{
		{group(id.StreamRows), "rows of the stream", "every answer that it gave, each revision a row", false},
		{group(id.ServedRows), "rows of the batch", "the same answers, derived again from the archived log alone", false},
		{group(id.Agreed), "equal to the bit", "they stand on both sides, and no bit of any value differs", false},
	}
	faults := []countRow{
		{group(id.Differing), "have other values", "they stand on both sides, and a value differs", true},
		{group(id.Missing), "are missing", "the batch has them, and the stream has not", true},
		{group(id.Extra), "are extra", "the stream has them, and the batch has not", true},
		{group(id.Repeated), "are repeated", "the stream has them more than once", true},
	}
	some := false
	for _, f := range faults {
		if f.Number != "0" {
			rows, some = append(rows, f), true
		}
	}
	if !some {
		rows = append(rows, countRow{"0", "differ", "none has other values, is missing, is extra or is repeated", false})
	}
	return append(rows, countRow{percent(id.Coverage), "were compared", "of the answers that the log calls for", false})
}

// LatenessCounts are those of the comparison with truth.
func (s *sheet) LatenessCounts() []countRow {
	l := &s.Report.Lateness
	return []countRow{
		{group(l.Answers), "answers", "given by the stream or due by the truth, the last revision of each", false},
		{group(l.Agreed), "are the truth", "equal to the bit: lateness did not touch them", false},
		{group(l.Differing), "have other values", "the stream answered from fewer events, or from others, than there are now", false},
		{group(l.OnlyTruth), "were not given", "the truth has an answer at an event that the stream had to leave out, or is not due yet", false},
		{group(l.OnlyServed), "are not in the truth", "the stream answered at an event that the truth does not count, a second copy as a rule", false},
		{percent(l.Share), "is what lateness cost", plural(l.Differences(), "answer", "answers") + " of " + plural(l.Keys, "key", "keys"), false},
	}
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
			Key: nameOf(k.Key, 40), Differences: group(k.Differences), Answers: group(k.Answers), Causes: titles(k),
			Percent: 100 * k.Differences / max(1, k.Answers), Share: percent(float64(k.Differences) / float64(max(1, k.Answers))),
		})
	}
}

// accountNames are those of PartitionAccount.counts.
var accountNames = [...]string{"Gap", "Dead", "Duplicate", "Too late", "Filtered", "Late", "On time"}

func (s *sheet) accounts(r *Report) {
	marks := map[int32]string{}
	for _, f := range r.Frontier {
		if f.Watermark != nil {
			marks[f.Partition] = spaced(*f.Watermark)
		}
	}
	for _, a := range r.Accounting {
		row := accountRow{
			Partition: strconv.Itoa(int(a.Partition)), First: strconv.FormatInt(a.First, 10), Next: strconv.FormatInt(a.Next, 10),
			Watermark: marks[a.Partition],
		}
		for i, n := range groups(a.counts()...) {
			row.Counts = append(row.Counts, fact{accountNames[i], n})
		}
		for _, c := range a.Complaints {
			row.Complaints = append(row.Complaints, shorten(c, longestMessage))
		}
		s.Accounts = append(s.Accounts, row)
	}
}
