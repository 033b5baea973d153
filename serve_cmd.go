package spillway

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/serve"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

func (a *App) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve [PIPELINE…]",
		Short: "Serve live and historical features over HTTP",
		Long: "Serve live and historical features over HTTP.\n\n" +
			"It follows the sources of the pipelines into the online store of the data folder, which it has to itself, and takes\n" +
			"up the values of each night's run when they are published. POST /get-online-features speaks Feast's form;\n" +
			"GET /v1/features/PIPELINE/KEY tells where values come from.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, args, func(ctx context.Context, r *rooms) error { return lasting(ctx, r.serve(ctx)) })
		},
	}
}

// serve answers until ctx ends.
func (r *rooms) serve(ctx context.Context) error {
	listener, err := serve.Listen(r.config.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := os.MkdirAll(r.config.DataDir, 0o755); err != nil {
		return fault.Wrap(err, "data folder "+r.config.DataDir, "cannot be made", "choose another with data_dir")
	}
	store, err := online.OpenPebble(r.config.path("online"), online.PebbleOptions{Logger: r.log})
	if err != nil {
		return err
	}
	defer store.Close()
	g, ctx := errgroup.WithContext(ctx)
	var views []*online.View
	var monitors []*streaming.Monitor
	for _, plan := range r.plans {
		live, err := kernel.Compile(plan, kernel.Live)
		if err != nil {
			return err
		}
		sink, err := online.NewWriter(ctx, store, live)
		if err != nil {
			return err
		}
		view, err := online.NewView(store, plan, online.ViewOptions{})
		if err != nil {
			return err
		}
		views = append(views, view)
		cfg := streaming.FollowConfig{Source: r.source(plan, false)}
		cfg.Monitor = &streaming.Monitor{}
		monitors = append(monitors, cfg.Monitor)
		g.Go(func() error {
			if err := streaming.Follow(ctx, cfg, sink); err != nil {
				return fmt.Errorf("pipeline %s: %w", plan.Name, err)
			}
			return nil
		})
		if len(historicalFeatures(plan)) > 0 {
			g.Go(func() error { return r.publish(ctx, store, plan) })
		}
	}
	server, err := serve.New(serve.Config{Views: views, Logger: r.log, Ready: func() error { return caughtUp(monitors) }})
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "serving on http://%s\n", listener.Addr())
	g.Go(func() error { return server.Serve(ctx, listener) })
	return g.Wait()
}

// caughtUp tells what has not been read yet of what was there at the start.
func caughtUp(monitors []*streaming.Monitor) error {
	for _, m := range monitors {
		if s := m.Status(); !s.CaughtUp {
			return fmt.Errorf("pipeline %s has %d records to read", s.Pipeline, s.Lag)
		}
	}
	return nil
}

// lookEvery is how often serve looks for a run that has been published.
const lookEvery = time.Second
