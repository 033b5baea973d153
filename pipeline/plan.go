package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Plan is a pipeline as engines run it: every column resolved, every time in microseconds. It is read-only.
type Plan struct {
	Name     string
	Source   SourcePlan
	Where    *expr.Node    // nil: every event
	Tick     int64         // the period of the ticks; 0: at every event
	KeyName  string        // the key's column in the result
	RowName  string        // the Go type of a result's row
	Features []FeaturePlan // in the order of the result's columns
	text     string
	hash     string
}

// SourcePlan is where a plan's events come from, and how they behave in time.
type SourcePlan struct {
	Name          string
	Schema        *schema.Schema
	Key, Time, ID int   // columns; ID is -1 where events have none, and then nothing is a duplicate
	OutOfOrder    int64 // D of S3
	Lateness      int64 // L of S3
	Ahead         int64
	SkipNullKey   bool
}

// FeaturePlan is one column of the result.
type FeaturePlan struct {
	Name       string
	Kind       schema.Kind
	Nullable   bool
	Min, Max   int64 // the range of a whole number's Go type
	Agg        agg.Spec
	Window     window.Window
	Historical bool
}

// rowColumns are the columns that every feature row has beside the key and the features; see S7.
var rowColumns = []string{"ask_time", "partition", "offset", "revision", "retracted"}

// Hash is the plan's identity (S7): the SHA-256 of its canonical text, in hexadecimal.
func (p *Plan) Hash() string { return p.hash }

// Text is the canonical text of the plan: two plans mean the same exactly when it is the same.
func (p *Plan) Text() string { return p.text }

// LongestWindow is the furthest that any feature looks back at an ask at t, in microseconds before t.
func (p *Plan) LongestWindow(t int64) int64 {
	start := t
	for i := range p.Features {
		start = min(start, p.Features[i].Window.Start(t))
	}
	return t - start
}

// Live tells whether the feature is computed by the stream.
func (f *FeaturePlan) Live() bool { return !f.Historical }

// Arrow is the schema of the result: the key, the ask's time, the partition and offset of the event asked at or of the
// record that settled or revised the tick (null where no record did), the revision, then the features.
func (p *Plan) Arrow() *arrow.Schema {
	fields := []arrow.Field{
		{Name: p.KeyName, Type: schema.Text.Arrow()},
		{Name: "ask_time", Type: schema.Time.Arrow()},
		{Name: "partition", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "offset", Type: schema.Int.Arrow(), Nullable: true},
		{Name: "revision", Type: arrow.PrimitiveTypes.Int32},
	}
	for _, f := range p.Features {
		fields = append(fields, arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func (p *Plan) seal() {
	p.text = p.canonical()
	sum := sha256.Sum256([]byte(p.text))
	p.hash = hex.EncodeToString(sum[:])
}

// canonical writes one line a fact, in a fixed order. Its first line names the form: a change of the form is a change of
// every hash.
func (p *Plan) canonical() string {
	var b strings.Builder
	names := func(c int) string { return p.Source.Schema.Fields[c].Name }
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

// micros writes a span of microseconds as a duration.
func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
