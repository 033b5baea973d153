package spillway

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/kafka"
	"github.com/spillway-go/spillway/streaming/load"
)

func (a *App) devCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dev [PIPELINE…]",
		Short: "Run everything in one process: broker, stream, archive, schedule and serve, with a live status",
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, args, func(ctx context.Context, r *rooms) error { return lasting(ctx, r.dev(ctx)) })
		},
	}
}

// dev runs all rooms until ctx ends or one of them fails.
func (r *rooms) dev(ctx context.Context) error {
	if err := r.ensureSources(ctx); err != nil {
		return err
	}
	watch := monitors(r.plans)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.stream(ctx, false, watch) })
	g.Go(func() error { return r.archive(ctx, false) })
	g.Go(func() error { return r.serve(ctx) })
	g.Go(func() error {
		return r.schedule(ctx, schedule.Job{Cron: r.config.Cron, CatchUp: schedule.CatchUpLast, Backoff: time.Minute, Timeout: 6 * time.Hour})
	})
	r.invite()
	g.Go(func() error {
		r.status(ctx, watch)
		return nil
	})
	return g.Wait()
}

// invite says what runs, and how records come in.
func (r *rooms) invite() {
	var names []string
	for _, plan := range r.plans {
		names = append(names, plan.Name)
	}
	fmt.Fprintf(r.out, "running %s, with the broker on %s; send records from another shell:\n",
		strings.Join(names, ", "), strings.Join(r.broker.seeds, ","))
	where := ""
	switch {
	case len(r.config.Brokers) > 0:
		where = " --brokers " + strings.Join(r.config.Brokers, ",")
	case r.config.DataDir != defaults().DataDir:
		where = " --data-dir " + r.config.DataDir
	}
	for _, plan := range sources(r.plans) {
		fmt.Fprintf(r.out, "  %s load %s FILE%s\n", program(), plan.Source.Name, where)
	}
}

// ensureSources makes the topics that pipelines read where they are missing, so that dev starts on an empty folder.
func (r *rooms) ensureSources(ctx context.Context) error {
	client, err := kgo.NewClient(r.broker.client()...)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	partitions := int32(r.config.Partitions)
	if partitions == 0 {
		partitions = load.DefaultPartitions
	}
	for _, plan := range sources(r.plans) {
		if _, err := kafka.Partitions(ctx, admin, plan.Source.Name); err == nil {
			continue
		}
		if err := kafka.EnsureTopic(ctx, admin, plan.Source.Name, partitions, map[string]string{"retention.ms": "-1"}); err != nil {
			return err
		}
	}
	return nil
}

// The times between two looks at the status: on a terminal, where a line is written anew, and in a log.
const (
	statusEvery = time.Second
	statusInLog = time.Minute
)

// status shows what the streams do until ctx ends.
func (r *rooms) status(ctx context.Context, watch []*streaming.Monitor) {
	every, end := statusInLog, "\n"
	if terminal(r.err) {
		every, end = statusEvery, "\r"
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if every == statusEvery {
				fmt.Fprintln(r.err) // behind the line that was written anew
			}
			return
		case <-tick.C:
			writeStatus(r.err, watch, end)
		}
	}
}

func writeStatus(w io.Writer, watch []*streaming.Monitor, end string) {
	var parts []string
	for _, m := range watch {
		s := m.Status()
		parts = append(parts, fmt.Sprintf("%s %s: %d rows, %d dead, lag %d", s.Pipeline, s.Phase, s.Rows, s.Letters, s.Lag))
	}
	fmt.Fprintf(w, "%-100s%s", strings.Join(parts, " | "), end)
}
