package batch

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

type everyKind struct {
	Key   string     `spill:"k,key"`
	Count int64      `spill:"count"`
	Sum   *float64   `spill:"sum"`
	Word  *string    `spill:"word"`
	Yes   *bool      `spill:"yes"`
	When  *time.Time `spill:"when"`
}

type everyKindOf struct {
	Key string    `spill:"k,key"`
	At  time.Time `spill:"t,time"`
	X   float64   `spill:"x"`
	S   string    `spill:"s"`
	B   bool      `spill:"b"`
	W   time.Time `spill:"w"`
}

// TestRecord compares the copy of rows of every kind, null and not, with the kernel's own.
func TestRecord(t *testing.T) {
	plan, err := pipeline.Define("kinds", func(d *pipeline.Draft) {
		var e everyKindOf
		var r everyKind
		pipeline.Aggregate(pipeline.From(d, "events", &e), &r, pipeline.EveryEvent(),
			pipeline.Feature(&r.Count, agg.Count(), window.Last(time.Hour)),
			pipeline.Feature(&r.Sum, agg.Sum(expr.Col(&e.X)), window.Last(time.Hour)),
			pipeline.Feature(&r.Word, agg.Last(expr.Col(&e.S)), window.Last(time.Hour)),
			pipeline.Feature(&r.Yes, agg.Last(expr.Col(&e.B)), window.Last(time.Hour)),
			pipeline.Feature(&r.When, agg.Last(expr.Col(&e.W)), window.Last(time.Hour)))
	}).Plan()
	if err != nil {
		t.Fatal(err)
	}
	prog, err := kernel.Compile(plan, kernel.All)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 70 {
		rows := prog.NewRows()
		for range n {
			rows.Keys.Append([]byte("keys"[:rng.IntN(5)]))
			rows.AskTime = append(rows.AskTime, rng.Int64())
			rows.Partition, rows.Offset = append(rows.Partition, rng.Int32()), append(rows.Offset, rng.Int64N(5)-2)
			rows.Revision = append(rows.Revision, rng.Int32())
			for c := range rows.Columns {
				c := &rows.Columns[c]
				valid := n%2 == 0 || rng.IntN(3) > 0
				c.Valid = append(c.Valid, valid)
				switch c.Kind {
				case schema.Float:
					c.F = append(c.F, rng.Float64())
				case schema.Text:
					c.S.Append([]byte("word"[:rng.IntN(5)]))
				default:
					c.I = append(c.I, rng.Int64N(2))
				}
			}
		}
		got, want := record(rows, plan.Arrow()), rows.Record(plan.Arrow(), memory.DefaultAllocator)
		if !array.RecordEqual(got, want) {
			t.Fatalf("%d rows: got\n%v\nwant\n%v", n, got, want)
		}
	}
}
