//go:build integration

package integration

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/integration/real"
	"github.com/spillway-go/spillway/streaming/decode"
)

// TestLakeInPyiceberg archives a topic of a broker of its own, and reads the table with another engine: the same
// rows, and the same sums.
func TestLakeInPyiceberg(t *testing.T) {
	plan, err := control.Glucose.Plan()
	if err != nil {
		t.Fatal(err)
	}
	own := real.StartKafka(t)
	records := send(t, own, plan, 4, 2)
	data := t.TempDir()
	for range 2 { // the second finds nothing to add
		cmd := stream(t.Context(), t, own, "glucose", "archive", "--until-end")
		cmd.Env = append(os.Environ(), "SPILLWAY_WAREHOUSE="+filepath.Join(data, "lake"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	faults, offsets, times, sum := 0, int64(0), int64(0), new(big.Rat)
	for p, recs := range records {
		b, err := decode.NewBuilder(plan.Source.Schema, decode.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if err := b.Add(t.Context(), p, r.Offset, r.Timestamp.UnixMilli()*1000, r.Value); err != nil {
				t.Fatal(err)
			}
			offsets += r.Offset
			times += r.Timestamp.Unix() + r.Timestamp.UnixMilli()%1000*1000
		}
		batch := b.Batch()
		faults += len(recs) - batch.Column(4+3).NullN() // four columns, three coordinates, the fault
		values := batch.Column(3)
		for i := range values.Len() {
			if values.IsValid(i) {
				f, ok := new(big.Rat).SetString(values.ValueStr(i))
				if !ok {
					t.Fatalf("value %q", values.ValueStr(i))
				}
				sum.Add(sum, f)
			}
		}
	}
	exact, _ := sum.Float64()
	want := fmt.Sprintf("rows %d\nfaults %d\nsum %s\noffsets %d\ntimes %d\n", count(records), faults, python(exact), offsets, times)
	if got := real.RunPython(t, "lake.py", filepath.Join(data, "lake"), "raw.glucose", "glucose"); got != want {
		t.Fatalf("pyiceberg reads\n%s\nand sent were\n%s", got, want)
	}
	t.Log(want)
}

// python is a float as Python prints one that is whole.
func python(f float64) string { return fmt.Sprintf("%.1f", f) }
