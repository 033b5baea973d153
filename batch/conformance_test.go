package batch

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
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
// For every eighth everything is cut as small as can be, and the history is answered in three runs, the middle one twice.
func TestConformance(t *testing.T) {
	if os.Getenv("SPILLWAY_QUESTIONS") == "" {
		t.Setenv("SPILLWAY_QUESTIONS", "500") // Each log makes a table of its own on the disk.
	}
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
			conformance.Run(t, conformance.Engine{
				Name: e.name, Reading: e.reading, Unordered: true, Costly: true,
				Answer: func(q *conformance.Question) (*conformance.Answers, error) { return b.answer(q, e.batch) },
			})
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
	answers := &conformance.Answers{}
	if len(q.Log) == 0 {
		return answers, nil
	}
	plan := b.named(q.Plan)
	if err := b.archive(ctx, plan, q.Log, 2); err != nil {
		return nil, err
	}
	intervals := []schedule.Interval{schedule.Always}
	b.deps.limits = limits{}
	if b.asked%8 == 0 {
		intervals = thirds(q.Plan, q.Log)
		b.deps.limits = small(q.Plan, q.Log)
	}
	for i, in := range intervals {
		dead, report, err := b.run(ctx, plan, reading, in)
		if err != nil {
			return nil, err
		}
		if i == 1 {
			if _, _, err := b.run(ctx, plan, reading, in); err != nil {
				return nil, fmt.Errorf("the second time: %w", err)
			}
		}
		answers.Rows = append(answers.Rows, dead...)
		if report.Accounts != nil {
			answers.Accounts = map[int32]pipelinetest.Account{}
			for p, a := range report.Accounts {
				answers.Accounts[p] = pipelinetest.Account{First: a.First, Next: a.Next, Gap: a.Gap, Counts: a.Counts}
			}
		}
		if report.Historical != 0 {
			if err := b.checkValues(ctx, q, plan, in, &report); err != nil {
				return nil, err
			}
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

// small are limits at which everything is cut; of a long log into few pieces, each of which is a query of its own.
func small(plan *pipeline.Plan, log pipelinetest.Log) limits {
	l := limits{sortRows: 7, copyRows: 5, partLength: 15_000_000}
	if times := timesOf(plan, log); len(log) > 200 && len(times) > 4 {
		l.sortRows, l.copyRows = int64(len(log)/3), int64(len(log)/3)
		l.partLength = max(l.partLength, (times[len(times)*3/4]-times[len(times)/4])/2)
	}
	return l
}

// timesOf are the log's times, rising.
func timesOf(plan *pipeline.Plan, log pipelinetest.Log) []int64 {
	var times []int64
	for _, r := range log {
		if r.Values != nil && !r.Values[plan.Source.Time].Null {
			times = append(times, r.Values[plan.Source.Time].I)
		}
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// thirds cuts all time at two of the log's times, near others.
func thirds(plan *pipeline.Plan, log pipelinetest.Log) []schedule.Interval {
	times := timesOf(plan, log)
	if len(times) < 3 {
		return []schedule.Interval{schedule.Always}
	}
	a, b := times[len(times)/3], times[2*len(times)/3]+1
	return []schedule.Interval{{From: schedule.Beginning, To: a}, {From: a, To: b}, {From: b, To: schedule.End}}
}

// run runs a job and gives the rows that were withheld.
func (b *bench) run(ctx context.Context, plan *pipeline.Plan, reading schedule.Reading, in schedule.Interval) ([]pipelinetest.Row, Report, error) {
	var dead []pipelinetest.Row
	deps := b.deps
	deps.Dead = func(d kernel.DeadAnswer) {
		row := pipelinetest.Row{Key: d.Key, AskTime: d.AskTime, Partition: d.Partition, Offset: d.Offset, Revision: d.Revision, Dead: true}
		if d.Offset < 0 {
			row.Partition = -1
		}
		dead = append(dead, row)
	}
	report, err := Run(ctx, Job{Plan: plan, Reading: reading, Interval: in, Run: "r"}, deps)
	return dead, report, err
}

// checkValues compares the historical values as of the end of the interval with the oracle's answers.
func (b *bench) checkValues(ctx context.Context, q *conformance.Question, plan *pipeline.Plan, in schedule.Interval, report *Report) error {
	oracle := pipelinetest.NewOracle(q.Plan, q.Log)
	want := in.To
	if in.To == schedule.End {
		want = math.MinInt64
		for _, w := range oracle.Watermarks() {
			if w.Known {
				want = max(want, w.Time)
			}
		}
	}
	if report.AsOf != want {
		return fmt.Errorf("values as of %d, want %d", report.AsOf, want)
	}
	historical := func(f *pipeline.FeaturePlan) bool { return f.Historical }
	rows, err := b.rows(ctx, onlyFeatures(plan, historical), HistoricalTable)
	if err != nil {
		return err
	}
	got := map[string]string{}
	for _, row := range rows {
		if row.AskTime == want {
			got[row.Key] = fmt.Sprintf("%+v", row.Values)
		}
	}
	asked := map[string]bool{}
	for _, e := range oracle.Events {
		if asked[e.Key] || e.Class == pipelinetest.Dead || e.Key == "" && e.Values[q.Plan.Source.Key].Null || e.Time >= want {
			continue
		}
		asked[e.Key] = true
		answer := oracle.Answer(pipelinetest.Training, []pipelinetest.Ask{{Key: e.Key, Time: want}})[0]
		var values []expr.Datum
		fits := true
		for i := range q.Plan.Features {
			if f := &q.Plan.Features[i]; f.Historical {
				values = append(values, answer.Values[i])
				fits = fits && (f.Kind != schema.Int || answer.Values[i].Null || answer.Values[i].I >= f.Min && answer.Values[i].I <= f.Max)
			}
		}
		if wanted := fmt.Sprintf("%+v", values); fits && !answer.Dead && got[e.Key] != wanted {
			return fmt.Errorf("values of %q at %d: %s, want %s", e.Key, want, got[e.Key], wanted)
		}
	}
	return nil
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
