package batch

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// servedRows is how many rows of a replay are gathered before they are handed on.
const servedRows = 1 << 15

// served derives again what the stream answered: every revision whose ask lies in the job's interval. It replays each
// partition from its first offset, since the watermark, and with it what was admitted, depends on all before.
func (h *History) served(ctx context.Context, job *Job, report *Report) error {
	prog, err := kernel.Compile(h.plan, kernel.Live)
	if err != nil {
		return err
	}
	asks := lakehouse.Range(job.Interval)
	out, err := h.write(ctx, onlyFeatures(h.plan, kernel.Live), string(schedule.Served), asks, job.Run)
	if err != nil {
		return err
	}
	report.Accounts = map[int32]kernel.Account{}
	rows := prog.NewRows()
	r := &replay{h: h, prog: prog, rows: rows, doing: "replaying"}
	r.pushed = func(task *kernel.Task) error {
		for _, d := range task.DeadAnswers() {
			if d.AskTime >= asks.From && d.AskTime < asks.To {
				report.dead(h, d)
			}
		}
		report.Read = r.read
		if rows.Len() < servedRows {
			return nil
		}
		err := out.add(rows, asks)
		rows.Reset()
		return err
	}
	r.ended = func(p int32, task *kernel.Task) error {
		report.Accounts[p] = task.Account()
		return nil
	}
	err = r.run(ctx, slices.Sorted(maps.Keys(h.snap.Spans)))
	if err == nil {
		err = out.add(rows, asks)
	}
	snap, err := out.finish(err)
	if err != nil {
		return err
	}
	report.Output, report.Written = snap.ID, out.written
	return nil
}

// replay gives the records of partitions to a task each, in the order of their offsets, one partition after the other. It
// checks that the archive has what it says (B1): as many records as were committed, between the offsets that were.
type replay struct {
	h      *History
	prog   *kernel.Program
	rows   *kernel.Rows // of all tasks; the functions below empty it
	doing  string
	pushed func(*kernel.Task) error        // called behind each batch
	ended  func(int32, *kernel.Task) error // called when a partition has been read

	todo      []int32 // the partitions that have not begun
	task      *kernel.Task
	partition int32
	count     int64 // records of the partition
	read      int64 // of all
}

func (r *replay) run(ctx context.Context, partitions []int32) error {
	h := r.h
	r.todo = partitions
	src := &h.plan.Source
	var others []int
	if src.ID >= 0 {
		others = append(others, src.ID)
	}
	columns, names := h.reading(others...)
	// That there is a fault is all that the kernel needs to know.
	columns = append(columns, stampName, fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN '' END", faultName))
	names = append(names, schema.StampColumn, schema.FaultColumn)
	lay := h.layOut(names, nil)
	q := query{columns: columns, files: h.files, order: fmt.Sprintf("ORDER BY %s, %s", partitionName, offsetName)}
	if len(partitions) < len(h.snap.Spans) {
		q.where = []string{partitionName + " IN " + list(partitions)}
	}
	of := int64(0)
	for _, p := range partitions {
		of += h.snap.Spans[p].Rows
	}
	err := h.each(ctx, q, func(b arrow.RecordBatch) error {
		rec := lay.batch(b)
		defer rec.Release()
		if err := r.batch(rec); err != nil {
			return err
		}
		h.progress(r.doing, r.read, of)
		return nil
	})
	if err != nil {
		return err
	}
	for r.task != nil || len(r.todo) > 0 {
		if err := r.turn(); err != nil {
			return err
		}
	}
	return nil
}

// batch gives the records of each partition in it to the partition's task.
func (r *replay) batch(rec arrow.RecordBatch) error {
	partitions := rec.Column(int(rec.NumCols()) - 5).(*array.Int32).Int32Values()
	for from := 0; from < len(partitions); {
		p, to := partitions[from], from+1
		for to < len(partitions) && partitions[to] == p {
			to++
		}
		for r.task == nil || r.partition != p {
			if r.task == nil && len(r.todo) == 0 {
				return r.h.foreign(p)
			}
			if err := r.turn(); err != nil {
				return err
			}
		}
		part := rec.NewSlice(int64(from), int64(to))
		err := r.push(part)
		part.Release()
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (r *replay) push(rec arrow.RecordBatch) error {
	n := rec.NumRows()
	offsets := rec.Column(int(rec.NumCols()) - 4).(*array.Int64).Int64Values()
	span := r.h.snap.Spans[r.partition]
	if offsets[0] < span.Start || offsets[n-1] >= span.Next {
		return r.h.foreign(r.partition)
	}
	r.count += n
	r.read += n
	if err := r.task.Push(rec, offsets[n-1]+1, r.rows); err != nil {
		return err
	}
	return r.pushed(r.task)
}

// turn ends the partition that is open, or begins the next.
func (r *replay) turn() error {
	if r.task == nil {
		r.partition, r.todo = r.todo[0], r.todo[1:]
		r.task, r.count = kernel.NewTask(r.prog, r.partition), 0
		return r.gapTo(r.h.snap.Spans[r.partition].Start)
	}
	span := r.h.snap.Spans[r.partition]
	if r.count != span.Rows {
		return fault.New("table "+r.h.snap.Table(), fmt.Sprintf("partition %d holds %d records, and %d were archived: someone else changed it",
			r.partition, r.count, span.Rows), "read a snapshot from before the change, or archive the topic anew")
	}
	if err := r.gapTo(span.Next); err != nil {
		return err
	}
	task := r.task
	r.task = nil
	return r.ended(r.partition, task)
}

// gapTo accounts for the offsets up to next that hold no record.
func (r *replay) gapTo(next int64) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, r.h.log)
	defer b.Release()
	empty := b.NewRecordBatch()
	defer empty.Release()
	return r.task.Push(empty, next, r.rows)
}

func (h *History) foreign(partition int32) error {
	return fault.New("table "+h.snap.Table(), fmt.Sprintf("holds a record of partition %d that was never archived: someone else wrote it", partition),
		"remove it, or read a snapshot from before")
}

func list(numbers []int32) string {
	text := "("
	for i, n := range numbers {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text + ")"
}
