package reconcile

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// The widths that WriteText keeps to.
const (
	leastWidth   = 60
	defaultWidth = 80
)

// textExamples is how many examples the summary for terminals shows.
const textExamples = 5

// longestMessage bounds what is shown of an error: it may hold anything.
const longestMessage = 2000

// WriteText writes a summary for a terminal so many columns wide; 0 is 80. Color marks the verdict, unless the environment
// has NO_COLOR.
func (r *Report) WriteText(w io.Writer, width int, color bool) error {
	if width <= 0 {
		width = defaultWidth
	}
	b := bufio.NewWriter(w)
	t := text{Writer: b, width: max(width, leastWidth), color: color && os.Getenv("NO_COLOR") == ""}
	t.verdict(r)
	t.identity(r)
	t.lateness(r)
	t.examples(r)
	t.accounting(r)
	return b.Flush()
}

// text is a summary as it is written. Errors stay with the writer, which tells at the end.
type text struct {
	*bufio.Writer
	width int
	color bool
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) verdict(r *Report) {
	mark, end := "", ""
	if t.color {
		mark, end = map[Outcome]string{Agrees: "\x1b[1;32m", Breaks: "\x1b[1;31m"}[r.Verdict.Outcome], "\x1b[0m"
		if mark == "" {
			mark = "\x1b[1;33m"
		}
	}
	t.line("%s%s%s", mark, strings.ToUpper(string(r.Verdict.Outcome)), end)
	t.wrap("", shorten(r.Verdict.Sentence, longestMessage))
	for _, reason := range r.Verdict.Reasons {
		t.wrap("", "- "+shorten(reason, longestMessage))
	}
	t.line("")
	facts := [][]string{
		{"pipeline", fmt.Sprintf("%s, plan %.12s, asked %s", r.Pipeline, r.PlanHash, r.plan.grain)},
		{"snapshot", shorten(r.Snapshot, 40) + ", compared at " + r.At.Format("2006-01-02T15:04:05Z07:00")},
	}
	for i, f := range r.Frontier {
		name := ""
		if i == 0 {
			name = "frontier"
		}
		if i == 8 && len(r.Frontier) > 9 {
			facts = append(facts, []string{"", fmt.Sprintf("and %d more partitions", len(r.Frontier)-i)})
			break
		}
		facts = append(facts, []string{name, f.text()})
	}
	t.table("", "ll", facts)
}

func (f PartitionFrontier) text() string {
	if f.Watermark == nil {
		return fmt.Sprintf("partition %d, next offset %d, no watermark", f.Partition, f.Next)
	}
	return fmt.Sprintf("partition %d, next offset %d, watermark %s", f.Partition, f.Next, *f.Watermark)
}

func (t *text) identity(r *Report) {
	id := &r.Identity
	t.line("\nStream against as-served, every revision")
	t.table("  ", "rl", [][]string{
		{group(id.StreamRows), "rows of the stream"},
		{group(id.ServedRows), "rows as served"},
		{group(id.Agreed), "equal to the bit"},
		{group(id.Differing), "with other values"},
		{group(id.Missing), "missing from the stream"},
		{group(id.Extra), "extra in the stream"},
		{group(id.Repeated), "repeated in the stream"},
		{percent(id.Coverage), "of what should be there was compared"},
	})
	var rows [][]string
	for _, s := range id.Samples {
		where := fmt.Sprintf("%d/%d r%d", s.Partition, s.Offset, s.Revision)
		var values []string
		for _, f := range s.Features {
			stream, served := shorten(f.Other.String(), 24), shorten(f.Served.String(), 24)
			values = append(values, fmt.Sprintf("%s: stream %s, served %s", f.Name, stream, served))
		}
		rows = append(rows, []string{s.Kind, shorten(s.Key, 24), s.AskTime, where, strings.Join(values, "; ")})
	}
	if len(rows) > 0 {
		t.line("")
		t.table("  ", "lllll", rows)
	}
}

func (t *text) lateness(r *Report) {
	l := &r.Lateness
	t.line("\nAs-served against truth, last revisions")
	t.table("  ", "rl", [][]string{
		{group(l.Answers), "answers"},
		{group(l.Agreed), "are truth's, to the bit"},
		{group(l.Differing), "differ"},
		{group(l.OnlyServed), "truth does not have"},
		{group(l.OnlyTruth), "the stream did not give"},
		{percent(l.Share), "of the answers differ: what lateness cost, in " + plural(l.Keys, "key", "keys")},
	})
	if len(r.Causes) > 0 {
		t.line("\nWhy, each proved by executing the key again")
		rows := make([][]string, len(r.Causes))
		most := int64(1)
		for i, c := range r.Causes {
			most = max(most, c.Differences)
			rows[i] = []string{c.Cause.Title(), group(c.Differences), "", c.roles()}
		}
		bar := min(16, t.width-width("  ", "lrll", rows)) // What it leaves no room for matters more.
		for i, c := range r.Causes {
			if bar > 0 {
				rows[i][2] = strings.Repeat("█", int(max(1, int64(bar)*c.Differences/most)))
			}
		}
		t.table("  ", "lrll", rows)
	}
	t.features(r)
	if len(r.WorstKeys) > 0 {
		t.line("\nKeys with the most differences")
		rows := [][]string{{"key", "differ", "of", "causes"}}
		for _, k := range r.WorstKeys[:min(len(r.WorstKeys), 8)] {
			rows = append(rows, []string{shorten(k.Key, 32), group(k.Differences), group(k.Answers), titles(k)})
		}
		t.table("  ", "lrrl", rows)
	}
}

