package lakehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// benchBatches makes batches of payments of 100,000 cards in the order of a log.
func benchBatches(b *testing.B, log Log, n int) []arrow.RecordBatch {
	rng := rand.New(rand.NewPCG(1, 2))
	cards := rand.NewZipf(rng, 1.1, 1, 99_999)
	var batches []arrow.RecordBatch
	for len(batches) < n/(1<<14) {
		records := make([]record, 1<<14)
		for i := range records {
			o := int64(len(batches)<<14 + i)
			records[i] = record{offset: o, card: fmt.Sprintf("c%06d", cards.Uint64()), at: o*2000 - rng.Int64N(10_000_000), amount: float64(rng.IntN(100_000)) / 100}
		}
		batches = append(batches, batchOf(log, records...))
	}
	return batches
}

func BenchmarkAppend(b *testing.B) {
	const n = 1 << 19
	log := paymentLog(b, "payments")
	a := openArchive(b, openLake(b, b.TempDir()), log)
	batches := benchBatches(b, log, n)
	b.ResetTimer()
	for i := range b.N {
		p := int32(i) // a partition for each append: its offsets begin anew
		for j, batch := range batches {
			batches[j] = ofPartition(batch, p)
		}
		if _, err := a.Append(context.Background(), nil, Frontier{p: n}, batches); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func ofPartition(batch arrow.RecordBatch, p int32) arrow.RecordBatch {
	values := batch.Column(batch.Schema().FieldIndices("_kafka_partition")[0]).(*array.Int32).Int32Values()
	for i := range values {
		values[i] = p
	}
	return batch
}

func BenchmarkReplace(b *testing.B) {
	for _, days := range []int64{1, 30} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			plan := activityPlan(b)
			f := openFeatures(b, openLake(b, b.TempDir()), plan)
			in := Range{0, days * microsPerDay}
			rows := make([]answer, 0, 1<<20)
			step := days * microsPerDay / (1 << 10)
			for k := range int64(1 << 10) {
				for i := range int64(1 << 10) {
					rows = append(rows, answer{card: fmt.Sprintf("c%06d", k), ask: i * step, offset: i*1024 + k, spend: float64(i*k%9973) / 100})
				}
			}
			run := Run{ID: "run", Plan: plan.Hash(), Interval: in}
			whole := answersReader(plan, rows)
			var batches []arrow.RecordBatch
			for whole.Next() {
				whole.RecordBatch().Retain()
				batches = append(batches, whole.RecordBatch())
			}
			b.ResetTimer()
			for range b.N {
				r, err := array.NewRecordReader(plan.Arrow(), batches)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.Replace(context.Background(), r, run); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
