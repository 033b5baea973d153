package spillway

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/featurestore/training"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
)

func (a *App) trainingCommand() *cobra.Command {
	var labels, out string
	var o training.Options
	c := &cobra.Command{
		Use:   "training PIPELINE --labels FILE --out FILE",
		Short: "Join labels with the features as they truly were at the time of each label",
		Args:  a.onePipeline,
		RunE: func(c *cobra.Command, args []string) error {
			if labels == "" || out == "" {
				return fault.New("training", "has no labels or no file for its result", "give both --labels and --out")
			}
			return a.with(c, args, func(ctx context.Context, r *rooms) error {
				return r.training(ctx, r.plans[0], labels, out, o)
			})
		},
	}
	c.Flags().StringVar(&labels, "labels", "", "file of labels: .csv, .jsonl or .parquet (also .gz, .zst)")
	c.Flags().StringVar(&out, "out", "", "file to write, of the same kinds")
	c.Flags().StringVar(&o.Key, "key-field", "", "the labels' column of the key (default: the pipeline's)")
	c.Flags().StringVar(&o.Time, "time-field", "", "the labels' column of the time")
	return c
}

// training joins the labels with the newest snapshot of the archive.
func (r *rooms) training(ctx context.Context, plan *pipeline.Plan, labels, out string, o training.Options) error {
	read, err := training.ReadLabels(ctx, labels, plan.KeyName, o)
	if err != nil {
		return err
	}
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	deps, err := r.batchDeps(lake)
	if err != nil {
		return err
	}
	history, err := batch.Open(ctx, plan, 0, deps)
	if err != nil {
		return err
	}
	defer history.Close()
	set, err := training.Join(ctx, plan, read, history)
	if err != nil {
		return err
	}
	if err := set.WriteFile(out); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%d labels joined with snapshot %d into %s\n", set.Rows, history.Snapshot().ID, out)
	if n := len(set.Dead); n > 0 {
		fmt.Fprintf(r.out, "  %d of them have no features: an answer does not fit its field; the first: %s of %s\n",
			n, set.Dead[0].Feature, set.Dead[0].Key)
	}
	return nil
}
