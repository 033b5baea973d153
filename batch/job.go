package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// HistoricalTable is the reading under which the lake keeps the historical features' published values.
const HistoricalTable = "historical"

// Job is one run: a pipeline's asks in an interval, answered in one reading.
type Job struct {
	Plan     *pipeline.Plan
	Reading  schedule.Reading
	Interval schedule.Interval // of ask times; schedule.Always is the whole history
	Snapshot int64             // of the archive; 0 is the newest
	Run      string            // names the run in what it writes
}

// Deps is what runs need.
type Deps struct {
	Lake    *lakehouse.Lake
	Memory  int64  // bytes that queries may hold; 0 is duckdb.DefaultMemory
	Threads int    // of queries; 0 is one for each processor
	Temp    string // the folder in which a run makes a folder of its own to spill to; "": the system's
	// Progress is told, several times a second, how far a run has come; nil for nobody.
	Progress func(Progress)
	// Dead is given every row's answer that fits no field; nil for nobody.
	Dead func(kernel.DeadAnswer)

	limits limits // of tests; the zero value has the usual ones
}

// limits are how much is done at once.
type limits struct {
	sortRows   int64 // records that are sorted
	copyRows   int64 // records that are searched for copies, which take 16 bytes each
	partLength int64 // ask times, µs
	mergeFiles int   // files that are merged, instead of sorting their records
}

const (
	// rowBytes is about what a record takes while it is sorted.
	rowBytes = 1024
	// leastRows is how many records are sorted at once where memory is very short: DuckDB spills what does not fit.
	leastRows = 1 << 16
	copyRows  = 4 << 20
	// partLength is 60 days: each day is a file that is open while rows are written, and the lake has 64 open at once.
	partLength = 60 * 24 * 3_600_000_000
	// mergeBytes is about what a file takes that is merged: a row group of it, packed, and pages of that, unpacked. With the
	// usual memory that makes 64 files, a few more than a part has days.
	mergeBytes = 32 << 20
)

func (d *Deps) fill() {
	if d.Memory == 0 {
		d.Memory = duckdb.DefaultMemory
	}
	if d.limits == (limits{}) {
		d.limits = limits{max(leastRows, d.Memory/rowBytes), copyRows, partLength, int(d.Memory / mergeBytes)}
	}
}

// Progress is how far a run has come.
type Progress struct {
	Doing string // what it does now, as in "folding"
	Rows  int64  // done of that
	Of    int64  // about; 0 is unknown
}

// Report is what a run did.
type Report struct {
	Snapshot   int64              // of the archive, which was read
	Frontier   lakehouse.Frontier // of that snapshot
	Output     int64              // the snapshot that holds the rows
	Historical int64              // the snapshot that holds the historical values; 0: none were computed
	AsOf       int64              // the time of the historical values' asks, µs
	Read       int64              // records that were folded or replayed, those of overlapping parts each time
	Copies     int64              // records left out since they are not the first of their id (truth)
	Written    int64              // rows
	Published  int64              // rows of historical values
	Dead       int64              // rows withheld since an answer fits no field
	DeadValues int64              // keys whose historical values are withheld, likewise
	Accounts   map[int32]kernel.Account
	Wall, CPU  time.Duration // CPU is the whole process's meanwhile
	PeakMemory int64         // bytes resident at most since the process began
}

// Result is the report as the ledger keeps it.
func (r *Report) Result() schedule.Result {
	frontier, err := json.Marshal(r.Frontier)
	if err != nil {
		panic(err) // A frontier is a map of whole numbers.
	}
	return schedule.Result{
		InputSnapshot: r.Snapshot, OutputSnapshot: r.Output, RowsRead: r.Read, RowsWritten: r.Written,
		CPU: r.CPU, PeakMemory: r.PeakMemory, Frontier: string(frontier),
	}
}

// Run does the job. The errors that somebody can mend are faults: an empty interval, an unknown snapshot, an archive that
// is missing, empty, without a column of the plan's or changed by someone else, a full disk. The report of a run that
// failed says how far it came.
func Run(ctx context.Context, job Job, deps Deps) (Report, error) {
	started, cpu := time.Now(), cpuTime()
	var report Report
	err := run(ctx, &job, &deps, &report)
	report.Wall, report.CPU, report.PeakMemory = time.Since(started), cpuTime()-cpu, peakMemory()
	return report, err
}

func run(ctx context.Context, job *Job, deps *Deps, report *Report) error {
	if job.Interval.From >= job.Interval.To {
		return fault.New("interval "+job.Interval.String(), "is empty", "let it end after it begins")
	}
	h, err := Open(ctx, job.Plan, job.Snapshot, *deps)
	if err != nil {
		return err
	}
	defer h.Close()
	report.Snapshot, report.Frontier = h.snap.ID, h.snap.Frontier()
	switch job.Reading {
	case schedule.Truth:
		return h.truth(ctx, job, report)
	case schedule.Served:
		return h.served(ctx, job, report)
	}
	return fault.New(fmt.Sprintf("reading %q", job.Reading), "is unknown", `use "truth" or "served"`)
}

// Recorded runs the job as a manual run of the ledger: it starts the run, gives the job its id, and records how it ended.
// A run that its context stopped is abandoned.
func Recorded(ctx context.Context, ledger *schedule.Ledger, job Job, deps Deps) (schedule.Run, Report, error) {
	run, err := ledger.Start(ctx, schedule.Spec{
		Pipeline: job.Plan.Name, PlanHash: job.Plan.Hash(), Reading: job.Reading,
		Interval: job.Interval, Trigger: schedule.Manual, Attempt: 1,
	})
	if err != nil {
		return run, Report{}, err
	}
	job.Run = run.ID
	report, err := Run(ctx, job, deps)
	still := context.WithoutCancel(ctx) // The end is recorded also when the run was stopped.
	var noted error
	switch {
	case err == nil:
		noted = ledger.Finish(still, run.ID, report.Result())
	case ctx.Err() != nil:
		noted = ledger.Abandon(still, run.ID, "it was stopped")
	default:
		noted = ledger.Fail(still, run.ID, report.Result(), err)
	}
	if err == nil {
		err = noted
	}
	return run, report, err
}

// database opens DuckDB with a folder to spill to, which the caller removes.
func (d *Deps) database() (db *duckdb.DB, temp string, err error) {
	temp, err = os.MkdirTemp(d.Temp, "spillway-batch-")
	if err != nil {
		return nil, "", fault.Wrap(err, "temporary folder", "cannot be made", "make room, or name another folder")
	}
	db, err = duckdb.Open(duckdb.Config{Memory: d.Memory, Threads: d.Threads, Temp: temp})
	if err != nil {
		os.RemoveAll(temp)
	}
	return db, temp, err
}
