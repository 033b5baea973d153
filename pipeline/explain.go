package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Explain describes the plan for people: what is read, what late events meet, what is computed where, and the hash.
func (p *Plan) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pipeline %s   plan %s\n\n", p.Name, p.hash[:12])
	p.explainSource(&b)
	for _, n := range p.named() {
		body := *n
		body.Name = ""
		fmt.Fprintf(&b, "select    %s = %s\n", n.Name, body.Formula(p.columnName))
	}
	if p.Where != nil {
		fmt.Fprintf(&b, "where     %s\n", p.Where.Formula(p.columnName))
	}
	if p.Tick == 0 {
		b.WriteString("asks      at every event, once: its answer is final\n")
	} else {
		fmt.Fprintf(&b, "asks      at every multiple of %s, when the watermark reaches it; late events revise\n", span(p.Tick))
	}
	fmt.Fprintf(&b, "\n%s, one row for each %s and ask:\n", p.RowName, p.KeyName)
	p.explainFeatures(&b)
	return b.String()
}

func (p *Plan) explainSource(b *strings.Builder) {
	s := &p.Source
	fmt.Fprintf(b, "reads     %s (%s), keyed by %s, at time %s", s.Name, s.Schema.Name, p.columnName(s.Key), p.columnName(s.Time))
	if s.ID >= 0 {
		fmt.Fprintf(b, ", named by %s\n", p.columnName(s.ID))
	} else {
		b.WriteString("; events have no id, so no duplicate is known\n")
	}
	b.WriteString("watermark newest event")
	if s.OutOfOrder > 0 {
		b.WriteString(" − " + span(s.OutOfOrder))
	}
	if s.Lateness > 0 {
		fmt.Fprintf(b, "\nlate      admitted up to %s behind the watermark, then dead-lettered", span(s.Lateness))
		if s.ID >= 0 {
			b.WriteString("; ids remembered as long")
		}
	} else {
		b.WriteString("\nlate      what is behind the watermark is dead-lettered")
	}
	fmt.Fprintf(b, "\nahead     more than %s past its Kafka timestamp is invalid\n", span(s.Ahead))
	if s.SkipNullKey {
		b.WriteString("null key  filtered\n")
	}
}

func (p *Plan) explainFeatures(b *strings.Builder) {
	rows := [][4]string{{"feature", "type", "placement", "meaning"}}
	for i := range p.Features {
		f := &p.Features[i]
		kind, place := f.Kind.String(), "live"
		if f.Nullable {
			kind += " or null"
		}
		if f.Historical {
			place = "historical"
		}
		rows = append(rows, [4]string{f.Name, kind, place, p.meaning(f)})
	}
	var width [3]int
	for _, r := range rows {
		for c := range width {
			width[c] = max(width[c], len(r[c]))
		}
	}
	for _, r := range rows {
		fmt.Fprintf(b, "  %-*s  %-*s  %-*s  %s\n", width[0], r[0], width[1], r[1], width[2], r[2], r[3])
	}
}

// meaning says what a feature is, as in: sum of amount where abroad, last 1h; of nothing 0.
func (p *Plan) meaning(f *FeaturePlan) string {
	m := string(f.Agg.Op)
	if f.Agg.Op == agg.OpCountOf {
		m = "count"
	}
	if f.Agg.Arg != nil {
		m += " of " + f.Agg.Arg.Operand(p.columnName)
	}
	if f.Agg.Per > 0 {
		m += " per " + window.Format(f.Agg.Per)
	}
	if f.Agg.Where != nil {
		m += " where " + f.Agg.Where.Formula(p.columnName)
	}
	m += ", " + f.Window.String()
	if f.Agg.Or != nil {
		m += "; of nothing " + f.Agg.Or.Formula(f.Kind)
	}
	return m
}

// named are the columns of Selects that the plan uses, each once, in the order of their use and after those they use.
func (p *Plan) named() []*expr.Node {
	var all []*expr.Node
	var walk func(*expr.Node)
	walk = func(n *expr.Node) {
		if n == nil {
			return
		}
		for _, a := range n.Args {
			walk(a)
		}
		same := func(o *expr.Node) bool { return o.Name == n.Name && o.Text(p.columnName) == n.Text(p.columnName) }
		if n.Name != "" && !slices.ContainsFunc(all, same) {
			all = append(all, n)
		}
	}
	walk(p.Where)
	for i := range p.Features {
		walk(p.Features[i].Agg.Arg)
		walk(p.Features[i].Agg.Where)
	}
	return all
}

func (p *Plan) columnName(c int) string { return p.Source.Schema.Fields[c].Name }

// span writes microseconds as a span of time.
func span(us int64) string { return window.Format(time.Duration(us) * time.Microsecond) }
