package spillway

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming"
)

func (a *App) archiveCommand() *cobra.Command {
	var untilEnd bool
	c := &cobra.Command{
		Use:   "archive [PIPELINE…]",
		Short: "Copy the sources of pipelines into the lake, every record exactly once",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, args, func(ctx context.Context, r *rooms) error {
				return finished(ctx, untilEnd, r.archive(ctx, untilEnd))
			})
		},
	}
	c.Flags().BoolVar(&untilEnd, "until-end", false, "archive what is there and end")
	return c
}

// archive copies the source of each pipeline; pipelines that share one copy it once.
func (r *rooms) archive(ctx context.Context, untilEnd bool) error {
	lake, err := openLake(ctx, &r.config)
	if err != nil {
		return err
	}
	defer lake.Close()
	plans := sources(r.plans)
	archived := make([]int64, len(plans)) // each is written by one goroutine, and read when all have ended
	g, ctx := errgroup.WithContext(ctx)
	for i, plan := range plans {
		into, err := openHistory(ctx, lake, plan)
		if err != nil {
			return err
		}
		cfg := streaming.ArchiveConfig{Source: r.source(plan, untilEnd)}
		p := r.progress("archive "+plan.Source.Name, -1)
		cfg.Committed = func(records int64) {
			archived[i] += records
			p.add(records)
		}
		g.Go(func() error {
			defer p.done()
			if err := streaming.Archive(ctx, cfg, into); err != nil {
				return fmt.Errorf("archive of %s: %w", plan.Source.Name, err)
			}
			return nil
		})
	}
	err = g.Wait()
	for i, plan := range plans {
		fmt.Fprintf(r.out, "%s: %d records archived\n", plan.Source.Name, archived[i])
	}
	return err
}

// sources are the plans without those that read a topic another one reads too.
func sources(plans []*pipeline.Plan) []*pipeline.Plan {
	seen := map[string]bool{}
	var first []*pipeline.Plan
	for _, p := range plans {
		if !seen[p.Source.Name] {
			first = append(first, p)
		}
		seen[p.Source.Name] = true
	}
	return first
}
