package decode_test

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/streaming/decode"
)

// A builder takes the records of a partition and shows them as one batch.
func ExampleBuilder() {
	type Reading struct {
		Sensor  string    `spill:"sensor,key"`
		Celsius float64   `spill:"celsius"`
		At      time.Time `spill:"at,time"`
	}
	columns, _ := schema.Of(&Reading{}, fault.Pos{})
	b, err := decode.NewBuilder(columns, decode.JSON())
	if err != nil {
		fmt.Println(err)
		return
	}
	for offset, value := range []string{
		`{"sensor":"roof","celsius":21.5,"at":"2026-01-02T03:04:05Z"}`,
		`{"sensor":"roof","celsius":"warm","at":"2026-01-02T03:05:05Z"}`,
	} {
		// The error would be decode.ErrFull or, with Confluent, a registry that is down.
		if err := b.Add(context.Background(), 0, int64(offset), 1_767_323_106_000_000, []byte(value)); err != nil {
			fmt.Println(err)
			return
		}
	}
	batch := b.Batch()
	celsius, flaws := batch.Column(1).(*array.Float64), batch.Column(6).(*array.String)
	for row := range b.Len() {
		if flaws.IsValid(row) {
			fmt.Println("dead:", flaws.Value(row))
		} else {
			fmt.Println(celsius.Value(row))
		}
	}
	b.Reset() // batch is void from here on
	// Output:
	// 21.5
	// dead: column celsius: found "warm", expected a number
}
