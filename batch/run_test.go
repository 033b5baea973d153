package batch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

type payment struct {
	ID     string    `spill:"id,id"`
	Card   string    `spill:"card,key"`
	Shop   string    `spill:"merchant"`
	Amount float64   `spill:"amount"`
	Points int64     `spill:"points"`
	At     time.Time `spill:"at,time"`
}

type activity struct {
	Card   string  `spill:"card,key"`
	Count  int64   `spill:"count_5m"`
	Spend  float64 `spill:"spend_1h"`
	Shops  int64   `spill:"merchants_1h"`
	Points int64   `spill:"points_1d"`
}

// activityPlan asks at the grain; its last feature is historical.
func activityPlan(t testing.TB, grain pipeline.Grain) *pipeline.Plan {
	t.Helper()
	plan, err := pipeline.Define("activity", func(d *pipeline.Draft) {
		var p payment
		var a activity
		amount := expr.Col(&p.Amount)
		s := pipeline.From(d, "payments", &p, pipeline.OutOfOrder(time.Minute)).Where(amount.Gt(0))
		pipeline.Aggregate(s, &a, grain,
			pipeline.Feature(&a.Count, agg.Count(), window.Last(5*time.Minute)),
			pipeline.Feature(&a.Spend, agg.Sum(amount).Or(0), window.Last(time.Hour)),
			pipeline.Feature(&a.Shops, agg.Distinct(expr.Col(&p.Shop)), window.Last(time.Hour)),
			pipeline.Feature(&a.Points, agg.Sum(expr.Add(expr.Col(&p.Points), expr.Lit(int64(1)))).Or(0), window.Last(window.Day)).Historical())
	}).Plan()
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

const start = 1_767_225_600_000_000 // 2026-01-01T00:00Z

// payments are n payments of 60 cards, the first with a third of them, over three days, from two partitions. Some come late, some
// twice, some of these days later.
func payments(n int) pipelinetest.Log {
	r := rand.New(rand.NewPCG(7, 7))
	var log pipelinetest.Log
	offsets := [2]int64{}
	text := func(format string, x any) expr.Datum { return expr.Datum{S: fmt.Sprintf(format, x)} }
	for i := range n {
		card := max(0, r.IntN(90)-30)
		at := start + int64(i)*3*86_400_000_000/int64(n) - r.Int64N(30_000_000)
		if r.IntN(200) == 0 {
			at -= r.Int64N(1_000_000_000)
		}
		rec := pipelinetest.Record{Partition: int32(card % 2), Values: []expr.Datum{
			text("id-of-a-payment-%d", i), text("card%04d", card),
			text("m%d", r.IntN(40)),
			{F: float64(r.IntN(1000)-20) / 8},
			{I: r.Int64N(100)},
			{I: at},
		}}
		if i > 0 && r.IntN(40) == 0 {
			of := log[r.IntN(len(log))]
			rec.Partition, rec.Values = of.Partition, slices.Clone(of.Values)
			rec.Values[5].I += r.Int64N(7_000_000)
		}
		rec.Stamp = max(at, rec.Values[5].I)/1000*1000 + 1000
		rec.Offset = offsets[rec.Partition]
		offsets[rec.Partition] += 1 + r.Int64N(2)/1*int64(r.IntN(50)/49)
		log = append(log, rec)
	}
	return log
}

// byKernel is truth from memory: the fold over the whole sorted log, with ids.
func byKernel(t *testing.T, plan *pipeline.Plan, log pipelinetest.Log) []string {
	t.Helper()
	served, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	w := map[int32]int64{}
	for _, p := range log.Partitions() {
		own := slices.DeleteFunc(slices.Clone(log), func(r pipelinetest.Record) bool { return r.Partition != p })
		task := kernel.NewTask(served, p)
		if err := task.Push(own.Batch(memory.DefaultAllocator, plan.Source.Schema), own[len(own)-1].Offset+1, served.NewRows()); err != nil {
			t.Fatal(err)
		}
		w[p], _ = task.Watermark()
	}
	prog, err := kernel.Compile(plan, kernel.All)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	fold := kernel.NewFold(prog, func(p int32) (int64, bool) { v, ok := w[p]; return v, ok }, func(rows *kernel.Rows) error {
		for i := range rows.Len() {
			line := fmt.Sprintf("%s %d %d %d:", rows.Keys.At(i), rows.AskTime[i], rows.Offset[i], rows.Revision[i])
			for c := range rows.Columns {
				if col := &rows.Columns[c]; len(col.F) > 0 {
					line += fmt.Sprintf(" %x", col.F[i])
				} else {
					line += fmt.Sprintf(" %d", col.I[i])
				}
			}
			lines = append(lines, line)
		}
		return nil
	})
	if err := errors.Join(fold.Push(log.Sorted(&plan.Source).Batch(memory.DefaultAllocator, plan.Source.Schema)), fold.Close()); err != nil {
		t.Fatal(err)
	}
	return lines
}

// lines are the rows of a table in the same form, in the order of truth.
func (b *bench) lines(t *testing.T, plan *pipeline.Plan, reading string) []string {
	t.Helper()
	rows, err := b.rows(t.Context(), plan, reading)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(x, y pipelinetest.Row) int {
		if c := strings.Compare(x.Key, y.Key); c != 0 {
			return c
		}
		return int(max(-1, min(1, x.AskTime-y.AskTime)))*2 + int(max(-1, min(1, x.Offset-y.Offset)))
	})
	var lines []string
	for _, r := range rows {
		line := fmt.Sprintf("%s %d %d %d:", r.Key, r.AskTime, r.Offset, r.Revision)
		for i, v := range r.Values {
			if plan.Features[i].Name == "spend_1h" {
				line += fmt.Sprintf(" %x", v.F)
			} else {
				line += fmt.Sprintf(" %d", v.I)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: %d rows, want %d; they differ from row %d on:\n%s\nwant\n%s", what, len(got), len(want), i,
				strings.Join(got[min(i, len(got)):min(i+2, len(got))], "\n"), strings.Join(want[min(i, len(want)):min(i+2, len(want))], "\n"))
		}
	}
}

