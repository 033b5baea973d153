package lakehouse

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

type activity struct {
	Card  string  `spill:"card,key"`
	Count int64   `spill:"count_5m"`
	Spend float64 `spill:"spend_1h"`
}

type activityMore struct {
	Card  string   `spill:"card,key"`
	Spend float64  `spill:"spend_1h"`
	Mean  *float64 `spill:"mean_1h"`
}

func planOf(t testing.TB, p *pipeline.Pipeline) *pipeline.Plan {
	t.Helper()
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func activityPlan(t testing.TB) *pipeline.Plan {
	return planOf(t, pipeline.Define("card_activity", func(d *pipeline.Draft) {
		var p payment
		var c activity
		s := pipeline.From(d, "payments", &p)
		pipeline.Aggregate(s, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Count, agg.Count(), window.Last(5*time.Minute)),
			pipeline.Feature(&c.Spend, agg.Sum(expr.Col(&p.Amount)).Or(0), window.Last(time.Hour)))
	}))
}

func laterPlan(t testing.TB) *pipeline.Plan {
	return planOf(t, pipeline.Define("card_activity", func(d *pipeline.Draft) {
		var p payment
		var c activityMore
		s := pipeline.From(d, "payments", &p)
		pipeline.Aggregate(s, &c, pipeline.EveryEvent(),
			pipeline.Feature(&c.Spend, agg.Sum(expr.Col(&p.Amount)).Or(0), window.Last(time.Hour)),
			pipeline.Feature(&c.Mean, agg.Mean(expr.Col(&p.Amount)), window.Last(time.Hour)))
	}))
}

// answer is a row of features.
type answer struct {
	card   string
	ask    int64
	offset int64
	spend  float64
}

func answersReader(plan *pipeline.Plan, rows []answer) array.RecordReader {
	b := array.NewRecordBuilder(memory.DefaultAllocator, plan.Arrow())
	defer b.Release()
	for _, r := range rows {
		for i, f := range plan.Arrow().Fields() {
			switch f.Name {
			case "card":
				b.Field(i).(*array.StringBuilder).Append(r.card)
			case "ask_time":
				b.Field(i).(*array.TimestampBuilder).Append(arrow.Timestamp(r.ask))
			case "partition", "revision":
				b.Field(i).(*array.Int32Builder).Append(0)
			case "offset":
				b.Field(i).(*array.Int64Builder).Append(r.offset)
			case "spend_1h":
				b.Field(i).(*array.Float64Builder).Append(r.spend)
			default:
				b.Field(i).AppendNull()
			}
		}
	}
	batch := b.NewRecordBatch()
	half := batch.NumRows() / 2
	r, err := array.NewRecordReader(plan.Arrow(), []arrow.RecordBatch{batch.NewSlice(0, half), batch.NewSlice(half, batch.NumRows())})
	if err != nil {
		panic(err)
	}
	return r
}

// answers makes a row for each card every step microseconds of the range, in the order of the table.
func answers(in Range, step int64, spend float64) []answer {
	var rows []answer
	for c := range 3 {
		for t := in.From; t < in.To; t += step {
			rows = append(rows, answer{card: fmt.Sprintf("c%d", c), ask: t, offset: t / step, spend: spend})
		}
	}
	return rows
}

func sortAnswers(rows []answer) []answer {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b answer) int {
		if a.card != b.card {
			return strings.Compare(a.card, b.card)
		}
		return int(a.ask - b.ask)
	})
	return rows
}

func answersOf(b arrow.RecordBatch) []answer {
	col := func(name string) arrow.Array { return b.Column(b.Schema().FieldIndices(name)[0]) }
	out := make([]answer, b.NumRows())
	for i := range out {
		out[i] = answer{
			card: col("card").(*array.String).Value(i), ask: int64(col("ask_time").(*array.Timestamp).Value(i)),
			offset: col("offset").(*array.Int64).Value(i),
		}
		if c := col("spend_1h"); c.IsValid(i) {
			out[i].spend = c.(*array.Float64).Value(i)
		}
	}
	return out
}

// holdsAnswers reads the table through iceberg-go, and its files as plain Parquet if no delete file hides rows of them.
func holdsAnswers(t *testing.T, s *Snapshot, want []answer, plain bool) {
	t.Helper()
	want = sortAnswers(want)
	var got []answer
	for b, err := range s.Rows(context.Background(), Everything) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, answersOf(b)...)
	}
	if got = sortAnswers(got); !slices.Equal(got, want) {
		t.Fatalf("iceberg-go reads %d rows, want %d:\n%v\n%v", len(got), len(want), got, want)
	}
	if !plain {
		return
	}
	got = nil
	for _, f := range filesOf(t, s, Everything) {
		rows := answersOf(readParquet(t, f.Path))
		if int64(len(rows)) != f.Rows {
			t.Errorf("%s holds %d rows, and the manifest says %d", f.Path, len(rows), f.Rows)
		}
		for _, r := range rows {
			if r.ask < f.Times.From || r.ask >= f.Times.To {
				t.Errorf("%s holds a row at %d, outside of %v", f.Path, r.ask, f.Times)
			}
		}
		if !f.Sorted || !slices.Equal(rows, sortAnswers(rows)) {
			t.Errorf("%s is not sorted, or does not say so", f.Path)
		}
		got = append(got, rows...)
	}
	if got = sortAnswers(got); !slices.Equal(got, want) {
		t.Fatalf("plain Parquet reads %d rows, want %d", len(got), len(want))
	}
}

func filesOf(t testing.TB, s *Snapshot, r Range) []File {
	t.Helper()
	files, err := s.Files(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readParquet(t testing.TB, path string) arrow.RecordBatch {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	tbl, err := pqarrow.ReadTable(context.Background(), in, parquet.NewReaderProperties(nil), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	r := array.NewTableReader(tbl, max(1, tbl.NumRows()))
	if !r.Next() {
		t.Fatalf("%s is empty", path)
	}
	return r.RecordBatch()
}

const hour = int64(time.Hour / time.Microsecond)

// outside keeps the rows that do not lie in the range.
func outside(rows []answer, in Range) []answer {
	return slices.DeleteFunc(slices.Clone(rows), func(r answer) bool { return r.ask >= in.From && r.ask < in.To })
}
