package pipeline

import (
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

// Hash is the plan's identity (S7): the SHA-256 of its canonical text, in hexadecimal.
func (p *Plan) Hash() string { return p.hash }

// Text is the canonical text of the plan, one line a fact: plans of one text mean the same. Go's names of types, fields and
// variables are not in it.
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

// plan is what the draft, which has no faults, says.
func (d *Draft) plan() *Plan {
	a, s := d.aggregate, d.source
	p := &Plan{
		Name: d.name,
		Source: SourcePlan{
			Name: s.name, Schema: s.schema,
			Key: s.schema.ByRole(schema.Key), Time: s.schema.ByRole(schema.EventTime), ID: s.schema.ByRole(schema.ID),
			OutOfOrder: s.out.Microseconds(), Lateness: s.late.Microseconds(), Ahead: s.ahead.Microseconds(), SkipNullKey: s.skip,
		},
		Where:    a.where.where,
		Tick:     a.grain.tick.Microseconds(),
		KeyName:  a.schema.Fields[a.schema.ByRole(schema.Key)].Name,
		RowName:  a.schema.Name,
		Features: a.features,
	}
	p.seal()
	return p
}