// TestTruth compares runs over many batches with the kernel's own, however they are cut and however little memory there is,
// and sees that a rerun gives the same rows.
func TestTruth(t *testing.T) {
	log := payments(60_000)
	for _, grain := range []pipeline.Grain{pipeline.EveryEvent(), pipeline.Every(10 * time.Minute)} {
		plan := activityPlan(t, grain)
		want := byKernel(t, plan, log)
		b := newBench(t)
		if err := b.archive(t.Context(), plan, log, 5); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			how string
			set func(*Deps)
		}{
			{"as usual", func(*Deps) {}},
			{"again", func(*Deps) {}},
			{"in parts", func(d *Deps) { d.limits = limits{9000, 9000, 86_400_000_000, 0} }},
			{"in 24 MiB", func(d *Deps) { d.Memory = 24 << 20 }},
			{"by three threads", func(d *Deps) { d.Threads = 3 }},
		} {
			deps := b.deps
			c.set(&deps)
			report, err := Run(t.Context(), Job{Plan: plan, Reading: schedule.Truth, Interval: schedule.Always, Run: c.how}, deps)
			if err != nil {
				t.Fatalf("%s: %v", c.how, err)
			}
			same(t, c.how, b.lines(t, plan, "truth"), want)
			if report.Written != int64(len(want)) || report.Read < 50_000 || report.Copies < 1000 || report.CPU <= 0 || report.Wall <= 0 ||
				report.PeakMemory <= 1<<20 || report.Output == 0 || report.Published == 0 || report.Dead != 0 {
				t.Errorf("%s: report %+v", c.how, report)
			}
		}
	}
}

