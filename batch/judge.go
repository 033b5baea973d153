package batch

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// judge tells which of the records that SQL thinks valid are so to the kernel. It lets a task take them that knows no
// duplicates, no lateness and no features, and asks what became of each.
type judge struct {
	prog *kernel.Program
	rows *kernel.Rows
}

// noneLate is a lateness beyond the span of all valid times.
const noneLate = 1 << 60

func (h *History) newJudge() (*judge, error) {
	plan := *h.plan
	plan.Source.ID, plan.Source.OutOfOrder, plan.Source.Lateness, plan.Tick = -1, 0, noneLate, 0
	prog, err := kernel.Compile(&plan, none)
	if err != nil {
		return nil, err
	}
	return &judge{prog, prog.NewRows()}, nil
}

// valid judges records in the layout of the log, in any order.
func (j *judge) valid(rec arrow.RecordBatch) ([]bool, error) {
	rec = numbered(rec)
	defer rec.Release()
	task := kernel.NewTask(j.prog, 0) // Each batch has its own, so that nothing piles up.
	j.rows.Reset()
	if err := task.Push(rec, rec.NumRows(), j.rows); err != nil {
		return nil, err
	}
	valid := make([]bool, rec.NumRows())
	for i, class := range task.Classes() {
		valid[i] = class != kernel.Dead
	}
	return valid, nil
}

// numbered gives the records the offsets 0, 1, 2, …: a task takes rising ones only.
func numbered(rec arrow.RecordBatch) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(int(rec.NumRows()))
	for i := range rec.NumRows() {
		b.UnsafeAppend(i)
	}
	columns := append([]arrow.Array{}, rec.Columns()...)
	columns[len(columns)-4] = b.NewArray()
	defer columns[len(columns)-4].Release()
	return array.NewRecordBatch(rec.Schema(), columns, rec.NumRows())
}

// none computes no feature.
func none(*pipeline.FeaturePlan) bool { return false }
