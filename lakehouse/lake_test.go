package lakehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

type payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Amount   float64   `spill:"amount"`
	Items    int64     `spill:"items"`
	Online   bool      `spill:"online"`
	At       time.Time `spill:"at,time"`
}

func paymentLog(t testing.TB, topic string) Log { return logOf(t, topic, new(payment)) }

func logOf(t testing.TB, topic string, row any) Log {
	t.Helper()
	s, errs := schema.Of(row, fault.Pos{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return LogOf(topic, s)
}

func openLake(t testing.TB, dir string) *Lake {
	t.Helper()
	l, err := Open(context.Background(), Config{Warehouse: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func openArchive(t testing.TB, l *Lake, log Log) *Archive {
	t.Helper()
	a, err := l.Archive(context.Background(), log)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// record is a payment as a log holds it; a record with a fault has no columns.
type record struct {
	partition int32
	offset    int64
	card      string
	at        int64 // µs
	amount    float64
	fault     string
}

func (r record) String() string {
	return fmt.Sprintf("%d/%d %s %d %v %s", r.partition, r.offset, r.card, r.at, r.amount, r.fault)
}

// batchOf lays records out for the payments' log.
func batchOf(log Log, records ...record) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, log.Schema)
	defer b.Release()
	for _, r := range records {
		for i, f := range log.Schema.Fields() {
			appendField(b.Field(i), f.Name, r)
		}
	}
	return b.NewRecordBatch()
}

func appendField(b array.Builder, name string, r record) {
	switch name {
	case schema.PartitionColumn:
		b.(*array.Int32Builder).Append(r.partition)
		return
	case schema.OffsetColumn:
		b.(*array.Int64Builder).Append(r.offset)
		return
	case schema.StampColumn:
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(r.at + 1))
		return
	}
	bad := r.fault != ""
	switch {
	case name == schema.FaultColumn && bad:
		b.(*array.StringBuilder).Append(r.fault)
	case name == schema.RawColumn && bad:
		b.(*array.BinaryBuilder).Append([]byte{0, 1, 0xff})
	case bad || name == schema.FaultColumn || name == schema.RawColumn:
		b.AppendNull()
	case name == "id":
		b.(*array.StringBuilder).Append(fmt.Sprintf("p%d-%d", r.partition, r.offset))
	case name == "card":
		b.(*array.StringBuilder).Append(r.card)
	case name == "at":
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(r.at))
	case name == "amount":
		b.(*array.Float64Builder).Append(r.amount)
	case name == "items":
		b.(*array.Int64Builder).Append(r.offset % 7)
	case name == "online":
		b.(*array.BooleanBuilder).Append(r.offset%2 == 0)
	default:
		b.AppendNull()
	}
}

// history makes n records over a few partitions, keys and days, with ties, gaps in the offsets, and faults.
func history(seed uint64, n int, partitions int32) []record {
	rng := rand.New(rand.NewPCG(seed, 1))
	next := map[int32]int64{}
	records := make([]record, n)
	for i := range records {
		p := rng.Int32N(partitions)
		next[p] += 1 + rng.Int64N(3)/2 // now and then an offset is one of Kafka's own
		r := record{
			partition: p, offset: next[p] - 1, card: fmt.Sprintf("c%d", rng.IntN(20)),
			at: (rng.Int64N(5)-2)*microsPerDay + rng.Int64N(50)*3600*500_000, amount: float64(rng.IntN(1000)) / 100,
		}
		if rng.IntN(20) == 0 {
			r = record{partition: r.partition, offset: r.offset, fault: "no JSON"}
		}
		records[i] = r
	}
	return records
}

// frontierAfter is where the records end, going on from one before.
func frontierAfter(f Frontier, records []record) Frontier {
	to := Frontier{}
	for p, o := range f {
		to[p] = o
	}
	for _, r := range records {
		to[r.partition] = max(to[r.partition], r.offset+1)
	}
	return to
}

// readBack is what a snapshot holds, through iceberg-go, in the order of coordinates.
func readBack(t testing.TB, s *Snapshot, r Range) []record {
	t.Helper()
	var out []record
	for b, err := range s.Rows(context.Background(), r) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, recordsOf(b)...)
	}
	sortRecords(out)
	return out
}

func sortRecords(rs []record) {
	slices.SortFunc(rs, func(a, b record) int {
		if a.partition != b.partition {
			return int(a.partition - b.partition)
		}
		return int(a.offset - b.offset)
	})
}

func recordsOf(b arrow.RecordBatch) []record {
	col := func(name string) arrow.Array { return b.Column(b.Schema().FieldIndices(name)[0]) }
	out := make([]record, b.NumRows())
	for i := range out {
		r := record{partition: col(schema.PartitionColumn).(*array.Int32).Value(i), offset: col(schema.OffsetColumn).(*array.Int64).Value(i)}
		if c := col("card"); c.IsValid(i) {
			r.card = c.(*array.String).Value(i)
		}
		if c := col("at"); c.IsValid(i) {
			r.at = int64(c.(*array.Timestamp).Value(i))
		}
		if c := col("amount"); c.IsValid(i) {
			r.amount = c.(*array.Float64).Value(i)
		}
		if c := col(schema.FaultColumn); c.IsValid(i) {
			r.fault = c.(*array.String).Value(i)
		}
		out[i] = r
	}
	return out
}

func current(t testing.TB, tbl *Table) *Snapshot {
	t.Helper()
	s, err := tbl.Snapshot(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
