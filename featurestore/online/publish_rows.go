package online

import (
	"context"
	"iter"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Publish puts a run's historical values in the place of those of the run before it. Rows hold, in their Keys and Columns,
// the plan's historical features (see Historical), each key once. It tells whether the run stands afterwards: not if a
// newer one does.
func Publish(ctx context.Context, store Store, plan *pipeline.Plan, run Run, rows iter.Seq2[*kernel.Rows, error]) (stands bool, err error) {
	prog, err := kernel.Compile(plan, Historical)
	if err != nil {
		return false, err
	}
	if len(prog.Outputs()) == 0 {
		return false, fault.New("pipeline "+plan.Name, "has no historical features", "publish runs only of pipelines that have")
	}
	return store.Publish(ctx, SpaceOf(prog), run, valuesOf(prog, rows))
}

// valuesOf encodes rows, each value in the memory of the one before.
func valuesOf(prog *kernel.Program, rows iter.Seq2[*kernel.Rows, error]) iter.Seq2[Value, error] {
	return func(yield func(Value, error) bool) {
		var encoded []byte
		for batch, err := range rows {
			if err == nil {
				err = checkColumns(batch, prog)
			}
			if err != nil {
				yield(Value{}, err)
				return
			}
			for i := range batch.Keys.Len() {
				encoded = appendValues(encoded[:0], batch.Columns, i)
				if !yield(Value{Key: batch.Keys.At(i), Bytes: encoded}, nil) {
					return
				}
			}
		}
	}
}
