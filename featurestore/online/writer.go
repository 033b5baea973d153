package online

import (
	"bytes"
	"context"
	"math"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/window"
)

// Writer keeps a store up to date with the tasks of a plan's partitions. Its Apply is the sink of a follower of the stream.
type Writer struct {
	store      Store
	space      Space
	prog       *kernel.Program
	mu         sync.Mutex // guards partitions
	partitions map[int32]*partitionWriter
}

// partitionWriter is the memory for the writes of one partition.
type partitionWriter struct {
	next    int64 // of the frontier that the store has, so that a replay costs nothing up to there
	touched touched
	rows    []byte // of all the write's slices
	ends    []int
	slices  []Slice
	write   Write
}

// NewWriter makes a writer of the live features of the program's plan. It goes on where the store stands.
func NewWriter(ctx context.Context, store Store, prog *kernel.Program) (*Writer, error) {
	w := &Writer{store: store, space: SpaceOf(prog), prog: prog, partitions: map[int32]*partitionWriter{}}
	frontiers, err := store.Frontiers(ctx, w.space)
	if err != nil {
		return nil, err
	}
	for _, f := range frontiers {
		w.partitions[f.Partition] = &partitionWriter{next: f.Next}
	}
	return w, nil
}

// SpaceOf is where the values of the program's plan are kept.
func SpaceOf(prog *kernel.Program) Space {
	return Space{Pipeline: prog.Plan().Name, Plan: prog.Plan().Hash()}
}

// Apply stores what the batch that the task has just been pushed changed: the slices that its records touched, and the
// partition's frontier. A frontier that the store has reached already changes nothing. The record is the batch that was
// pushed; it must not be released before Apply returns. Partitions may be applied at once, one partition's batches may not.
func (w *Writer) Apply(ctx context.Context, partition int32, task *kernel.Task, _ arrow.RecordBatch) error {
	p := w.partition(partition)
	next := task.Account().Next
	if next <= p.next {
		return nil
	}
	p.write.Frontier = w.frontier(partition, task)
	p.fill(w.prog, task)
	if _, err := w.store.Apply(ctx, w.space, &p.write); err != nil {
		return err
	}
	p.next = next
	return nil
}

func (w *Writer) partition(number int32) *partitionWriter {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.partitions[number]
	if p == nil {
		p = &partitionWriter{next: NoTime}
		w.partitions[number] = p
	}
	return p
}

// frontier is the partition's after the batch. What lies further back than any ask that is answered can reach is out of
// reach: asks go back to W − Lateness − Ahead (see View.Get), and windows from there.
func (w *Writer) frontier(partition int32, task *kernel.Task) Frontier {
	f := Frontier{Partition: partition, Next: task.Account().Next, Watermark: NoTime, Oldest: NoTime}
	if at, ok := task.Watermark(); ok {
		f.Watermark = at
		f.Oldest = firstSlice(w.prog, earliestAsk(w.prog, at))
	}
	return f
}

// earliestAsk is the earliest moment that can be asked about when a partition's watermark stands at w.
func earliestAsk(prog *kernel.Program, w int64) int64 {
	src := &prog.Plan().Source
	return saturatingSub(w, src.Lateness+src.Ahead)
}

// firstSlice is the start of the first slice that an ask reaches.
func firstSlice(prog *kernel.Program, at int64) int64 {
	from := saturatingSub(at, prog.Reach())
	if from < math.MinInt64+prog.SliceWidth() {
		return math.MinInt64
	}
	return window.Floor(from, prog.SliceWidth())
}

func saturatingSub(a, b int64) int64 {
	if a < math.MinInt64+b {
		return math.MinInt64
	}
	return a - b
}

// fill encodes the slices that the task's last batch touched. They are whole: a task keeps the rows of every slice that a
// record it admits can fall into.
func (p *partitionWriter) fill(prog *kernel.Program, task *kernel.Task) {
	width := prog.SliceWidth()
	p.touched.reset()
	for i := range task.Classes() {
		if key, at, ok := task.Admitted(i); ok {
			p.touched.add(key, window.Floor(at, width), at)
		}
	}
	list := p.touched.sorted()
	p.rows, p.ends = p.rows[:0], p.ends[:0]
	for i := range list {
		if prog.Reach() > 0 {
			p.rows, _ = task.AppendSlice(p.rows, list[i].key, list[i].start)
		}
		p.ends = append(p.ends, len(p.rows))
	}
	p.layOut(list)
}

// layOut makes the write of what has been encoded.
func (p *partitionWriter) layOut(list []touch) {
	if cap(p.slices) < len(list) {
		p.slices = make([]Slice, 0, 2*len(list))
	}
	p.slices = p.slices[:0] // Never moves below, so that keys can hold parts of it.
	keys, from := p.write.Keys[:0], 0
	for i := range list {
		if i == 0 || !bytes.Equal(list[i].key, list[i-1].key) {
			keys = append(keys, KeyWrite{Key: list[i].key, Newest: list[i].newest, Slices: p.slices[len(p.slices):]})
		}
		k := &keys[len(keys)-1]
		k.Newest = max(k.Newest, list[i].newest)
		if rows := p.rows[from:p.ends[i]]; len(rows) > 0 {
			p.slices = append(p.slices, Slice{Start: list[i].start, Offset: p.write.Frontier.Next - 1, Rows: rows})
			k.Slices = k.Slices[:len(k.Slices)+1]
		}
		from = p.ends[i]
	}
	p.write.Keys = keys
}
