package pipeline

import (
	"fmt"
	"strings"
	"time"
)

// Explain describes the plan for people: what is read, what late events meet, what is computed where, and the hash.
func (p *Plan) Explain() string {
	var b strings.Builder
	s := &p.Source
	names := func(c int) string { return s.Schema.Fields[c].Name }
	fmt.Fprintf(&b, "pipeline %s   plan %s\n\n", p.Name, p.hash[:12])
	fmt.Fprintf(&b, "reads     %s (%s), keyed by %s, at time %s", s.Name, s.Schema.Name, names(s.Key), names(s.Time))
	if s.ID >= 0 {
		fmt.Fprintf(&b, ", named by %s\n", names(s.ID))
	} else {
		b.WriteString("; events have no id, so no duplicate is known\n")
	}
	fmt.Fprintf(&b, "watermark newest event − %v\n", micros(s.OutOfOrder))
	fmt.Fprintf(&b, "late      admitted up to %v behind the watermark, then dead-lettered", micros(s.Lateness))
	if s.ID >= 0 {
		b.WriteString("; ids remembered as long")
	}
	fmt.Fprintf(&b, "\nahead     more than %v past its Kafka timestamp is invalid\n", micros(s.Ahead))
	if s.SkipNullKey {
		b.WriteString("null key  filtered\n")
	}
	if p.Where != nil {
		fmt.Fprintf(&b, "where     %s\n", p.Where.Text(names))
	}
	if p.Tick == 0 {
		fmt.Fprintf(&b, "asks      at every event; its answer is final\n")
	} else {
		fmt.Fprintf(&b, "asks      at every multiple of %v, when the watermark reaches it; late events revise\n", micros(p.Tick))
	}
	fmt.Fprintf(&b, "\n%s, one row a key and ask:\n", p.RowName)
	p.explainFeatures(&b, names)
	return b.String()
}

func (p *Plan) explainFeatures(b *strings.Builder, names func(int) string) {
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
		meaning := string(f.Agg.Op)
		if f.Agg.Arg != nil {
			meaning += " of " + f.Agg.Arg.Text(names)
		}
		if f.Agg.Per > 0 {
			meaning += " per " + f.Agg.Per.String()
		}
		if f.Agg.Where != nil {
			meaning += " where " + f.Agg.Where.Text(names)
		}
		meaning += ", " + f.Window.String()
		if f.Agg.Or != nil {
			meaning += "; of nothing " + f.Agg.Or.Text(f.Kind)
		}
		rows = append(rows, [4]string{f.Name, kind, place, meaning})
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

// micros writes a span of microseconds as a duration.
func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
