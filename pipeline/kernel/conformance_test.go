package kernel_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/window"
)

func TestConformance(t *testing.T) {
	for _, e := range []conformance.Engine{
		{Name: "kernel task", Reading: pipelinetest.AsServed, Restarts: true, Answer: answerServed},
		{Name: "kernel fold", Reading: pipelinetest.Truth, Answer: answerTruth},
		{Name: "kernel ask", Reading: pipelinetest.Serving, Restarts: true, Answer: answerAsks},
		{Name: "kernel slices", Reading: pipelinetest.Serving, Restarts: true, Answer: answerSlices},
		{Name: "kernel spine", Reading: pipelinetest.Training, Answer: answerTraining},
	} {
		t.Run(strings.ReplaceAll(e.Name, " ", "_"), func(t *testing.T) { conformance.Run(t, e) })
	}
}

// tasks are the kernel's tasks over the partitions of a log.
type tasks struct {
	q    *conformance.Question
	prog *kernel.Program
	of   map[int32]*kernel.Task
	rows []pipelinetest.Row
	kept map[slice][]byte // what an online store would hold
}

type slice struct {
	key   string
	start int64
}

func newTasks(q *conformance.Question) (*tasks, error) {
	prog, err := kernel.Compile(q.Plan, kernel.Live)
	return &tasks{q: q, prog: prog, of: map[int32]*kernel.Task{}, kept: map[slice][]byte{}}, err
}

// read gives a part of the log to the tasks, record by record across partitions when order matters.
func (t *tasks) read(p conformance.Part) error {
	if p.Restart {
		for n, task := range t.of {
			restored, err := kernel.RestoreTask(t.prog, task.AppendSnapshot(nil))
			if err != nil {
				return err
			}
			t.of[n] = restored
		}
	}
	rows := t.prog.NewRows()
	for _, n := range p.Log.Partitions() {
		var own pipelinetest.Log
		for _, r := range p.Log {
			if r.Partition == n {
				own = append(own, r)
			}
		}
		task := t.of[n]
		if task == nil {
			task = kernel.NewTask(t.prog, n)
			t.of[n] = task
		}
		rows.Reset()
		if err := task.Push(own.Batch(memory.DefaultAllocator, t.q.Plan.Source.Schema), own[len(own)-1].Offset+1, rows); err != nil {
			return err
		}
		t.rows = append(t.rows, rowsOf(t.prog, rows)...)
		t.keep(task, len(own))
		for _, d := range task.DeadAnswers() {
			t.rows = append(t.rows, pipelinetest.Row{
				Key: d.Key, AskTime: d.AskTime, Partition: n, Offset: d.Offset, Revision: d.Revision, Dead: true,
			})
		}
	}
	return nil
}

// keep writes the slices that the last batch has touched.
func (t *tasks) keep(task *kernel.Task, records int) {
	width := t.prog.SliceWidth()
	for i := range records {
		if key, at, ok := task.Admitted(i); ok {
			start := window.Floor(at, width)
			t.kept[slice{string(key), start}], _ = task.AppendSlice(nil, key, start)
		}
	}
}

func answerServed(q *conformance.Question) (*conformance.Answers, error) {
	t, err := newTasks(q)
	if err != nil {
		return nil, err
	}
	for _, p := range q.Parts() {
		if err := t.read(p); err != nil {
			return nil, err
		}
	}
	accounts := map[int32]pipelinetest.Account{}
	for n, task := range t.of {
		a := task.Account()
		accounts[n] = pipelinetest.Account{First: a.First, Next: a.Next, Gap: a.Gap, Counts: a.Counts}
	}
	return &conformance.Answers{Rows: t.rows, Accounts: accounts}, nil
}

func answerTruth(q *conformance.Question) (*conformance.Answers, error) {
	t, err := newTasks(q)
	if err != nil {
		return nil, err
	}
	for _, p := range q.Parts() {
		if err := t.read(p); err != nil {
			return nil, err
		}
	}
	final := func(n int32) (int64, bool) {
		if t.of[n] == nil {
			return 0, false
		}
		return t.of[n].Watermark()
	}
	rows, err := fold(q, final, func(f *kernel.Fold) *kernel.Fold { return f })
	return &conformance.Answers{Rows: rows}, err
}

