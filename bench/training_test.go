package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/window"
)

// trained is the result of workload Y4.
type trained struct {
	Card  string  `spill:"card,key"`
	Count int64   `spill:"count_5m"`
	Sum   float64 `spill:"sum_1h"`
	Mean  float64 `spill:"mean_24h"`
}

// y4 is three rolling features at the times of labels.
var y4 = pipeline.Define("y4_training", func(d *pipeline.Draft) {
	var p payments.Payment
	var r trained
	amount := expr.Col(&p.Amount)
	pipeline.Aggregate(pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second)), &r, pipeline.EveryEvent(),
		pipeline.Feature(&r.Count, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&r.Sum, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&r.Mean, agg.Mean(amount).Or(0), window.Last(24*time.Hour)),
	)
})

const trainingEnv = "SPILLWAY_BENCH_TRAINING" // the data folder in which a child joins labels

// BenchmarkTraining is workload Y4: the command training, from a CSV file of labels to one with their features, over the
// archive of payments as the archiver writes it. There is a label for each twenty payments, of a card drawn as theirs are and
// at a time among theirs. The command is a process of its own, whose user and system time are measured, reading and writing
// included.
func BenchmarkTraining(b *testing.B) {
	rows := batchRowsShort
	if env := os.Getenv(batchRowsEnv); env != "" {
		var err error
		if rows, err = strconv.Atoi(env); err != nil || rows <= 0 {
			b.Fatalf("%s is %q: want a number of payments", batchRowsEnv, env)
		}
	}
	labels := max(1, rows/20)
	if env := os.Getenv("SPILLWAY_BENCH_LABELS"); env != "" {
		var err error
		if labels, err = strconv.Atoi(env); err != nil || labels <= 0 {
			b.Fatalf("SPILLWAY_BENCH_LABELS is %q: want a number of labels", env)
		}
	}
	folder := b.TempDir()
	batchChild(b, "make", filepath.Join(folder, "lake"), rows)
	if err := os.WriteFile(filepath.Join(folder, "labels.csv"), labelsOf(rows, labels), 0o600); err != nil {
		b.Fatal(err)
	}
	var cpu time.Duration
	b.ResetTimer()
	for range b.N {
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestTrainingProcess$", "-test.timeout=0")
		cmd.Env = append(os.Environ(), trainingEnv+"="+folder)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.StopTimer()
	out, err := os.ReadFile(filepath.Join(folder, "out.csv"))
	if err != nil || bytes.Count(out, []byte{'\n'}) != labels+1 {
		b.Fatalf("%d lines, want one for each of %d labels, %v", bytes.Count(out, []byte{'\n'}), labels, err)
	}
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
	b.ReportMetric(float64(rows)*float64(b.N)/cpu.Seconds()/1e6, "Mrows/cpu-s")
}

// labelsOf is a CSV file of labels.
func labelsOf(rows, labels int) []byte {
	r := rand.New(rand.NewPCG(4, 0))
	cards := rand.NewZipf(r, 1.1, 1, payments.Cards-1)
	span := int64(rows) * 1_000_000 / payments.PerSecond
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	fmt.Fprintln(w, "card,label_time,fraud")
	for i := range labels {
		at := payments.Start.Add(time.Duration(r.Int64N(span)) * time.Microsecond)
		fmt.Fprintf(w, "c%06d,%s,%d\n", cards.Uint64(), at.Format(time.RFC3339Nano), i%2)
	}
	w.Flush()
	return b.Bytes()
}

// TestTrainingProcess is the process of the command.
func TestTrainingProcess(t *testing.T) {
	folder := os.Getenv(trainingEnv)
	if folder == "" {
		t.Skip("it is for the benchmark of training only")
	}
	app := &spillway.App{Pipelines: []*pipeline.Pipeline{y4}}
	args := []string{"training", "y4_training", "--labels", filepath.Join(folder, "labels.csv"), "--out", filepath.Join(folder, "out.csv")}
	if code := app.Run(t.Context(), append(args, "--data-dir", folder)); code != 0 {
		t.Fatal("the command ended with", code)
	}
}
