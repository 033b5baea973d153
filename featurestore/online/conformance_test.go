package online_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// TestConformance holds the whole way of a served value to the suite: kernel task, writer, Pebble, view. A restart of the engine
// is one of the follower: the log is read again from its beginning, in other batches, onto the store as it stands.
func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Engine{
		Name: "online store", Reading: pipelinetest.Serving, Restarts: true, Answer: serve,
	})
}

func serve(q *conformance.Question) (*conformance.Answers, error) {
	store, err := online.OpenPebble("store", online.PebbleOptions{}.On(vfs.NewMem()))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	follower, err := newFollower(store, q.Plan)
	if err != nil {
		return nil, err
	}
	view, err := online.NewView(store, q.Plan, online.ViewOptions{})
	if err != nil {
		return nil, err
	}
	rows := make([]pipelinetest.Row, len(q.Asks))
	for _, part := range q.Parts() {
		if part.Restart {
			if follower, err = newFollower(store, q.Plan); err != nil {
				return nil, err
			}
			before := part.End - len(part.Log)
			if err := follower.read(q.Log[:before]); err != nil {
				return nil, err
			}
		}
		if err := follower.read(part.Log); err != nil {
			return nil, err
		}
		for i, ask := range q.Asks {
			if ask.After == part.End {
				if rows[i], err = answer(view, ask); err != nil {
					return nil, err
				}
			}
		}
	}
	return &conformance.Answers{Rows: rows}, nil
}

// follower reads a log as a follower of the stream does: one task a partition, and the writer as its sink.
type follower struct {
	prog   *kernel.Program
	writer *online.Writer
	tasks  map[int32]*kernel.Task
	rows   *kernel.Rows
	homes  map[string]int32 // of keys
}

func newFollower(store online.Store, plan *pipeline.Plan) (*follower, error) {
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		return nil, err
	}
	writer, err := online.NewWriter(context.Background(), store, prog)
	return &follower{prog, writer, map[int32]*kernel.Task{}, prog.NewRows(), map[string]int32{}}, err
}

func (f *follower) read(log pipelinetest.Log) error {
	next := map[int32]int64{}
	for i := range log {
		next[log[i].Partition] = log[i].Offset + 1
	}
	for _, rec := range f.oneHome(log).Batches(memory.DefaultAllocator, f.prog.Plan().Source.Schema) {
		partition := rec.Column(int(rec.NumCols()) - 5).(interface{ Value(int) int32 }).Value(0)
		if f.tasks[partition] == nil {
			f.tasks[partition] = kernel.NewTask(f.prog, partition)
		}
		f.rows.Reset()
		if err := f.tasks[partition].Push(rec, next[partition], f.rows); err != nil {
			return err
		}
		if err := f.writer.Apply(context.Background(), partition, f.tasks[partition], rec); err != nil {
			return err
		}
		rec.Release()
	}
	return nil
}

// oneHome gives a key that turns up in a second partition another name there: the law about unrelated keys adds one to all
// partitions at once, and a store refuses it (S1). Nobody asks about that key.
func (f *follower) oneHome(log pipelinetest.Log) pipelinetest.Log {
	log = slices.Clone(log)
	key := f.prog.Plan().Source.Key
	for i, r := range log {
		if r.Values == nil || r.Values[key].Null {
			continue
		}
		home, known := f.homes[r.Values[key].S]
		if !known {
			f.homes[r.Values[key].S] = r.Partition
		} else if home != r.Partition {
			log[i].Values = slices.Clone(r.Values)
			log[i].Values[key].S += fmt.Sprintf(" of partition %d", r.Partition)
		}
	}
	return log
}

func answer(view *online.View, ask pipelinetest.Ask) (pipelinetest.Row, error) {
	row := pipelinetest.Row{Key: ask.Key, AskTime: ask.Time, Partition: -1, Offset: -1, After: ask.After}
	var a online.Answer
	if err := view.Get(context.Background(), [][]byte{[]byte(ask.Key)}, nil, ask.Time, &a); err != nil {
		return row, err
	}
	features := view.Plan().Features
	for f := range features {
		if features[f].Historical {
			continue
		}
		row.Dead = row.Dead || a.Status(f, 0) == online.Invalid
		row.Values = append(row.Values, datum(a.Column(f), 0))
	}
	return row, nil
}

func datum(c *kernel.Column, i int) expr.Datum {
	switch {
	case !c.Valid[i]:
		return expr.Datum{Null: true}
	case c.Kind == schema.Float:
		return expr.Datum{F: c.F[i]}
	case c.Kind == schema.Text:
		return expr.Datum{S: string(c.S.At(i))}
	}
	return expr.Datum{I: c.I[i]}
}
