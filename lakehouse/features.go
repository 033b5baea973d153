package lakehouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
)

// featureNamespace holds the tables of features.
const featureNamespace = "features"

// The columns of a feature row that the table is ordered by, after the key. See pipeline.Plan.Arrow.
const (
	askColumn       = "ask_time"
	partitionColumn = "partition"
	offsetColumn    = "offset"
)

// Features is the table that holds what batch runs of one pipeline and reading computed. Several goroutines and
// processes may use it at once.
type Features struct {
	*Table
	layout  *layout
	reading string
}

// Features opens the table of a plan's results in one reading for writing. It creates the table if there is none, and
// adds the columns of features that it lacks. Errors are faults, as those of Archive.
func (l *Lake) Features(ctx context.Context, plan *pipeline.Plan, reading string) (*Features, error) {
	y := &layout{
		id: featureID(plan.Name, reading), kind: kindFeatures, of: plan.Name + " " + reading,
		schema: plan.Arrow(), order: [4]string{plan.KeyName, askColumn, partitionColumn, offsetColumn},
	}
	t, err := l.ensure(ctx, y)
	if err != nil {
		return nil, err
	}
	return &Features{Table: t, layout: y, reading: reading}, nil
}

// ReadFeatures opens the table of a pipeline's results in one reading. One that no run has filled is a fault.
func (l *Lake) ReadFeatures(ctx context.Context, pipeline, reading string) (*Table, error) {
	return l.open(ctx, featureID(pipeline, reading), kindFeatures)
}

func featureID(pipeline, reading string) table.Identifier {
	return table.Identifier{featureNamespace, pipeline + "_" + reading}
}

// Replace makes the rows of the run's interval those of the reader, all at once: what stood there before is gone,
// what lies outside stays (L7). Every row's ask time must lie in the interval, and rows should come in the order
// (key, ask time, partition, offset), which makes sorted files. No rows at all clear the interval. Replace reads the
// reader to its end and does not release it. It returns the snapshot that it made.
func (f *Features) Replace(ctx context.Context, rows array.RecordReader, run Run) (*Snapshot, error) {
	if run.Interval.From >= run.Interval.To {
		return nil, fault.New(f.thing, fmt.Sprintf("the interval from %d to %d is empty", run.Interval.From, run.Interval.To),
			"let it end after it begins")
	}
	if err := f.layout.fits(rows.Schema()); err != nil {
		return nil, err
	}
	tbl, err := f.lake.load(ctx, f.id)
	if err != nil {
		return nil, f.lake.explain(f.thing, err)
	}
	w, err := f.lake.newDayWriter(ctx, tbl, f.layout)
	if err != nil {
		return nil, err
	}
	w.stamp(arrow.MetadataFrom(map[string]string{propPlan: run.Plan, propRun: run.ID}))
	files, err := f.write(w, rows, run.Interval)
	if err != nil {
		w.abandon()
		return nil, f.lake.explain(f.thing, err)
	}
	token := uuid.NewString()
	run.Reading = f.reading
	props := run.properties()
	props[propCommit] = token
	var kept []string // files that hold the rest of files that the interval cuts
	tbl, err = f.commit(ctx, token, func(tbl *table.Table, txn *table.Transaction) error {
		f.lake.drop(kept) // of a try that failed
		var err error
		kept, err = f.stage(ctx, tbl, txn, files, run.Interval, props)
		return err
	})
	f.lake.dropUnlessUnsure(err, slices.Concat(w.paths, kept))
	if err != nil {
		return nil, err
	}
	return f.Snapshot(ctx, f.committedAs(tbl, token))
}

// write writes the new rows, and sees that they lie in the interval.
func (f *Features) write(w *dayWriter, rows array.RecordReader, in Range) ([]iceberg.DataFile, error) {
	for rows.Next() {
		batch := rows.RecordBatch()
		asks := batch.Column(w.time).(*array.Timestamp)
		for i, t := range asks.TimestampValues() {
			if asks.IsValid(i) && (int64(t) < in.From || int64(t) >= in.To) {
				return nil, fault.New(f.thing,
					fmt.Sprintf("a row is asked at %d, outside of the interval from %d to %d", t, in.From, in.To),
					"replace the interval that the rows are of")
			}
		}
		if err := w.write(batch); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return w.finish()
}

// stage takes every file with rows of the interval out of the table and puts the new ones in. Of a file that also holds
// rows outside, those are written anew; its delete files are applied then, so that no row comes back.
func (f *Features) stage(ctx context.Context, tbl *table.Table, txn *table.Transaction, files []iceberg.DataFile,
	in Range, props iceberg.Properties,
) (kept []string, err error) {
	if missing, err := f.layout.check(tbl); err != nil {
		return nil, err
	} else if len(missing) > 0 {
		return nil, fault.New(f.thing, "lost the column "+missing[0].Name, "open the table again")
	}
	var old []iceberg.DataFile
	if tbl.CurrentSnapshot() != nil {
		tasks, err := tbl.Scan(table.WithRowFilter(f.within(in))).PlanFiles(ctx)
		if err != nil {
			return nil, err
		}
		var cut []table.FileScanTask
		for _, t := range wholeFiles(tasks) {
			old = append(old, t.File)
			if times := f.times(tbl, t.File); times.From < in.From || times.To > in.To {
				cut = append(cut, t)
			}
		}
		rest, paths, err := f.rest(ctx, tbl, cut, in)
		if err != nil {
			return nil, err
		}
		files, kept = slices.Concat(files, rest), paths
	}
	if len(old) == 0 {
		err = stage(ctx, txn, files, f.layout.schema, props)
	} else {
		err = txn.ReplaceDataFilesWithDataFiles(ctx, old, files, props, table.WithoutAutoNameMapping())
	}
	if err != nil {
		f.lake.drop(kept)
		return nil, err
	}
	return kept, nil
}