// TestInterval replaces one interval and no row outside.
func TestInterval(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	b := newBench(t)
	if err := b.archive(t.Context(), plan, payments(5000), 3); err != nil {
		t.Fatal(err)
	}
	in := schedule.Interval{From: start + 86_400_000_000 + 7, To: start + 2*86_400_000_000 + 3_600_000_000}
	for _, reading := range []schedule.Reading{schedule.Truth, schedule.Served} {
		own := plan
		if reading == schedule.Served {
			own = onlyFeatures(plan, kernel.Live)
		}
		if _, _, err := b.run(t.Context(), plan, reading, schedule.Always); err != nil {
			t.Fatal(err)
		}
		all := b.lines(t, own, string(reading))
		_, report, err := b.run(t.Context(), plan, reading, in)
		if err != nil {
			t.Fatal(err)
		}
		if report.Written < 1000 || report.Written > 2500 {
			t.Errorf("%s: %d rows written for a third of the time", reading, report.Written)
		}
		same(t, string(reading), b.lines(t, own, string(reading)), all)
		if report.Historical != 0 && report.AsOf != in.To {
			t.Errorf("values as of %d", report.AsOf)
		}
		snap := newest(t, b, plan, string(reading))
		if snap.Run == nil || snap.Run.ID != "r" || snap.Run.Interval != lakehouse.Range(in) || snap.Run.Plan != plan.Hash() ||
			snap.Run.Input != report.Snapshot || snap.Run.Frontier.String() != report.Frontier.String() {
			t.Errorf("%s: the snapshot says %+v", reading, snap.Run)
		}
	}
}

