package spillway

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
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
				return finished(ctx, untilEnd, r.stream(ctx, untilEnd, monitors(r.plans)))
			})
		},
	}
	c.Flags().BoolVar(&untilEnd, "until-end", false, "answer what is there and end")
	return c
}

// stream runs the chosen pipelines until ctx ends. Watch holds a monitor for each.
func (r *rooms) stream(ctx context.Context, untilEnd bool, watch []*streaming.Monitor) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, plan := range r.plans {
		cfg := streaming.Config{Source: r.source(plan, untilEnd), CommitEvery: r.config.CommitEvery, Instance: r.config.Instance}
		cfg.Monitor = watch[i]
		g.Go(func() error {
			if err := streaming.Run(ctx, cfg); err != nil {
				return fmt.Errorf("pipeline %s: %w", plan.Name, err)
			}
			return nil
		})
	}
	err := g.Wait()
	for _, m := range watch {
		writeAccount(r.out, m.Status())
	}
	return err
}

// monitors are one for each pipeline.
func monitors(plans []*pipeline.Plan) []*streaming.Monitor {
	all := make([]*streaming.Monitor, len(plans))
	for i := range all {
		all[i] = &streaming.Monitor{}
	}
	return all
}

// writeAccount says what became of every record so far (S9) of the partitions that this process read.
func writeAccount(w io.Writer, s streaming.Status) {
	if len(s.Partitions) == 0 {
		fmt.Fprintf(w, "%s: nothing new\n", s.Pipeline)
		return
	}
	var sum kernel.Account
	for _, p := range s.Partitions {
		if p.Phase != streaming.Live {
			fmt.Fprintf(w, "%s: stopped while it was rebuilding its state\n", s.Pipeline)
			return
		}
		sum.Gap += p.Account.Gap
		sum.Next += p.Account.Next - p.Account.First
		for c, n := range p.Account.Counts {
			sum.Counts[c] += n
		}
	}
	fmt.Fprintf(w, "%s: %d offsets: %d on time, %d late, %d too late, %d duplicate, %d dead, %d filtered, %d gap\n", s.Pipeline, sum.Next,
		sum.Counts[kernel.OnTime], sum.Counts[kernel.Late], sum.Counts[kernel.TooLate], sum.Counts[kernel.Duplicate],
		sum.Counts[kernel.Dead], sum.Counts[kernel.Filtered], sum.Gap)
	fmt.Fprintf(w, "  %d rows in %s, %d records or answers in %s\n", s.Rows, streaming.FeaturesTopic(s.Pipeline),
		s.Letters, streaming.DeadTopic(s.Pipeline))
}
