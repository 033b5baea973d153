package decode

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// payment is the yardstick's record.
type payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Country  string    `spill:"country"`
	Home     string    `spill:"home_country"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

const paymentAvro = `{"type":"record","name":"Payment","namespace":"bank","fields":[
	{"name":"id","type":"string"},
	{"name":"card","type":"string"},
	{"name":"merchant","type":"string"},
	{"name":"country","type":"string"},
	{"name":"home_country","type":"string"},
	{"name":"amount","type":"double"},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}]}`

const paymentID = 7 // of the schema in the registry

// payments are the values of n payments, as JSON, bare Avro and framed Avro.
func payments(n int) (asJSON, asAvro, asFramed [][]byte) {
	rng := rand.New(rand.NewPCG(1, 2))
	countries := []string{"DE", "FR", "US", "GB", "CH"}
	for i := range n {
		id, card := fmt.Sprintf("p%09d", i), fmt.Sprintf("c%06d", rng.IntN(100_000))
		merchant := fmt.Sprintf("m%05d", rng.IntN(20_000))
		country, home := countries[rng.IntN(5)], countries[rng.IntN(5)]
		amount := float64(rng.IntN(1_000_000)) / 100
		at := time.UnixMicro(1_767_225_600_000_000 + int64(i)*2000 + rng.Int64N(2000)).UTC()
		asJSON = append(asJSON, fmt.Appendf(nil,
			`{"id":%q,"card":%q,"merchant":%q,"country":%q,"home_country":%q,"amount":%.2f,"at":%q}`,
			id, card, merchant, country, home, amount, at.Format(time.RFC3339Nano)))
		framed := AppendFrame(nil, paymentID)
		for _, text := range []string{id, card, merchant, country, home} {
			framed = AppendText(framed, text)
		}
		framed = AppendLong(AppendDouble(framed, amount), at.UnixMicro())
		asFramed = append(asFramed, framed)
		asAvro = append(asAvro, framed[idLen:])
	}
	return asJSON, asAvro, asFramed
}

// schemas is a registry that holds schemas by their ids.
type schemas map[int]string

func (s schemas) Schema(_ context.Context, id int) ([]string, error) {
	if text, ok := s[id]; ok {
		return []string{text}, nil
	}
	return nil, ErrNoSchema
}

func mustSchema(tb testing.TB, row any) *schema.Schema {
	tb.Helper()
	s, errs := schema.Of(row, fault.Pos{})
	if len(errs) > 0 {
		tb.Fatal(errs)
	}
	return s
}

func mustAvro(tb testing.TB, texts ...string) Format {
	tb.Helper()
	f, err := Avro(texts...)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func mustBuilder(tb testing.TB, row any, f Format) *Builder {
	tb.Helper()
	b, err := NewBuilder(mustSchema(tb, row), f)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// BenchmarkPayment decodes batches of 4096 payments; an operation is one payment.
func BenchmarkPayment(b *testing.B) {
	asJSON, asAvro, asFramed := payments(4096)
	for _, c := range []struct {
		name   string
		format Format
		values [][]byte
	}{
		{"json", JSON(), asJSON},
		{"avro", mustAvro(b, paymentAvro), asAvro},
		{"confluent", Confluent(schemas{paymentID: paymentAvro}), asFramed},
	} {
		b.Run(c.name, func(b *testing.B) {
			builder := mustBuilder(b, &payment{}, c.format)
			ctx := context.Background()
			bytes := 0
			for _, v := range c.values {
				bytes += len(v)
			}
			b.SetBytes(int64(bytes / len(c.values)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(c.values) == 0 {
					builder.Batch().Release()
					builder.Reset()
				}
				if err := builder.Add(ctx, 0, int64(i), 1, c.values[i%len(c.values)]); err != nil {
					b.Fatal(err)
				}
			}
			if builder.fault.nulls != builder.rows {
				b.Fatal("a payment has a flaw")
			}
		})
	}
}