func newest(t *testing.T, b *bench, plan *pipeline.Plan, reading string) *lakehouse.Snapshot {
	t.Helper()
	table, err := b.lake.ReadFeatures(t.Context(), plan.Name, reading)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := table.Snapshot(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestPinned runs over an older snapshot.
func TestPinned(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	b := newBench(t)
	log := payments(900)
	if err := b.archive(t.Context(), plan, log, 3); err != nil {
		t.Fatal(err)
	}
	a, err := b.lake.ReadArchive(t.Context(), plan.Source.Name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := a.Snapshot(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	first := oldest(t, a, all)
	report, err := Run(t.Context(), Job{Plan: plan, Reading: schedule.Truth, Interval: schedule.Always, Snapshot: first, Run: "r"}, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	if report.Snapshot != first {
		t.Errorf("snapshot %d was read", report.Snapshot)
	}
	same(t, "the first third", b.lines(t, plan, "truth"), byKernel(t, plan, log[:300]))
}

// oldest is the id of the first snapshot, as the fault of an unknown one tells it.
func oldest(t *testing.T, a *lakehouse.Table, s *lakehouse.Snapshot) int64 {
	t.Helper()
	_, err := a.Snapshot(t.Context(), 1)
	if err == nil {
		t.Fatal("there is a snapshot 1")
	}
	var ids []int64
	for _, word := range strings.FieldsFunc(err.Error(), func(r rune) bool { return r < '0' || r > '9' }) {
		var id int64
		if len(word) > 12 {
			fmt.Sscan(word, &id)
			if _, err := a.Snapshot(t.Context(), id); err == nil {
				ids = append(ids, id)
			}
		}
	}
	best, rows := int64(0), int64(1<<62)
	for _, id := range ids {
		if snap, err := a.Snapshot(t.Context(), id); err == nil && snap.Count > 0 && snap.Count < rows {
			best, rows = id, snap.Count
		}
	}
	if best == 0 || best == s.ID {
		t.Fatalf("no older snapshot in %v", err)
	}
	return best
}

type stranger struct {
	Card   string    `spill:"card,key"`
	Amount string    `spill:"amount"`
	Tip    float64   `spill:"tip"`
	At     time.Time `spill:"at,time"`
}

func TestBadInput(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	other, err := pipeline.Define("activity", func(d *pipeline.Draft) {
		var p stranger
		var a activity
		pipeline.Aggregate(pipeline.From(d, "payments", &p), &a, pipeline.EveryEvent(),
			pipeline.Feature(&a.Count, agg.Count(), window.Last(time.Minute)), pipeline.Feature(&a.Shops, agg.Count(), window.Last(time.Minute)),
			pipeline.Feature(&a.Points, agg.Count(), window.Last(time.Minute)), pipeline.Feature(&a.Spend, agg.Sum(expr.Col(&p.Tip)).Or(0), window.Last(time.Minute)))
	}).Plan()
	if err != nil {
		t.Fatal(err)
	}
	filled := func(t *testing.T) *bench {
		b := newBench(t)
		if err := b.archive(t.Context(), plan, payments(300), 2); err != nil {
			t.Fatal(err)
		}
		return b
	}
	job := Job{Plan: plan, Reading: schedule.Truth, Interval: schedule.Always, Run: "r"}
	for _, c := range []struct {
		name  string
		bench func(*testing.T) *bench
		job   func(*Job)
		want  []string
	}{
		{"no archive", newBenchT, nil, []string{"raw.payments", "is not in the lake"}},
		{"empty archive", func(t *testing.T) *bench {
			b := newBench(t)
			if _, err := b.lake.Archive(t.Context(), lakehouse.LogOf("payments", plan.Source.Schema)); err != nil {
				t.Fatal(err)
			}
			return b
		}, nil, []string{"raw.payments", "is empty", "archive the topic payments first"}},
		{"unknown snapshot", filled, func(j *Job) { j.Snapshot = 42 }, []string{"has no snapshot 42", "choose one"}},
		{"empty interval", filled, func(j *Job) { j.Interval = schedule.Interval{From: 5, To: 5} }, []string{"is empty", "end after it begins"}},
		{"unknown reading", filled, func(j *Job) { j.Reading = "rumour" }, []string{`"rumour"`, "is unknown", "truth"}},
		{"another definition", filled, func(j *Job) { j.Plan = other }, []string{`no column "tip"`, `column "amount" holds float64`, "a new name"}},
		{"a file is gone", func(t *testing.T) *bench {
			b := filled(t)
			files, err := filepath.Glob(filepath.Join(b.lake.Warehouse(), "raw*", "payments", "data", "*", "*.parquet"))
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			if err := os.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
			return b
		}, nil, []string{"nobody removes"}},
		{"no temporary folder", func(t *testing.T) *bench {
			b := filled(t)
			b.deps.Temp = filepath.Join(t.TempDir(), "missing")
			return b
		}, nil, []string{"temporary folder", "another folder"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, j := c.bench(t), job
			if c.job != nil {
				c.job(&j)
			}
			_, err := Run(t.Context(), j, b.deps)
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("no fault: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func newBenchT(t *testing.T) *bench { return newBench(t) }

// TestForeignRows changes what the archive promised.
func TestForeignRows(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	b := newBench(t)
	if err := b.archive(t.Context(), plan, payments(300), 1); err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), plan, 0, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	spans := h.snap.Spans
	for _, c := range []struct {
		name string
		span lakehouse.Span
		want string
	}{
		{"a record more", lakehouse.Span{Start: spans[0].Start, Next: spans[0].Next, Rows: spans[0].Rows - 1}, "someone else changed it"},
		{"a record less", lakehouse.Span{Start: spans[0].Start, Next: spans[0].Next, Rows: spans[0].Rows + 1}, "someone else changed it"},
	} {
		h.snap.Spans = map[int32]lakehouse.Span{0: c.span, 1: spans[1]}
		for what, err := range map[string]error{"counting": h.checkCount(), "replaying": replayAll(h)} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v", c.name, what, err)
			}
		}
	}
	h.snap.Spans = map[int32]lakehouse.Span{0: {Start: spans[0].Start, Next: spans[0].Next - 1, Rows: spans[0].Rows}, 1: spans[1]}
	if err := replayAll(h); err == nil || !strings.Contains(err.Error(), "was never archived") {
		t.Errorf("an offset beyond the frontier: %v", err)
	}
	h.snap.Spans = map[int32]lakehouse.Span{0: spans[0]}
	if err := replayAll(h); err == nil || !strings.Contains(err.Error(), "partition 1 that was never archived") {
		t.Errorf("a partition that is unknown: %v", err)
	}
}

func replayAll(h *History) error {
	w := map[int32]int64{}
	var all []int32
	for p := range h.snap.Spans {
		all = append(all, p)
	}
	slices.Sort(all)
	return h.replayWatermarks(context.Background(), all, w)
}

// TestStopped ends a run in its middle: it writes nothing, and leaves no temporary folder.
func TestStopped(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	for _, reading := range []schedule.Reading{schedule.Truth, schedule.Served} {
		for _, when := range []string{"looking for copies", "folding", "replaying"} {
			b := newBench(t)
			if err := b.archive(t.Context(), plan, payments(30_000), 1); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			reached := false
			b.deps.Progress = func(p Progress) {
				if p.Doing == when && p.Rows > 0 {
					reached = true
					cancel()
				}
			}
			_, err := Run(ctx, Job{Plan: plan, Reading: reading, Interval: schedule.Always, Run: "r"}, b.deps)
			if reached != (err != nil) || reached && !errors.Is(err, context.Canceled) {
				t.Errorf("%s stopped while %s: %v", reading, when, err)
			}
			if left, _ := os.ReadDir(b.deps.Temp); len(left) > 0 {
				t.Errorf("%s stopped while %s: it leaves %v", reading, when, left)
			}
			if !reached {
				continue
			}
			if table, err := b.lake.ReadFeatures(t.Context(), plan.Name, string(reading)); err == nil {
				if snap, err := table.Snapshot(t.Context(), 0); err != nil || snap.Count != 0 {
					t.Errorf("%s stopped while %s: %d rows, %v", reading, when, snap.Count, err)
				}
			}
		}
	}
}

// TestRecorded enters a run that succeeds, one that fails and one that is stopped.
func TestRecorded(t *testing.T) {
	plan := activityPlan(t, pipeline.EveryEvent())
	b := newBench(t)
	ledger, err := schedule.Open(t.Context(), filepath.Join(t.TempDir(), "runs.db"), schedule.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	job := Job{Plan: plan, Reading: schedule.Truth, Interval: schedule.Always}
	if _, _, err := Recorded(t.Context(), ledger, job, b.deps); err == nil {
		t.Error("a run without an archive succeeds")
	}
	if err := b.archive(t.Context(), plan, payments(20_000), 1); err != nil {
		t.Fatal(err)
	}
	run, report, err := Recorded(t.Context(), ledger, job, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	if got := newest(t, b, plan, "truth"); got.Run.ID != run.ID || got.ID != report.Output {
		t.Errorf("the table's snapshot %d is of the run %q", got.ID, got.Run.ID)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	deps := b.deps
	deps.Progress = func(Progress) { cancel() }
	if _, _, err := Recorded(ctx, ledger, job, deps); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that is stopped: %v", err)
	}
	runs, err := ledger.List(t.Context(), plan.Name, 0)
	if err != nil || len(runs) != 3 {
		t.Fatal(runs, err)
	}
	for i, want := range []schedule.State{schedule.Abandoned, schedule.Succeeded, schedule.Failed} {
		if runs[i].State != want {
			t.Errorf("run %d is %s, want %s", i, runs[i].State, want)
		}
	}
	if s := runs[1]; s.InputSnapshot != report.Snapshot || s.RowsWritten != report.Written || s.Frontier == "" || s.CPU <= 0 || s.PlanHash != plan.Hash() {
		t.Errorf("the ledger has %+v", s)
	}
}
