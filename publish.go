package spillway

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// publish takes each run's historical values into the store when the ledger says that they are published, until ctx ends.
func (r *rooms) publish(ctx context.Context, store online.Store, plan *pipeline.Plan) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	ledger, err := openLedger(ctx, &r.config)
	if err != nil {
		return err
	}
	defer ledger.Close()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	taken := ""
	for {
		run, ok, err := ledger.PublishedAt(ctx, plan.Name, time.Now())
		if err == nil && ok && run.ID != taken && run.PlanHash == plan.Hash() {
			if err = r.take(ctx, lake, store, plan, run); err == nil {
				taken = run.ID
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			// The values of the run before stay online; the next look tries again.
			r.log.Warn("historical values cannot be published", "pipeline", plan.Name, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// take publishes a run's values, which stand in the pipeline's historical table.
func (r *rooms) take(ctx context.Context, lake *lakehouse.Lake, store online.Store, plan *pipeline.Plan, run schedule.Run) error {
	table, err := lake.ReadFeatures(ctx, plan.Name, batch.HistoricalTable)
	if err != nil {
		return err
	}
	snap, err := table.Snapshot(ctx, 0)
	if err != nil {
		return err
	}
	if snap.Run == nil || snap.Run.ID != run.ID {
		return nil // A newer run has written its values, and will be published.
	}
	_, err = online.Publish(ctx, store, plan,
		online.Run{ID: run.ID, AsOf: snap.Run.Interval.From, Published: run.Published.UnixMicro(), Snapshot: run.InputSnapshot},
		historicalRows(runRows(ctx, snap, plan), plan))
	return err
}

// runRows are the rows of the run that wrote the snapshot. The table keeps those of the runs before too, at their own
// times: a run's interval is the one moment that its values are as of.
func runRows(ctx context.Context, snap *lakehouse.Snapshot, plan *pipeline.Plan) iter.Seq2[arrow.RecordBatch, error] {
	names := append([]string{plan.KeyName, "ask_time"}, historicalFeatures(plan)...)
	return snap.Rows(ctx, snap.Run.Interval, names...)
}

func historicalFeatures(plan *pipeline.Plan) []string {
	var names []string
	for i := range plan.Features {
		if plan.Features[i].Historical {
			names = append(names, plan.Features[i].Name)
		}
	}
	return names
}

// historicalRows turns records of the key, the ask's time and the historical features into rows.
func historicalRows(recs iter.Seq2[arrow.RecordBatch, error], plan *pipeline.Plan) iter.Seq2[*kernel.Rows, error] {
	return func(yield func(*kernel.Rows, error) bool) {
		prog, err := kernel.Compile(plan, online.Historical)
		if err != nil {
			yield(nil, err)
			return
		}
		rows := prog.NewRows()
		for rec, err := range recs {
			if err == nil {
				rows.Reset()
				err = fill(rows, rec)
			}
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

func fill(rows *kernel.Rows, rec arrow.RecordBatch) error {
	keys, ok := rec.Column(0).(*array.String)
	if !ok {
		return fmt.Errorf("keys of type %s", rec.Column(0).DataType())
	}
	for i := range keys.Len() {
		rows.Keys.Append([]byte(keys.Value(i)))
	}
	for c := range rows.Columns {
		for i := range keys.Len() {
			d, err := datum(rec.Column(2+c), rows.Columns[c].Kind, i)
			if err != nil {
				return err
			}
			rows.Columns[c].Append(d)
		}
	}
	return nil
}

func datum(col arrow.Array, kind schema.Kind, i int) (expr.Datum, error) {
	if col.IsNull(i) {
		return expr.Datum{Null: true}, nil
	}
	switch a := col.(type) {
	case *array.Float64:
		return expr.Datum{F: a.Value(i)}, nil
	case *array.Int64:
		return expr.Datum{I: a.Value(i)}, nil
	case *array.Timestamp:
		return expr.Datum{I: int64(a.Value(i))}, nil
	case *array.Boolean:
		if a.Value(i) {
			return expr.Datum{I: 1}, nil
		}
		return expr.Datum{}, nil
	case *array.String:
		return expr.Datum{S: a.Value(i)}, nil
	}
	return expr.Datum{}, fmt.Errorf("a feature of kind %s in a column of type %s", kind, col.DataType())
}