// roles says in how many differences a cause acts alone and otherwise.
func (c CauseCount) roles() string {
	if int(c.Cause) >= eventCauses {
		return ""
	}
	parts := []string{group(c.Alone) + " alone"}
	if c.Either > 0 {
		parts = append(parts, group(c.Either)+" one of several that would do")
	}
	if c.Jointly > 0 {
		parts = append(parts, group(c.Jointly)+" with others")
	}
	return strings.Join(parts, ", ")
}

func titles(k KeyCost) string {
	if !k.Examined {
		return NotExamined.Title()
	}
	var s []string
	for _, c := range k.Causes {
		s = append(s, c.Title())
	}
	return strings.Join(s, "; ")
}

func (t *text) features(r *Report) {
	rows := [][]string{{"feature", "window", "differ", "null on a side", "mean |Δ|", "max |Δ|"}}
	for _, f := range r.Features {
		rows = append(rows, []string{f.Name, f.Window, group(f.Differing), group(f.Nulls), f.measure(f.Mean), f.measure(f.Max)})
	}
	if r.Lateness.Differing > 0 {
		t.line("\nWhat it cost each feature, where both sides have an answer")
		t.table("  ", "llrrrr", rows)
	}
}

// measure writes a distance in four digits; a feature of which none could be measured has a dash.
func (f FeatureCost) measure(x float64) string {
	if f.Measured == 0 {
		return "–"
	}
	return short(x)
}

// short writes a number in about four digits.
func short(x float64) string {
	if a := math.Abs(x); a >= 1000 && a < 1e15 {
		return group(int64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func (t *text) examples(r *Report) {
	if len(r.Examples) == 0 {
		return
	}
	t.line("\nExamples")
	for _, e := range r.Examples[:min(len(r.Examples), textExamples)] {
		t.wrap("  ", fmt.Sprintf("%s at %s: %s", shorten(e.Key, 32), e.AskTime, e.why()))
		for _, f := range e.Features {
			if !f.Equal {
				served, truth := shorten(sideText(e.Served, f.Served), 40), shorten(sideText(e.Truth, f.Other), 40)
				t.wrap("    ", fmt.Sprintf("%s: served %s, truth %s", f.Name, served, truth))
			}
		}
		for _, x := range e.Explaining[:min(len(e.Explaining), 4)] {
			t.wrap("    ", "because of "+x.text())
		}
		if n := len(e.Explaining) - 4 + e.Further; n > 0 {
			t.line("    and %d more", n)
		}
	}
	if n := len(r.Examples) - textExamples; n > 0 {
		t.line("  and %d more in the JSON and HTML reports", n)
	}
}

// why says the causes and their roles.
func (e *Example) why() string {
	var s []string
	for _, c := range e.Causes {
		s = append(s, c.text())
	}
	why := strings.Join(s, " and ")
	if e.Reason != "" {
		why += ": " + shorten(e.Reason, longestMessage)
	}
	return why
}

// text is the cause in words, with its role unless it acts alone.
func (s *Share) text() string {
	if s.Role == Alone {
		return s.Cause.Title()
	}
	return s.Cause.Title() + " (" + string(s.Role) + ")"
}

// sideText is a value, or why the side has none.
func sideText(state string, v Value) string {
	switch state {
	case rowStateNames[row]:
		return v.String()
	case rowStateNames[noRow]:
		return "no row"
	}
	return state
}

// text says in a line what an event is.
func (x *Event) text() string {
	s := fmt.Sprintf("%d/%d", x.Partition, x.Offset)
	if x.ID != "" {
		s = shorten(x.ID, 32) + " (" + s + ")"
	}
	s += " of " + x.Time + ", arrived " + x.Arrival + ", " + x.Class
	if x.behind > 0 {
		s += ", " + coarse(x.behind) + " behind the watermark"
	}
	return s
}

func (t *text) accounting(r *Report) {
	if len(r.Accounting) == 0 {
		return
	}
	t.line("\nWhat became of every offset")
	rows := [][]string{{"partition", "from", "to", "gap", "dead", "duplicate", "too late", "filtered", "late", "on time"}}
	for _, a := range r.Accounting {
		row := []string{strconv.Itoa(int(a.Partition)), strconv.FormatInt(a.First, 10), strconv.FormatInt(a.Next, 10)}
		rows = append(rows, append(row, groups(a.counts()...)...))
	}
	const align = "rrrrrrrrrr"
	if width("  ", align, rows) <= t.width {
		t.table("  ", align, rows)
		return
	}
	// Numbers are not cut: here are the sums, and the reports in files have the partitions.
	var sums [7]int64
	for i := range r.Accounting {
		for c, n := range r.Accounting[i].counts() {
			sums[c] += n
		}
	}
	rows = nil
	for c, n := range sums {
		rows = append(rows, []string{group(n), strings.ToLower(accountNames[c])})
	}
	t.table("  ", "rl", rows)
}

func (p *PartitionAccount) counts() []int64 {
	return []int64{p.Gap, p.Dead, p.Duplicate, p.TooLate, p.Filtered, p.Late, p.OnTime}
}
