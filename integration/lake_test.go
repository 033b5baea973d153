//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
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
	featuresInPyiceberg(t, own, filepath.Join(data, "lake"), plan.Hash())
}

// featuresInPyiceberg runs the batch over the archive, and reads its rows with the other engine: as many, and of every column
// as many nulls and the same exact sum as the rows that the program itself writes out.
func featuresInPyiceberg(t *testing.T, broker *real.Kafka, warehouse, hash string) {
	t.Helper()
	run := func(args ...string) []byte {
		cmd := stream(t.Context(), t, broker, "glucose", args...)
		cmd.Env = append(os.Environ(), "SPILLWAY_WAREHOUSE="+warehouse)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	run("batch", "glucose_control", "--reading", "truth")
	rows, nulls, sums := 0, map[string]int{}, map[string]*big.Rat{}
	lines := json.NewDecoder(bytes.NewReader(run("rows", "glucose_control", "--layer", "truth", "--format", "jsonl")))
	lines.UseNumber()
	for lines.More() {
		var row map[string]any
		if err := lines.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows++
		for name, v := range row {
			if sums[name] == nil {
				sums[name] = new(big.Rat)
			}
			switch v := v.(type) {
			case nil:
				nulls[name]++
			case json.Number:
				f, err := v.Float64() // The text is the shortest of the number, not the number.
				if err != nil {
					t.Fatal(err)
				}
				sums[name].Add(sums[name], new(big.Rat).SetFloat64(f))
			default:
				nulls[name] = -1 // a text
			}
		}
	}
	want := fmt.Sprintf("rows %d\n", rows)
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if nulls[name] >= 0 {
			sum, _ := sums[name].Float64()
			want += fmt.Sprintf("%s %d %d\n", name, nulls[name], int64(math.Float64bits(sum)))
		}
	}
	want += "plan " + hash + "\n"
	if got := real.RunPython(t, "lake_features.py", warehouse, "features.glucose_control_truth"); got != want || rows == 0 {
		t.Fatalf("pyiceberg reads\n%s\nand the program writes out\n%s", got, want)
	}
	t.Log(want)
}

// python is a float as Python prints one that is whole.
func python(f float64) string { return fmt.Sprintf("%.1f", f) }
