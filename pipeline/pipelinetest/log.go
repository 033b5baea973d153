package pipelinetest

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Record is one record of a topic.
type Record struct {
	Partition int32
	Offset    int64
	Stamp     int64        // the Kafka timestamp in µs: not below zero, and whole milliseconds, as Kafka keeps them
	Values    []expr.Datum // one a column of the source; nil for a record that cannot be decoded
	Fault     string       // why it cannot be decoded; "" when it can
	Raw       []byte       // the payload of a record that cannot be decoded
}

// Log is the records of a topic's partitions, in the order in which they arrive: the partitions may alternate, the
// offsets of each rise, and may have gaps.
type Log []Record

// Check returns what makes the log one that no topic of the source could hold, or nil.
func (l Log) Check(src *pipeline.SourcePlan) error {
	next := map[int32]int64{}
	home := map[string]int32{}
	for i := range l {
		r := &l[i]
		place := fmt.Sprintf("record %d/%d", r.Partition, r.Offset)
		if r.Offset < next[r.Partition] {
			return fmt.Errorf("%s: the offset does not rise", place)
		}
		next[r.Partition] = r.Offset + 1
		if r.Stamp < 0 || r.Stamp%1000 != 0 {
			return fmt.Errorf("%s: Kafka timestamp %d µs is negative or finer than a millisecond", place, r.Stamp)
		}
		if r.Fault != "" {
			continue
		}
		if err := checkValues(r.Values, src.Schema.Fields); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		key := r.Values[src.Key]
		if key.Null {
			continue
		}
		if p, ok := home[key.S]; ok && p != r.Partition {
			return fmt.Errorf("%s: key %q also lives in partition %d", place, key.S, p)
		}
		home[key.S] = r.Partition
	}
	return nil
}

func checkValues(values []expr.Datum, fields []schema.Field) error {
	if len(values) != len(fields) {
		return fmt.Errorf("%d values for %d columns", len(values), len(fields))
	}
	for c, v := range values {
		switch f := fields[c]; {
		case v.Null:
		case f.Kind == schema.Text && !utf8.ValidString(v.S):
			return fmt.Errorf("column %s: %q is not UTF-8", f.Name, v.S)
		case f.Kind == schema.Int && (v.I < f.Min || v.I > f.Max):
			return fmt.Errorf("column %s: %d does not fit its type", f.Name, v.I)
		}
	}
	return nil
}

// Partitions are the numbers of the log's partitions, rising.
func (l Log) Partitions() []int32 {
	var ps []int32
	for i := range l {
		ps = append(ps, l[i].Partition)
	}
	slices.Sort(ps)
	return slices.Compact(ps)
}

// Sorted is the log as the lake keeps it: by key, event time, partition and offset. Nulls come first, and so do records
// that cannot be decoded.
func (l Log) Sorted(src *pipeline.SourcePlan) Log {
	column := func(r *Record, c int) expr.Datum {
		if r.Values == nil {
			return expr.Datum{Null: true}
		}
		return r.Values[c]
	}
	return slices.SortedStableFunc(slices.Values(l), func(a, b Record) int {
		return cmp.Or(
			compareNullable(column(&a, src.Key), column(&b, src.Key)),
			compareNullable(column(&a, src.Time), column(&b, src.Time)),
			cmp.Compare(a.Partition, b.Partition),
			cmp.Compare(a.Offset, b.Offset))
	})
}

func compareNullable(a, b expr.Datum) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return -1
	case b.Null:
		return 1
	}
	return cmp.Or(cmp.Compare(a.S, b.S), cmp.Compare(a.I, b.I))
}
