package spillway

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming/load"
)

func (a *App) loadCommand() *cobra.Command {
	cfg := load.Config{}
	c := &cobra.Command{
		Use:   "load TOPIC FILE…",
		Short: "Send .jsonl, .csv or .parquet files (also .gz, .zst) to a topic",
		Example: "  load payments payments.jsonl.gz\n" +
			"  load payments recorded.jsonl --partition-field partition --timestamp-field arrived",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return fault.New("load", "takes a topic and at least one file", fmt.Sprintf("see %s --help", c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.withBroker(c, nil, func(ctx context.Context, r *rooms) error {
				cfg.Topic, cfg.Files = args[0], args[1:]
				return r.load(ctx, cfg)
			})
		},
	}
	c.Flags().StringVar(&cfg.KeyField, "key-field", "", "field that holds the key (default: the key of the pipeline that reads the topic)")
	c.Flags().StringVar(&cfg.PartitionField, "partition-field", "", "field that holds the partition, to send records exactly as they were recorded")
	c.Flags().StringVar(&cfg.TimestampField, "timestamp-field", "", "field that holds the Kafka timestamp (default: now)")
	c.Flags().IntVar(&cfg.Rate, "rate", 0, "records a second (default: as many as possible)")
	return c
}

// load sends the files and says what became of them.
func (r *rooms) load(ctx context.Context, cfg load.Config) error {
	cfg.Client = r.broker.client()
	if plan := reads(r.plans, cfg.Topic); plan != nil {
		cfg.Schema = plan.Source.Schema
	}
	cfg.Partitions = int32(r.config.Partitions)
	p := r.progress("load "+cfg.Topic, -1)
	sent := int64(0)
	cfg.Progress = func(now load.Progress) {
		p.add(now.Records - sent)
		sent = now.Records
	}
	result, err := load.Run(ctx, cfg)
	p.done()
	if err != nil && result.Records == 0 {
		return err
	}
	// After an error too: what is in the topic already would be there twice after a second try.
	fmt.Fprintf(r.out, "loaded %d records (%d bytes) into %s, by partition %v, in %v\n",
		result.Records, result.Bytes, result.Topic, result.Partitions, result.Wall.Round(1_000_000))
	if result.Malformed > 0 {
		fmt.Fprintf(r.out, "  %d of them are malformed and were sent as they are; the first: %s\n", result.Malformed, result.FirstMalformed)
	}
	if result.NullKeys > 0 {
		fmt.Fprintf(r.out, "  %d of them have no key\n", result.NullKeys)
	}
	return err
}

// reads is the first plan whose source is the topic.
func reads(plans []*pipeline.Plan, topic string) *pipeline.Plan {
	for _, p := range plans {
		if p.Source.Name == topic {
			return p
		}
	}
	return nil
}