func fold(q *conformance.Question, final func(int32) (int64, bool), with func(*kernel.Fold) *kernel.Fold) ([]pipelinetest.Row, error) {
	prog, err := kernel.Compile(q.Plan, kernel.All)
	if err != nil {
		return nil, err
	}
	var rows []pipelinetest.Row
	f := with(kernel.NewFold(prog, final, func(r *kernel.Rows) error {
		rows = append(rows, rowsOf(prog, r)...)
		return nil
	}))
	sorted := q.Log.Sorted(&q.Plan.Source)
	for len(sorted) > 0 {
		n := 1 + len(sorted)/3
		if err := f.Push(sorted[:n].Batch(memory.DefaultAllocator, q.Plan.Source.Schema)); err != nil {
			return nil, err
		}
		sorted = sorted[n:]
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	for _, d := range f.DeadAnswers() {
		row := pipelinetest.Row{Key: d.Key, AskTime: d.AskTime, Offset: d.Offset, Dead: true, Partition: -1}
		if d.Offset >= 0 {
			row.Partition = d.Partition
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// asked runs the asks in the order of what they know, each as soon as that has been read.
func asked(q *conformance.Question, answer func(t *tasks, a *pipelinetest.Ask) (pipelinetest.Row, error)) (*conformance.Answers, error) {
	t, err := newTasks(q)
	if err != nil {
		return nil, err
	}
	rows := make([]pipelinetest.Row, len(q.Asks))
	for _, p := range q.Parts() {
		if len(p.Log) > 0 {
			if err := t.read(p); err != nil {
				return nil, err
			}
		}
		for i := range q.Asks {
			if a := &q.Asks[i]; a.After == p.End {
				if rows[i], err = answer(t, a); err != nil {
					return nil, err
				}
				rows[i].Partition, rows[i].Offset, rows[i].After = -1, -1, a.After
			}
		}
	}
	return &conformance.Answers{Rows: rows}, nil
}

// home is the task that holds a key, or any: a key that none holds is answered the same by all.
func (t *tasks) home(key string) *kernel.Task {
	for _, r := range t.q.Log {
		if r.Fault == "" && !r.Values[t.q.Plan.Source.Key].Null && r.Values[t.q.Plan.Source.Key].S == key && t.of[r.Partition] != nil {
			return t.of[r.Partition]
		}
	}
	return kernel.NewTask(t.prog, 0)
}

func answerAsks(q *conformance.Question) (*conformance.Answers, error) {
	return asked(q, func(t *tasks, a *pipelinetest.Ask) (pipelinetest.Row, error) {
		rows := t.prog.NewRows()
		task := t.home(a.Key)
		if err := task.Ask([]byte(a.Key), a.Time, rows); err != nil {
			return pipelinetest.Row{}, err
		}
		return one(t.prog, rows, a), nil
	})
}

func one(prog *kernel.Program, rows *kernel.Rows, a *pipelinetest.Ask) pipelinetest.Row {
	if rows.Len() == 0 {
		return pipelinetest.Row{Key: a.Key, AskTime: a.Time, Dead: true}
	}
	return rowsOf(prog, rows)[0]
}

func answerSlices(q *conformance.Question) (*conformance.Answers, error) {
	return asked(q, func(t *tasks, a *pipelinetest.Ask) (pipelinetest.Row, error) {
		var slices [][]byte
		var starts []int64
		width := t.prog.SliceWidth()
		for start := window.Floor(a.Time-t.prog.Reach(), width); start < a.Time; start += width {
			if b, ok := t.kept[slice{a.Key, start}]; ok {
				slices, starts = append(slices, b), append(starts, start)
			}
		}
		rows := t.prog.NewRows()
		if err := kernel.NewAsker(t.prog).Ask([]byte(a.Key), a.Time, 0, slices, starts, rows); err != nil {
			return pipelinetest.Row{}, err
		}
		return one(t.prog, rows, a), nil
	})
}

func answerTraining(q *conformance.Question) (*conformance.Answers, error) {
	order := make([]int, len(q.Asks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &q.Asks[i], &q.Asks[j]
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return int(max(-1, min(1, a.Time-b.Time)))
	})
	next := 0
	rows, err := fold(q, nil, func(f *kernel.Fold) *kernel.Fold {
		return f.Along(func() (kernel.Ask, bool) {
			if next == len(order) {
				return kernel.Ask{}, false
			}
			a := &q.Asks[order[next]]
			next++
			return kernel.Ask{Key: []byte(a.Key), At: a.Time}, true
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]pipelinetest.Row, len(q.Asks))
	for i := range out {
		out[i] = pipelinetest.Row{Key: q.Asks[i].Key, AskTime: q.Asks[i].Time, Partition: -1, Offset: -1, After: q.Asks[i].After, Dead: true}
	}
	at := 0
	for _, r := range rows {
		if r.Dead {
			continue
		}
		// Rows come in the order of the asks; an ask whose row was withheld has none.
		for q.Asks[order[at]].Key != r.Key || q.Asks[order[at]].Time != r.AskTime {
			at++
		}
		r.After = q.Asks[order[at]].After
		out[order[at]] = r
		at++
	}
	return &conformance.Answers{Rows: out}, nil
}
