package training

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Engine{Name: "training", Reading: pipelinetest.Training, Answer: train})
}

// logRecords is a log as history: sorted, cut into batches anywhere, and without the keys that no label has.
type logRecords struct {
	plan *pipeline.Plan
	log  pipelinetest.Log
}

func (r *logRecords) Sorted(_ context.Context, keys [][]byte, visit func(arrow.RecordBatch) error) error {
	source := &r.plan.Source
	wanted := func(rec *pipelinetest.Record) bool {
		return rec.Values != nil && !rec.Values[source.Key].Null &&
			slices.ContainsFunc(keys, func(k []byte) bool { return string(k) == rec.Values[source.Key].S })
	}
	var log pipelinetest.Log
	for _, rec := range r.log.Sorted(source) {
		if wanted(&rec) || len(keys)%2 == 0 {
			log = append(log, rec)
		}
	}
	random := rand.New(rand.NewPCG(uint64(len(r.log)), 1))
	for len(log) > 0 {
		n := 1 + random.IntN(len(log))
		if err := visitLog(log[:n], source.Schema, visit); err != nil {
			return err
		}
		log = log[n:]
	}
	return nil
}

func visitLog(log pipelinetest.Log, sc *schema.Schema, visit func(arrow.RecordBatch) error) error {
	rec := log.Batch(memory.DefaultAllocator, sc)
	defer rec.Release()
	return visit(rec)
}

func train(q *conformance.Question) (*conformance.Answers, error) {
	labels := &Labels{names: []string{"k", "t"}, cols: []column{&textColumn{}, &textColumn{}}}
	x := labels.index()
	for _, a := range q.Asks {
		if err := x.add(a.Key, a.Time); err != nil {
			return nil, err
		}
	}
	set, err := Join(context.Background(), q.Plan, labels, &logRecords{q.Plan, q.Log})
	if err != nil {
		return nil, err
	}
	rows := make([]pipelinetest.Row, set.Rows)
	for i, a := range q.Asks {
		rows[i] = pipelinetest.Row{Key: a.Key, AskTime: a.Time, Partition: -1, Offset: -1, After: a.After}
		rows[i].Dead = slices.ContainsFunc(set.Dead, func(d kernel.DeadAnswer) bool { return d.Key == a.Key && d.AskTime == a.Time })
		for _, c := range set.cols[len(labels.cols):] {
			f := c.(*featureColumn)
			rows[i].Values = append(rows[i].Values, datum(&f.values, int(f.ask[i])))
		}
	}
	return &conformance.Answers{Rows: rows}, nil
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
