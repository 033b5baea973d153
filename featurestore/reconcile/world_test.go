package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
)

// world is a log and what the kernel makes of it: a stream, its as-served derivation, and truth.
type world struct {
	plan   *pipeline.Plan
	log    pipelinetest.Log
	served *kernel.Rows // sorted
	stream *kernel.Rows // a copy that tests may spoil
	truth  *kernel.Rows
	marks  Frontier
	accts  map[int32]kernel.Account
	short  int64 // answers withheld
	batch  int   // rows of a batch
	mem    memory.Allocator
}

func newWorld(t testing.TB, plan *pipeline.Plan, log pipelinetest.Log) *world {
	t.Helper()
	w := &world{plan: plan, log: log, marks: Frontier{}, accts: map[int32]kernel.Account{}, batch: 5, mem: memory.DefaultAllocator}
	live := compiled(t, plan, kernel.Live)
	rows := live.NewRows()
	for _, p := range log.Partitions() {
		records := w.partition(p)
		task := kernel.NewTask(live, p)
		next := records[len(records)-1].Offset + 1
		batch := records.Batch(memory.DefaultAllocator, plan.Source.Schema)
		if err := task.Push(batch, next, rows); err != nil {
			t.Fatal(err)
		}
		w.short += int64(len(task.DeadAnswers()))
		wm, known := task.Watermark()
		w.marks[p] = Mark{Next: next, Watermark: wm, Known: known}
		w.accts[p] = task.Account()
	}
	w.served = sortRows(live, rows)
	w.stream = sortRows(live, rows)
	w.truth = w.fold(t)
	return w
}

func compiled(t testing.TB, plan *pipeline.Plan, which kernel.Which) *kernel.Program {
	t.Helper()
	p, err := kernel.Compile(plan, which)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) partition(p int32) pipelinetest.Log {
	return slices.DeleteFunc(slices.Clone(w.log), func(r pipelinetest.Record) bool { return r.Partition != p })
}

// fold is truth at the frontier, all features.
func (w *world) fold(t testing.TB) *kernel.Rows {
	t.Helper()
	all := compiled(t, w.plan, kernel.All)
	out := all.NewRows()
	f := kernel.NewFold(all, func(p int32) (int64, bool) { return w.marks[p].Watermark, w.marks[p].Known }, func(rows *kernel.Rows) error {
		for i := range rows.Len() {
			out.Keys.Append(rows.Keys.At(i))
			copyRow(out, rows, i)
		}
		return nil
	})
	sorted := w.log.Sorted(&w.plan.Source)
	if err := f.Push(sorted.Batch(memory.DefaultAllocator, w.plan.Source.Schema)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func sortRows(p *kernel.Program, rows *kernel.Rows) *kernel.Rows {
	order := make([]int, rows.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(bytes.Compare(rows.Keys.At(i), rows.Keys.At(j)), cmp.Compare(rows.AskTime[i], rows.AskTime[j]),
			cmp.Compare(rows.Partition[i], rows.Partition[j]), cmp.Compare(rows.Offset[i], rows.Offset[j]),
			cmp.Compare(rows.Revision[i], rows.Revision[j]))
	})
	return pick(p, rows, order)
}

// pick copies rows in the given order.
func pick(p *kernel.Program, rows *kernel.Rows, order []int) *kernel.Rows {
	out := p.NewRows()
	for _, i := range order {
		out.Keys.Append(rows.Keys.At(i))
		copyRow(out, rows, i)
	}
	return out
}

// reader gives the rows in batches.
func (w *world) reader(rows *kernel.Rows, live bool) func(context.Context) (array.RecordReader, error) {
	fields := slices.Clone(w.plan.Arrow().Fields()[:5])
	for i, f := range w.plan.Arrow().Fields()[5:] {
		if !live || w.plan.Features[i].Live() {
			fields = append(fields, f)
		}
	}
	return func(context.Context) (array.RecordReader, error) {
		return cut(rows.Record(arrow.NewSchema(fields, nil), w.mem), w.batch)
	}
}

// cut gives a batch in slices of n rows, an empty one among them. Its reader is the batch's only owner.
func cut(whole arrow.RecordBatch, n int) (array.RecordReader, error) {
	defer whole.Release()
	batches := []arrow.RecordBatch{whole.NewSlice(0, 0)}
	for i := int64(0); i < whole.NumRows(); i += int64(n) {
		batches = append(batches, whole.NewSlice(i, min(i+int64(n), whole.NumRows())))
	}
	defer releaseAll(batches)
	return array.NewRecordReader(whole.Schema(), batches)
}

func (w *world) input() *Input {
	side := func(rows *kernel.Rows, live bool) Side {
		return Side{PlanHash: w.plan.Hash(), Frontier: w.marks, Rows: w.reader(rows, live)}
	}
	in := &Input{
		Plan: w.plan, Snapshot: "7421", At: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC),
		Stream: side(w.stream, true), Served: side(w.served, true), Truth: side(w.truth, false), Log: w,
	}
	in.Stream.Accounts, in.Served.Accounts, in.Served.Withheld = w.accts, w.accts, w.short
	return in
}

// Partition is Log's.
func (w *world) Partition(_ context.Context, p int32) (array.RecordReader, error) {
	return w.records(w.partition(p))
}

// Keys is Log's.
func (w *world) Keys(_ context.Context, keys [][]byte) (array.RecordReader, error) {
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[string(k)] = true
	}
	key := func(r *pipelinetest.Record) expr.Datum {
		if r.Fault != "" {
			return expr.Datum{Null: true}
		}
		return r.Values[w.plan.Source.Key]
	}
	var found pipelinetest.Log
	for _, r := range w.log {
		if k := key(&r); !k.Null && wanted[k.S] {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b pipelinetest.Record) int {
		return cmp.Or(cmp.Compare(key(&a).S, key(&b).S), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return w.records(found)
}

func (w *world) records(l pipelinetest.Log) (array.RecordReader, error) {
	return cut(l.Batch(w.mem, w.plan.Source.Schema), w.batch)
}

func (w *world) run(t testing.TB, o Options) *Report {
	t.Helper()
	r, err := Run(context.Background(), w.input(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// parse makes the worlds of a fixture text, one a case.
func parse(t testing.TB, text string) []*world {
	t.Helper()
	cases, err := fixture.Parse("inline", text)
	if err != nil {
		t.Fatal(err)
	}
	var worlds []*world
	for _, c := range cases {
		worlds = append(worlds, newWorld(t, planOf(t, &c.Plan), c.Plan.Bind(c.Log)))
	}
	return worlds
}

func planOf(t testing.TB, p *fixture.Plan) *pipeline.Plan {
	t.Helper()
	defined, err := p.Pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := defined.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
