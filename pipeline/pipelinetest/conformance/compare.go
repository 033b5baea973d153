package conformance

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// difference is one cell, or one row, that is not as it must be.
type difference struct {
	row       pipelinetest.Row
	feature   int // of the plan; -1: the row itself
	got, want string
}

// comparison compares an engine's rows with those wanted.
type comparison struct {
	engine    *Engine
	plan      *pipeline.Plan
	questions int
	found     []difference
}

func (c *comparison) add(row pipelinetest.Row, feature int, got, want string) {
	c.found = append(c.found, difference{row, feature, got, want})
}

func (c *comparison) rows(got, want []pipelinetest.Row) {
	if c.engine.Reading.Asked() {
		c.asked(got, want)
		return
	}
	if c.engine.LastRevisions && c.plan.Tick > 0 {
		want = lastRevisions(want)
	}
	left := map[identity]pipelinetest.Row{}
	for _, row := range got {
		id := c.identity(&row)
		if _, twice := left[id]; twice {
			c.add(row, -1, "given twice", "once")
		}
		left[id] = row
	}
	for _, w := range want {
		id := c.identity(&w)
		g, ok := left[id]
		delete(left, id)
		if !ok {
			c.questions += len(w.Values)
			c.add(w, -1, "no row", c.text(&w))
			continue
		}
		c.row(&g, &w)
	}
	for _, row := range got {
		if _, extra := left[c.identity(&row)]; extra {
			c.add(row, -1, c.text(&row), "no row")
		}
	}
	if len(c.found) == 0 && c.engine.Reading == pipelinetest.AsServed && !c.engine.Unordered && !c.engine.LastRevisions {
		c.order(got, want)
	}
}

func (c *comparison) asked(got, want []pipelinetest.Row) {
	for i, w := range want {
		if i >= len(got) {
			c.add(w, -1, "no row", c.text(&w))
			continue
		}
		g := got[i]
		if g.Key != w.Key || g.AskTime != w.AskTime {
			c.add(w, -1, c.text(&g), "the row of this ask: rows come in the order of the asks")
		}
		c.row(&g, &w)
	}
	for _, g := range got[min(len(got), len(want)):] {
		c.add(g, -1, c.text(&g), "no row: there are no more asks")
	}
}

// row compares two rows of one identity.
func (c *comparison) row(got, want *pipelinetest.Row) {
	c.questions += len(want.Values)
	brought := got.Offset != want.Offset || want.Offset >= 0 && got.Partition != want.Partition
	if brought && !c.engine.LastRevisions && !c.engine.Reading.Asked() {
		c.add(*want, -1, fmt.Sprintf("by %d/%d", got.Partition, got.Offset), fmt.Sprintf("by %d/%d", want.Partition, want.Offset))
	}
	switch {
	case got.Dead && want.Dead:
		return
	case got.Dead || want.Dead || len(got.Values) != len(want.Values):
		c.add(*want, -1, c.text(got), c.text(want))
		return
	}
	for i, f := range c.engine.Reading.Features(c.plan) {
		kind := c.plan.Features[f].Kind
		if !sameValue(kind, got.Values[i], want.Values[i]) {
			c.add(*want, f, valueText(kind, got.Values[i]), valueText(kind, want.Values[i]))
		}
	}
}

// order holds the rows of each partition to the order wanted. Withheld rows have none.
func (c *comparison) order(got, want []pipelinetest.Row) {
	byPartition := func(rows []pipelinetest.Row) []pipelinetest.Row {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r pipelinetest.Row) bool { return r.Dead })
		slices.SortStableFunc(rows, func(a, b pipelinetest.Row) int { return cmp.Compare(a.Partition, b.Partition) })
		return rows
	}
	got, want = byPartition(got), byPartition(want)
	for i := range want {
		if c.identity(&got[i]) != c.identity(&want[i]) {
			c.add(want[i], -1, "in its place: "+c.text(&got[i]), "in this place")
			return
		}
	}
}

// identity is S7's of a row.
type identity struct {
	key       string
	ask       int64
	partition int32
	offset    int64
	revision  int32
}

func (c *comparison) identity(row *pipelinetest.Row) identity {
	id := identity{key: row.Key, ask: row.AskTime}
	if c.plan.Tick == 0 {
		id.partition, id.offset = row.Partition, row.Offset
	}
	if !c.engine.LastRevisions {
		id.revision = row.Revision
	}
	return id
}

func lastRevisions(rows []pipelinetest.Row) []pipelinetest.Row {
	type tick struct {
		key string
		ask int64
	}
	last := map[tick]int32{}
	for _, r := range rows {
		last[tick{r.Key, r.AskTime}] = r.Revision
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r pipelinetest.Row) bool { return r.Revision != last[tick{r.Key, r.AskTime}] })
}

// sameValue compares to the bit, but all NaN are one.
func sameValue(kind schema.Kind, a, b expr.Datum) bool {
	switch {
	case a.Null || b.Null:
		return a.Null == b.Null
	case kind == schema.Float:
		return math.Float64bits(a.F) == math.Float64bits(b.F) || a.F != a.F && b.F != b.F
	case kind == schema.Text:
		return a.S == b.S
	}
	return a.I == b.I
}

func valueText(kind schema.Kind, d expr.Datum) string {
	text := fixture.FormatValue(kind, d)
	if kind == schema.Float && !d.Null {
		text += fmt.Sprintf(" (%016x)", math.Float64bits(d.F))
	}
	return text
}

func (c *comparison) text(row *pipelinetest.Row) string {
	return fixture.FormatRow(c.plan, c.engine.Reading, row)
}

const shown = 20 // differences in a report, and events of each

// table writes the differences, each with the events of its window, or before its row.
func (c *comparison) table(o *pipelinetest.Oracle) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 2, 0, 3, ' ', 0)
	fmt.Fprintln(w, "key\task\tfeature\tgot\twant\tthe events")
	for i, d := range c.found {
		if i == shown {
			fmt.Fprintf(w, "and %d more\n", len(c.found)-shown)
			break
		}
		feature, events := "the row", o.Before(c.engine.Reading, &d.row)
		if d.feature >= 0 {
			feature = c.plan.Features[d.feature].Name
			events = o.Window(c.engine.Reading, &d.row, d.feature)
		}
		fmt.Fprintf(w, "%q\t%s\t%s\t%s\t%s\t%s\n", d.row.Key, fixture.FormatSubject(c.plan, c.engine.Reading, &d.row),
			feature, d.got, d.want, eventsText(events))
	}
	w.Flush()
	return b.String()
}

func eventsText(events []*pipelinetest.Event) string {
	var s []string
	if n := len(events) - shown; n > 0 {
		s, events = []string{fmt.Sprintf("%d more", n)}, events[n:]
	}
	for _, e := range events {
		at := fixture.FormatValue(schema.Time, expr.Datum{I: e.Time})
		s = append(s, fmt.Sprintf("%d/%d at %s", e.Partition, e.Offset, at))
	}
	return "[" + strings.Join(s, ", ") + "]"
}
