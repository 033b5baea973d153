package pipelinetest_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// source is that of every fixture's plan.
func source(t *testing.T) *pipeline.SourcePlan {
	t.Helper()
	p, err := (&fixture.Plan{Features: []string{"count() last 1s"}}).Pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Source
}

func randomLog(seed uint64, o hostile.Options) pipelinetest.Log {
	r := rand.New(rand.NewPCG(3, seed))
	plan := hostile.Plan(r)
	return hostile.Log(r, &plan, o)
}

// TestBatches reads Arrow batches back into records.
func TestBatches(t *testing.T) {
	src := source(t)
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	for seed := range uint64(30) {
		log := randomLog(seed, hostile.Options{})
		var got pipelinetest.Log
		for _, b := range log.Batches(mem, src.Schema) {
			if !b.Schema().Equal(src.Schema.Log()) {
				t.Fatalf("schema %v, want %v", b.Schema(), src.Schema.Log())
			}
			got = append(got, records(b, src.Schema)...)
			b.Release()
		}
		byPlace := func(a, b pipelinetest.Record) int { return int(a.Partition - b.Partition) }
		want := slices.Clone(log)
		slices.SortStableFunc(want, byPlace)
		slices.SortStableFunc(got, byPlace)
		if g, w := fixture.FormatLog(got), fixture.FormatLog(want); g != w {
			t.Fatalf("got\n%s\nwant\n%s", g, w)
		}
	}
}

func records(b arrow.RecordBatch, sc *schema.Schema) pipelinetest.Log {
	var log pipelinetest.Log
	n := len(sc.Fields)
	for i := range int(b.NumRows()) {
		r := pipelinetest.Record{
			Partition: b.Column(n).(*array.Int32).Value(i),
			Offset:    b.Column(n + 1).(*array.Int64).Value(i),
			Stamp:     int64(b.Column(n + 2).(*array.Timestamp).Value(i)),
		}
		if b.Column(n + 3).IsValid(i) {
			r.Fault = b.Column(n + 3).(*array.String).Value(i)
			r.Raw = slices.Clone(b.Column(n + 4).(*array.Binary).Value(i))
			log = append(log, r)
			continue
		}
		for c := range sc.Fields {
			r.Values = append(r.Values, datum(b.Column(c), i))
		}
		log = append(log, r)
	}
	return log
}

func datum(col arrow.Array, i int) expr.Datum {
	if col.IsNull(i) {
		return expr.Datum{Null: true}
	}
	switch a := col.(type) {
	case *array.Boolean:
		if a.Value(i) {
			return expr.Datum{I: 1}
		}
	case *array.Int64:
		return expr.Datum{I: a.Value(i)}
	case *array.Float64:
		return expr.Datum{F: a.Value(i)}
	case *array.String:
		return expr.Datum{S: strings.Clone(a.Value(i))}
	case *array.Timestamp:
		return expr.Datum{I: int64(a.Value(i))}
	}
	return expr.Datum{}
}

// TestMessages reads the JSON payloads back into records.
func TestMessages(t *testing.T) {
	src := source(t)
	for seed := range uint64(30) {
		log := randomLog(seed, hostile.Options{Finite: true})
		if !log.Finite() {
			t.Fatal("a log that should be finite is not")
		}
		messages, err := log.Messages(src)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range messages {
			r := log[i]
			if m.Partition != r.Partition || m.Offset != r.Offset || m.Stamp.UnixMicro() != r.Stamp {
				t.Fatalf("message %+v of record %+v", m, r)
			}
			if r.Fault != "" {
				if !bytes.Equal(m.Value, r.Raw) || m.Key != nil {
					t.Errorf("%q of %q", m.Value, r.Raw)
				}
				continue
			}
			if key := r.Values[src.Key]; key.Null != (m.Key == nil) || string(m.Key) != key.S {
				t.Errorf("key %q, want %+v", m.Key, key)
			}
			got := r
			got.Values = decode(t, m.Value, src.Schema)
			if g, w := fixture.FormatRecord(&got), fixture.FormatRecord(&r); g != w {
				t.Errorf("%s\nas %s\nwant %s", m.Value, g, w)
			}
		}
	}
}

func decode(t *testing.T, value []byte, sc *schema.Schema) []expr.Datum {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	var values []expr.Datum
	for _, f := range sc.Fields {
		raw := object[f.Name]
		if raw == nil || string(raw) == "null" {
			values = append(values, expr.Datum{Null: true})
			continue
		}
		d, at, yes := expr.Datum{}, time.Time{}, false
		var err error
		switch f.Kind {
		case schema.Float:
			err = json.Unmarshal(raw, &d.F)
		case schema.Int:
			err = json.Unmarshal(bytes.TrimSuffix(raw, []byte(".0")), &d.I)
		case schema.Text:
			err = json.Unmarshal(raw, &d.S)
		case schema.Time:
			err = json.Unmarshal(raw, &at)
			d.I = schema.Micros(at)
		case schema.Bool:
			if err = json.Unmarshal(raw, &yes); yes {
				d.I = 1
			}
		}
		if err != nil {
			t.Fatalf("%s: %s: %v", value, f.Name, err)
		}
		values = append(values, d)
	}
	return values
}

func TestMessagesRefuseWhatJSONLacks(t *testing.T) {
	src := source(t)
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		log := pipelinetest.Log{{Values: make([]expr.Datum, len(src.Schema.Fields))}}
		log[0].Values[src.Schema.ByName("x")].F = x
		if _, err := log.Messages(src); err == nil || log.Finite() {
			t.Errorf("%v passes for JSON", x)
		}
	}
}

func TestDense(t *testing.T) {
	log := pipelinetest.Log{{Partition: 1, Offset: 5}, {Offset: 3}, {Partition: 1, Offset: 9}, {Offset: 4}}
	var got []int64
	for _, r := range log.Dense() {
		got = append(got, r.Offset)
	}
	if want := []int64{0, 0, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("offsets %v, want %v", got, want)
	}
	if got := log.Partitions(); !slices.Equal(got, []int32{0, 1}) {
		t.Errorf("partitions %v", got)
	}
}

// TestSorted holds the lake's order: by key, time, partition and offset, what lacks one first.
func TestSorted(t *testing.T) {
	cases, err := fixture.Parse("", `case sorted
events
  0: t=5 key=b
  1: t=7 key=a
  2: t=5 key=a
  3: undecodable
  4: t=7 key=null
  5: t=null key=a
  6: t=5 key=a
  7: t=1 key=B
source
every event
feature a count() last 1s
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, r := range cases[0].Log.Sorted(source(t)) {
		got = append(got, r.Offset)
	}
	if want := []int64{3, 4, 7, 5, 2, 6, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("offsets %v, want %v", got, want)
	}
}

func TestCheckCountsColumns(t *testing.T) {
	if err := (pipelinetest.Log{{Values: make([]expr.Datum, 3)}}).Check(source(t)); err == nil {
		t.Error("a record of three values passes")
	}
	if err := (pipelinetest.Log{{Values: []expr.Datum{0: {S: "\xff"}, 9: {}}}}).Check(source(t)); err == nil {
		t.Error("a text that is not UTF-8 passes")
	}
}

func TestStrings(t *testing.T) {
	for got, want := range map[string]string{
		pipelinetest.Watermark{}.String():                        "−∞",
		(pipelinetest.Watermark{Known: true, Time: -5}).String(): "-5",
		pipelinetest.TooLate.String():                            "too late",
		pipelinetest.ByArrival.String():                          "arrival",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
