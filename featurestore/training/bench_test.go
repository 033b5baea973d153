package training

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

const (
	benchCards    = 10_000
	benchPayments = 1_000_000
	benchLabels   = 50_000
)

type benchActivity struct {
	Card  string  `spill:"card,key"`
	Count int64   `spill:"count_5m"`
	Spend float64 `spill:"spend_1h"`
	Mean  float64 `spill:"mean_24h"`
}

// BenchmarkJoin is the yardstick's Y4 at a twentieth: 50,000 labels against a million payments.
func BenchmarkJoin(b *testing.B) {
	plan, err := pipeline.Define("card_activity", func(d *pipeline.Draft) {
		var p payment
		var a benchActivity
		amount := expr.Col(&p.Amount)
		pipeline.Aggregate(pipeline.From(d, "payments", &p), &a, pipeline.EveryEvent(),
			pipeline.Feature(&a.Count, agg.Count(), window.Last(5*time.Minute)),
			pipeline.Feature(&a.Spend, agg.Sum(amount).Or(0), window.Last(time.Hour)),
			pipeline.Feature(&a.Mean, agg.Mean(amount).Or(0), window.Last(24*time.Hour)),
		)
	}).Plan()
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(random, 1.1, 1, benchCards-1)
	history := newBenchHistory(plan, random, zipf)
	labels := &Labels{names: []string{"card", "label_time"}, cols: []column{&textColumn{}, &textColumn{}}}
	x := labels.index()
	for range benchLabels {
		if err := x.add(benchCard(zipf.Uint64()), noon.UnixMicro()+random.Int64N(benchPayments*paymentGap)); err != nil {
			b.Fatal(err)
		}
	}
	before := processorTime(b)
	for b.Loop() {
		set, err := Join(context.Background(), plan, labels, history)
		if err != nil || set.History.Kept != benchPayments {
			b.Fatal(err, set.History)
		}
	}
	spent := (processorTime(b) - before).Seconds() / float64(b.N)
	b.ReportMetric(benchPayments/spent, "payments/cpu-s")
	b.ReportMetric(benchLabels/spent, "labels/cpu-s")
}

// BenchmarkReadCSV reads labels.
func BenchmarkReadCSV(b *testing.B) {
	var text []byte
	for n := range benchLabels {
		text = fmt.Appendf(text, "%s,2026-01-31T12:%02d:%02d.%06dZ,%d\n", benchCard(uint64(n%benchCards)), n/60%60, n%60, n, n%2)
	}
	path := b.TempDir() + "/labels.csv"
	if err := os.WriteFile(path, append([]byte("card,label_time,fraud\n"), text...), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ReadLabels(context.Background(), path, "card", Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchCard(n uint64) string { return fmt.Sprintf("c%06d", n) }

const paymentGap = 2_000 // µs

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchHistory is payments in memory, sorted.
type benchHistory []arrow.RecordBatch

func newBenchHistory(plan *pipeline.Plan, random *rand.Rand, zipf *rand.Zipf) benchHistory {
	type paid struct{ card, offset uint64 }
	all := make([]paid, benchPayments)
	for i := range all {
		all[i] = paid{zipf.Uint64(), uint64(i)}
	}
	slices.SortFunc(all, func(a, b paid) int {
		if a.card != b.card {
			return int(a.card) - int(b.card)
		}
		return int(a.offset) - int(b.offset)
	})
	var h benchHistory
	for part := range slices.Chunk(all, 1<<14) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, plan.Source.Schema.Log())
		for _, p := range part {
			at := noon.UnixMicro() + int64(p.offset)*paymentGap
			b.Field(0).(*array.StringBuilder).Append(benchCard(p.card))
			b.Field(1).(*array.StringBuilder).Append("merchant")
			b.Field(2).(*array.Float64Builder).Append(float64(random.IntN(50_000)) / 100)
			b.Field(3).(*array.Int64Builder).Append(100)
			b.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
			b.Field(5).(*array.Int32Builder).Append(0)
			b.Field(6).(*array.Int64Builder).Append(int64(p.offset))
			b.Field(7).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
			b.Field(8).AppendNull()
			b.Field(9).AppendNull()
		}
		h = append(h, b.NewRecordBatch())
		b.Release()
	}
	return h
}

func (h benchHistory) Sorted(_ context.Context, _ [][]byte, visit func(arrow.RecordBatch) error) error {
	for _, rec := range h {
		if err := visit(rec); err != nil {
			return err
		}
	}
	return nil
}
