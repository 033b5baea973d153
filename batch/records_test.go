package batch

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

// texts writes records row by row.
func texts(recs ...arrow.RecordBatch) []string {
	var all []string
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			line := ""
			for _, c := range rec.Columns() {
				line += c.ValueStr(i) + " "
			}
			all = append(all, line)
		}
	}
	return all
}

// TestRecords reads records as training and the reconciler do: all columns, those that could not be decoded too.
func TestRecords(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	log := payments(20_000)
	log[7].Values, log[7].Fault, log[7].Raw = nil, "undecodable", []byte{0xff, 0}
	log[9].Values[1].Null = true
	log[11].Values[5].Null = true
	b := newBench(t)
	if err := b.archive(t.Context(), plan, log, 3); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), plan, 0, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	src := &plan.Source
	expect := func(l pipelinetest.Log) []string { return texts(l.Batch(memory.DefaultAllocator, src.Schema)) }

	partition := slices.DeleteFunc(slices.Clone(log), func(r pipelinetest.Record) bool { return r.Partition != 1 })
	same(t, "partition", retained(t, h.Partition, 1), expect(partition))

	keys := [][]byte{[]byte("card0000"), []byte("card0003"), []byte("nobody")}
	wanted := slices.DeleteFunc(slices.Clone(log), func(r pipelinetest.Record) bool {
		return r.Values == nil || r.Values[1].Null || !slices.ContainsFunc(keys, func(k []byte) bool { return string(k) == r.Values[1].S })
	})
	var sorted []string
	err = h.Sorted(t.Context(), keys, func(rec arrow.RecordBatch) error {
		sorted = append(sorted, texts(rec)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "sorted", sorted, expect(wanted.Sorted(src)))
	if stop := fmt.Errorf("stop"); h.Sorted(t.Context(), keys, func(arrow.RecordBatch) error { return stop }) != stop {
		t.Error("the visitor's error is not returned")
	}

	slices.SortStableFunc(wanted, func(x, y pipelinetest.Record) int {
		return bytes.Compare([]byte(x.Values[1].S), []byte(y.Values[1].S))
	})
	same(t, "keys", retained(t, h.Keys, keys), expect(wanted))
}

// TestRecordsOfManyKeys reads the records of more keys than are looked up.
func TestRecordsOfManyKeys(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	log := payments(20_000)
	log[7].Values, log[7].Fault, log[7].Raw = nil, "undecodable", []byte{0xff, 0}
	log[9].Values[1].Null = true
	b := newBench(t)
	if err := b.archive(t.Context(), plan, log, 3); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), plan, 0, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var keys [][]byte
	for i := range fewKeys + 1 {
		keys = append(keys, fmt.Appendf(nil, "card%04d", i))
	}
	src := &plan.Source
	places := func(rec arrow.RecordBatch) (all []string) {
		n := len(src.Schema.Fields)
		for i := range int(rec.NumRows()) {
			line := ""
			for _, c := range []int{src.Key, src.Time, src.ID, n, n + 1} {
				line += rec.Column(c).ValueStr(i) + " "
			}
			all = append(all, line)
		}
		return all
	}
	var got []string
	err = h.Sorted(t.Context(), keys, func(rec arrow.RecordBatch) error {
		got = append(got, places(rec)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	valid := slices.DeleteFunc(slices.Clone(log), func(r pipelinetest.Record) bool { return r.Values == nil || r.Values[1].Null })
	same(t, "sorted", got, places(valid.Sorted(src).Batch(memory.DefaultAllocator, src.Schema)))
}

// retained reads a reader to its end, and only then looks at the records.
func retained[T any](t *testing.T, open func(context.Context, T) (array.RecordReader, error), of T) []string {
	t.Helper()
	r, err := open(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var recs []arrow.RecordBatch
	for r.Next() {
		rec := r.RecordBatch()
		rec.Retain()
		defer rec.Release()
		recs = append(recs, rec)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return texts(recs...)
}
