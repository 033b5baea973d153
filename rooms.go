package spillway

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

// rooms is what a command works with: the configuration, the chosen pipelines and, where it needs one, a broker.
type rooms struct {
	config Config
	plans  []*pipeline.Plan
	broker *broker
	format decode.Format
	log    *slog.Logger
	out    io.Writer // what the user asked for
	err    io.Writer // progress and warnings
}

// with runs a command that needs no broker.
func (a *App) with(c *cobra.Command, pipelines []string, do func(context.Context, *rooms) error) error {
	config, err := loadConfig(c.Flags())
	if err != nil {
		return err
	}
	plans, err := a.selected(pipelines)
	if err != nil {
		return err
	}
	r := &rooms{config: config, plans: plans, out: c.OutOrStdout(), err: c.ErrOrStderr()}
	r.log = slog.New(slog.NewTextHandler(r.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return do(c.Context(), r)
}

// withBroker runs a command that needs a broker.
func (a *App) withBroker(c *cobra.Command, pipelines []string, do func(context.Context, *rooms) error) error {
	return a.with(c, pipelines, func(ctx context.Context, r *rooms) error {
		var err error
		if r.format, err = r.config.format(ctx); err != nil {
			return err
		}
		if r.broker, err = openBroker(ctx, &r.config, r.log); err != nil {
			return err
		}
		defer r.broker.close()
		return r.full(do(ctx, r))
	})
}

// source is how a plan's records are read.
func (r *rooms) source(plan *pipeline.Plan, untilEnd bool) streaming.Source {
	return streaming.Source{Plan: plan, Format: r.format, Client: r.broker.client(), UntilEnd: untilEnd, Logger: r.log}
}
