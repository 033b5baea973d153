package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
)

// The environment of the batch's benchmark.
const (
	batchRowsEnv  = "SPILLWAY_BENCH_ROWS"  // payments of the table; the workload has 20,000,000
	batchLakeEnv  = "SPILLWAY_BENCH_LAKE"  // a folder that keeps the table for the next time, instead of a temporary one
	batchChildEnv = "SPILLWAY_BENCH_BATCH" // "make" or "run": what a child of the benchmark is to do
	batchSaidEnv  = "SPILLWAY_BENCH_SAID"  // the file in which a child says how much memory it took
)

const (
	batchRowsShort  = 500_000   // where the environment says nothing
	batchAppendRows = 1_000_000 // of one append: about what the archiver gathers of a topic that is catching up
)

// BenchmarkBatch is workload Y3: the archive of payments as the archiver writes it, and one run of batch truth over all of
// it, four rolling features at every payment, into the feature table. Making the table and running are processes of their
// own, so that the figures are those of the run alone: user and system time, and the most that it had in memory.
func BenchmarkBatch(b *testing.B) {
	rows := batchRowsShort
	if env := os.Getenv(batchRowsEnv); env != "" {
		var err error
		if rows, err = strconv.Atoi(env); err != nil || rows <= 0 {
			b.Fatalf("%s is %q: want a number of payments", batchRowsEnv, env)
		}
	}
	folder := os.Getenv(batchLakeEnv)
	if folder == "" {
		folder = b.TempDir()
	}
	folder = filepath.Join(folder, fmt.Sprintf("payments-%d", rows))
	if _, err := os.Stat(filepath.Join(folder, "made")); err != nil {
		batchChild(b, "make", folder, rows)
		if err := os.WriteFile(filepath.Join(folder, "made"), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	var cpu time.Duration
	var peak int64
	b.ResetTimer()
	for range b.N {
		state, report := batchChild(b, "run", folder, rows)
		cpu += state.UserTime() + state.SystemTime()
		peak = max(peak, report)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/cpu.Seconds()/1e6, "Mrows/cpu-s")
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

// batchChild runs this program again to make or to run, and returns how it ended and what it says of its memory.
func batchChild(b *testing.B, do, folder string, rows int) (*os.ProcessState, int64) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	said := filepath.Join(b.TempDir(), "said")
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^TestBatchChild$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), batchChildEnv+"="+do, batchLakeEnv+"="+folder, batchRowsEnv+"="+strconv.Itoa(rows),
		batchSaidEnv+"="+said)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", do, err, out)
	}
	text, err := os.ReadFile(said)
	if err != nil {
		b.Fatal(err)
	}
	peak, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return cmd.ProcessState, peak
}

// TestBatchChild is what the children of the benchmark run.
func TestBatchChild(t *testing.T) {
	do := os.Getenv(batchChildEnv)
	if do == "" {
		t.Skip("it is for the benchmark of the batch only")
	}
	rows, err := strconv.Atoi(os.Getenv(batchRowsEnv))
	if err != nil {
		t.Fatal(err)
	}
	lake, err := lakehouse.Open(t.Context(), lakehouse.Config{Warehouse: os.Getenv(batchLakeEnv)})
	if err != nil {
		t.Fatal(err)
	}
	defer lake.Close()
	plan, err := payments.Y3.Plan()
	if err != nil {
		t.Fatal(err)
	}
	peak := int64(0)
	if do == "make" {
		err = archivePayments(t.Context(), lake, plan, rows)
	} else {
		peak, err = runY3(t.Context(), lake, plan, rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	if said := os.Getenv(batchSaidEnv); said != "" {
		if err := os.WriteFile(said, strconv.AppendInt(nil, peak, 10), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// archivePayments archives payments of the standard workload.
func archivePayments(ctx context.Context, lake *lakehouse.Lake, plan *pipeline.Plan, rows int) error {
	a, err := lake.Archive(ctx, lakehouse.LogOf(plan.Source.Name, plan.Source.Schema))
	if err != nil {
		return err
	}
	g := payments.Standard(1)
	var batches []arrow.RecordBatch
	from := int64(0)
	for at := int64(0); at < int64(rows); {
		n := min(batchRows, int64(rows)-at)
		batches = append(batches, g.Record(plan.Source.Schema, int(n), 0, at))
		at += n
		if at-from >= batchAppendRows || at == int64(rows) {
			if _, err := a.Append(ctx, lakehouse.Frontier{0: from}, lakehouse.Frontier{0: at}, batches); err != nil {
				return err
			}
			for _, b := range batches {
				b.Release()
			}
			batches, from = batches[:0], at
		}
	}
	return nil
}

// runY3 answers the whole history and returns the most memory that it took.
func runY3(ctx context.Context, lake *lakehouse.Lake, plan *pipeline.Plan, rows int) (int64, error) {
	job := batch.Job{Plan: plan, Reading: schedule.Truth, Interval: schedule.Always, Run: "bench"}
	report, err := batch.Run(ctx, job, batch.Deps{Lake: lake})
	if err != nil {
		return 0, err
	}
	if report.Written != int64(rows) {
		return 0, fmt.Errorf("%d rows were written, want one for each of %d payments", report.Written, rows)
	}
	return report.PeakMemory, nil
}
