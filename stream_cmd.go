package spillway

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/spillway-go/spillway/streaming"
)

func (a *App) streamCommand() *cobra.Command {
	var untilEnd bool
	c := &cobra.Command{
		Use:   "stream [PIPELINE…]",
		Short: "Answer live: read the source, write PIPELINE.features and PIPELINE.dead in transactions",
		Long: "Answer live: read the source, write PIPELINE.features and PIPELINE.dead in transactions.\n\n" +
			"Start it as often as there are partitions to share. SIGTERM finishes the transaction and ends it.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, args, func(ctx context.Context, r *rooms) error {
				return r.stream(ctx, untilEnd, nil)
			})
		},
	}
	c.Flags().BoolVar(&untilEnd, "until-end", false, "answer what is there and end")
	return c
}

// stream runs the chosen pipelines until ctx ends. Watch, unless it is nil, holds a monitor for each.
func (r *rooms) stream(ctx context.Context, untilEnd bool, watch []*streaming.Monitor) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, plan := range r.plans {
		cfg := streaming.Config{Source: r.source(plan, untilEnd), CommitEvery: r.config.CommitEvery, Instance: r.config.Instance}
		if watch != nil {
			cfg.Monitor = watch[i]
		}
		g.Go(func() error {
			if err := streaming.Run(ctx, cfg); err != nil {
				return fmt.Errorf("pipeline %s: %w", plan.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}
