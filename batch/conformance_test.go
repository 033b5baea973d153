package batch

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// TestConformance holds both readings to the suite, through a real lake and DuckDB: each question has a table of its own.
func TestConformance(t *testing.T) {
	for _, e := range []struct {
		name    string
		reading pipelinetest.Reading
		batch   schedule.Reading
	}{
		{"batch truth", pipelinetest.Truth, schedule.Truth},
		{"batch as served", pipelinetest.AsServed, schedule.Served},
	} {
		t.Run(string(e.batch), func(t *testing.T) {
			b := newBench(t)
			conformance.Run(t, conformance.Engine{Name: e.name, Reading: e.reading, Unordered: true,
				Answer: func(q *conformance.Question) (*conformance.Answers, error) { return b.answer(q, e.batch) }})
		})
	}
}

// bench is a lake for many small questions.
type bench struct {
	lake  *lakehouse.Lake
	deps  Deps
	asked int
}

func newBench(t testing.TB) *bench {
	lake, err := lakehouse.Open(t.Context(), lakehouse.Config{Warehouse: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lake.Close() })
	return &bench{lake: lake, deps: Deps{Lake: lake, Memory: 256 << 20, Threads: 1, Temp: t.TempDir()}}
}

// named is the plan under names that no other question has.
func (b *bench) named(plan *pipeline.Plan) *pipeline.Plan {
	b.asked++
	own := *plan
	own.Name, own.Source.Name = fmt.Sprintf("p%d", b.asked), fmt.Sprintf("t%d", b.asked)
	return &own
}

// archive keeps the log, in up to the number of appends.
func (b *bench) archive(ctx context.Context, plan *pipeline.Plan, log pipelinetest.Log, appends int) error {
	a, err := b.lake.Archive(ctx, lakehouse.LogOf(plan.Source.Name, plan.Source.Schema))
	if err != nil {
		return err
	}
	at := lakehouse.Frontier{}
	for i := range appends {
		part := log[i*len(log)/appends : (i+1)*len(log)/appends]
		if len(part) == 0 {
			continue
		}
		from, to := lakehouse.Frontier{}, lakehouse.Frontier{}
		for _, r := range part {
			if _, ok := from[r.Partition]; !ok {
				from[r.Partition] = r.Offset
				if next, ok := at[r.Partition]; ok {
					from[r.Partition] = next
				}
			}
			to[r.Partition] = r.Offset + 1
			at[r.Partition] = r.Offset + 1
		}
		batches := part.Batches(memory.DefaultAllocator, plan.Source.Schema)
		if _, err := a.Append(ctx, from, to, batches); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) answer(q *conformance.Question, reading schedule.Reading) (*conformance.Answers, error) {
	ctx := context.Background()
	if len(q.Log) == 0 {
		return &conformance.Answers{}, nil
	}
	plan := b.named(q.Plan)
	if err := b.archive(ctx, plan, q.Log, 2); err != nil {
		return nil, err
	}
	return b.run(ctx, plan, reading, schedule.Always)
}

// run runs a job and reads its rows, those withheld among them.
func (b *bench) run(ctx context.Context, plan *pipeline.Plan, reading schedule.Reading, in schedule.Interval) (*conformance.Answers, error) {
	answers := &conformance.Answers{}
	deps := b.deps
	deps.Dead = func(d kernel.DeadAnswer) {
		row := pipelinetest.Row{Key: d.Key, AskTime: d.AskTime, Partition: d.Partition, Offset: d.Offset, Revision: d.Revision, Dead: true}
		if d.Offset < 0 {
			row.Partition = -1
		}
		answers.Rows = append(answers.Rows, row)
	}
	report, err := Run(ctx, Job{Plan: plan, Reading: reading, Interval: in, Run: "r"}, deps)
	if err != nil {
		return nil, err
	}
	if report.Accounts != nil {
		answers.Accounts = map[int32]pipelinetest.Account{}
		for p, a := range report.Accounts {
			answers.Accounts[p] = pipelinetest.Account{First: a.First, Next: a.Next, Gap: a.Gap, Counts: a.Counts}
		}
	}
	which := kernel.All
	if reading == schedule.Served {
		which = kernel.Live
	}
	rows, err := b.rows(ctx, onlyFeatures(plan, which), string(reading))
	answers.Rows = append(answers.Rows, rows...)
	return answers, err
}

// rows reads all rows of a feature table.
func (b *bench) rows(ctx context.Context, plan *pipeline.Plan, reading string) ([]pipelinetest.Row, error) {
	table, err := b.lake.ReadFeatures(ctx, plan.Name, reading)
	if err != nil {
		return nil, err
	}
	snap, err := table.Snapshot(ctx, 0)
	if err != nil {
		return nil, err
	}
	var rows []pipelinetest.Row
	for rec, err := range snap.Rows(ctx, lakehouse.Everything) {
		if err != nil {
			return nil, err
		}
		column := func(name string) arrow.Array { return rec.Column(rec.Schema().FieldIndices(name)[0]) }
		for i := range int(rec.NumRows()) {
			row := pipelinetest.Row{Key: string([]byte(column(plan.KeyName).(*array.String).Value(i))), Partition: -1, Offset: -1}
			row.AskTime = int64(column("ask_time").(*array.Timestamp).Value(i))
			row.Revision = column("revision").(*array.Int32).Value(i)
			if o := column("offset"); o.IsValid(i) {
				row.Offset = o.(*array.Int64).Value(i)
				row.Partition = column("partition").(*array.Int32).Value(i)
			}
			for _, f := range plan.Features {
				row.Values = append(row.Values, datum(column(f.Name), f.Kind, i))
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func datum(col arrow.Array, kind schema.Kind, i int) expr.Datum {
	if col.IsNull(i) {
		return expr.Datum{Null: true}
	}
	switch kind {
	case schema.Bool:
		if col.(*array.Boolean).Value(i) {
			return expr.Datum{I: 1}
		}
		return expr.Datum{}
	case schema.Int:
		return expr.Datum{I: col.(*array.Int64).Value(i)}
	case schema.Float:
		return expr.Datum{F: col.(*array.Float64).Value(i)}
	case schema.Time:
		return expr.Datum{I: int64(col.(*array.Timestamp).Value(i))}
	}
	return expr.Datum{S: string([]byte(col.(*array.String).Value(i)))}
}
