package kernel_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
	"github.com/spillway-go/spillway/pipeline/window"
)

// TestSlicesOfBlocks asks slices that are cut into blocks after every third row, so that most are taken as sums.
func TestSlicesOfBlocks(t *testing.T) {
	before := kernel.SetBlockRows(3)
	defer kernel.SetBlockRows(before)
	conformance.Run(t, conformance.Engine{Name: "kernel blocks", Reading: pipelinetest.Serving, Restarts: true, Answer: answerSlices})
}

// TestCutSlices asks slices that are cut short, or longer than they should be: each is an error or has the whole
// one's answer, and the asker answers rightly afterwards.
func TestCutSlices(t *testing.T) {
	before := kernel.SetBlockRows(3)
	defer kernel.SetBlockRows(before)
	refused := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 12))
		p := hostile.Plan(r)
		defined, err := p.Pipeline()
		if err != nil {
			t.Fatal(err)
		}
		plan, err := defined.Plan()
		if err != nil {
			t.Fatal(err)
		}
		prog, err := kernel.Compile(plan, kernel.Live)
		if err != nil {
			t.Fatal(err)
		}
		log := p.Bind(hostile.Log(r, &p, hostile.Options{}))
		task := kernel.NewTask(prog, 0)
		if err := task.Push(log.Batch(memory.DefaultAllocator, plan.Source.Schema), log[len(log)-1].Offset+1, prog.NewRows()); err != nil {
			continue // of several partitions
		}
		asker, rows := kernel.NewAsker(prog), prog.NewRows()
		for i := range log {
			key, at, ok := task.Admitted(i)
			if !ok {
				continue
			}
			start := window.Floor(at, prog.SliceWidth())
			whole, ok := task.AppendSlice(nil, key, start)
			if !ok || len(whole) == 0 {
				continue
			}
			ask := func(slice []byte) (string, error) {
				rows.Reset()
				err := asker.Ask(key, at+1, 0, [][]byte{slice}, []int64{start}, rows)
				return text(prog, rows), err
			}
			want, err := ask(whole)
			if err != nil {
				t.Fatal(err)
			}
			cut := whole[:r.IntN(len(whole))]
			if r.IntN(4) == 0 {
				cut = append(slices.Clone(whole), 0)
			}
			if got, err := ask(cut); err != nil {
				refused++
			} else if got != want { // What is taken as its sums is not read to its end.
				t.Fatalf("seed %d: %x gives %s, and the whole slice %s", seed, cut, got, want)
			}
			if again, err := ask(whole); err != nil || again != want {
				t.Fatalf("seed %d: after a cut slice the answer is %s, %v, not %s", seed, again, err, want)
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d slices were refused", refused)
	}
}

func text(prog *kernel.Program, rows *kernel.Rows) string {
	var b []byte
	for i := range rows.Len() {
		for c := range rows.Columns {
			b = append(rows.Columns[c].AppendJSON(b, i), ' ')
		}
	}
	return string(b)
}
