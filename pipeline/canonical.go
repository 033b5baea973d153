package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func (p *Plan) seal() {
	p.text = p.canonical()
	sum := sha256.Sum256([]byte(p.text))
	p.hash = hex.EncodeToString(sum[:])
}

// canonical writes one line a fact, in a fixed order. Its first line names the form: a change of the form is a change of
// every hash.
func (p *Plan) canonical() string {
	var b strings.Builder
	names := p.columnName
	fmt.Fprintf(&b, "spillway plan 1\npipeline %s\nsource %s\n", p.Name, p.Source.Name)
	for _, f := range p.Source.Schema.Fields {
		fmt.Fprintf(&b, "column %s %s%s%s\n", f.Name, f.Kind, rangeText(f.Kind, f.Min, f.Max), roleText(f.Role))
	}
	fmt.Fprintf(&b, "out_of_order %d\nlateness %d\nahead %d\n", p.Source.OutOfOrder, p.Source.Lateness, p.Source.Ahead)
	if p.Source.SkipNullKey {
		b.WriteString("skip_null_key\n")
	}
	if p.Where != nil {
		fmt.Fprintf(&b, "where %s\n", p.Where.Text(names))
	}
	fmt.Fprintf(&b, "tick %d\nkey %s\n", p.Tick, p.KeyName)
	for i := range p.Features {
		f := &p.Features[i]
		fmt.Fprintf(&b, "feature %s %s%s %s\n", f.Name, f.Kind, rangeText(f.Kind, f.Min, f.Max), f.text(names))
	}
	return b.String()
}

func (f *FeaturePlan) text(names func(int) string) string {
	var b strings.Builder
	b.WriteString(string(f.Agg.Op))
	if f.Agg.Arg != nil {
		b.WriteString(" of " + f.Agg.Arg.Text(names))
	}
	if f.Agg.Op == agg.OpSlope {
		fmt.Fprintf(&b, " per %d", f.Agg.Per.Microseconds())
	}
	if f.Agg.Where != nil {
		b.WriteString(" where " + f.Agg.Where.Text(names))
	}
	if f.Agg.Or != nil {
		b.WriteString(" or " + f.Agg.Or.Text(f.Kind))
	}
	fmt.Fprintf(&b, " last %d tile %d", f.Window.Micros(), f.Window.TileMicros())
	if f.Historical {
		b.WriteString(" historical")
	}
	return b.String()
}

func rangeText(k schema.Kind, lo, hi int64) string {
	if k != schema.Int || (lo == -1<<63 && hi == 1<<63-1) {
		return ""
	}
	return fmt.Sprintf("[%d,%d]", lo, hi)
}

func roleText(r schema.Role) string {
	if r == schema.Plain {
		return ""
	}
	return " " + r.String()
}
