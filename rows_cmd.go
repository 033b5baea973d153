package spillway

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/spf13/cobra"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

func (a *App) rowsCommand() *cobra.Command {
	var layer, revisions, format, out string
	c := &cobra.Command{
		Use:   "rows PIPELINE",
		Short: "Write feature rows out: key, ask_time, partition, offset, revision, then the features",
		Args:  a.onePipeline,
		RunE: func(c *cobra.Command, args []string) error {
			for _, choice := range []struct {
				flag, value string
				known       []string
			}{
				{"layer", layer, []string{"stream", "truth", "served"}},
				{"revisions", revisions, []string{"last", "first", "all"}},
				{"format", format, []string{"jsonl", "csv", "parquet"}},
			} {
				if !slices.Contains(choice.known, choice.value) {
					return fault.New(fmt.Sprintf("--%s %q", choice.flag, choice.value), "is unknown", didYouMean(choice.value, choice.known))
				}
			}
			with := a.with
			if layer == "stream" {
				with = a.withBroker
			}
			return with(c, args, func(ctx context.Context, r *rooms) error {
				return r.toFile(out, func(w io.Writer) error { return r.rows(ctx, r.plans[0], layer, revisions, format, w) })
			})
		},
	}
	c.Flags().StringVar(&layer, "layer", "stream", "stream, truth or served")
	c.Flags().StringVar(&revisions, "revisions", "last", "of a tick's rows: last, first or all")
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl, csv or parquet")
	c.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	return c
}

// rows writes the layer's rows in the format.
func (r *rooms) rows(ctx context.Context, plan *pipeline.Plan, layer, revisions, format string, w io.Writer) error {
	sc := plan.Arrow()
	if layer != "truth" {
		sc = liveSchema(plan) // Historical features have no answers of the stream's.
	}
	named := keyNamed(sc)
	out, err := newRowWriter(format, w, named)
	if err != nil {
		return err
	}
	write := func(rec arrow.RecordBatch) error {
		rec = array.NewRecordBatch(named, rec.Columns(), rec.NumRows())
		defer rec.Release()
		return out.write(rec)
	}
	give := func() error { return nil }
	if revisions != "all" && plan.Tick > 0 && layer != "truth" {
		some := newLastRevisions(revisions == "first")
		all := write
		write, give = some.take, func() error { return some.give(all) }
	}
	if layer == "stream" {
		err = r.streamRows(ctx, plan, sc, write)
	} else {
		err = r.tableRows(ctx, plan, layer, sc, write)
	}
	if err != nil {
		return err
	}
	if err := give(); err != nil {
		return err
	}
	return out.close()
}

// keyNamed is the schema with its first column called key, so that the rows of all pipelines are read alike.
func keyNamed(sc *arrow.Schema) *arrow.Schema {
	fields := slices.Clone(sc.Fields())
	fields[0].Name = "key"
	return arrow.NewSchema(fields, nil)
}

// streamRows gives the rows that the stream has committed.
func (r *rooms) streamRows(ctx context.Context, plan *pipeline.Plan, sc *arrow.Schema, write func(arrow.RecordBatch) error) error {
	return streaming.ReadRows(ctx, r.source(plan, true), func(rows *kernel.Rows) error {
		if rows.Len() == 0 {
			return nil
		}
		rec := rows.Record(sc, memory.DefaultAllocator)
		defer rec.Release()
		return write(rec)
	})
}

// liveSchema is the plan's result without its historical features.
func liveSchema(plan *pipeline.Plan) *arrow.Schema {
	all := plan.Arrow().Fields()
	fields := slices.Clone(all[:len(all)-len(plan.Features)])
	for i := range plan.Features {
		if plan.Features[i].Live() {
			fields = append(fields, all[len(all)-len(plan.Features)+i])
		}
	}
	return arrow.NewSchema(fields, nil)
}

// tableRows gives the rows that batch runs have written.
func (r *rooms) tableRows(ctx context.Context, plan *pipeline.Plan, reading string, sc *arrow.Schema,
	write func(arrow.RecordBatch) error,
) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	table, err := lake.ReadFeatures(ctx, plan.Name, reading)
	if err != nil {
		return err
	}
	snap, err := table.Snapshot(ctx, 0)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range sc.Fields() {
		names = append(names, f.Name)
	}
	for rec, err := range snap.Rows(ctx, lakehouse.Everything, names...) {
		if err != nil {
			return err
		}
		if err := write(rec); err != nil {
			return err
		}
	}
	return nil
}
