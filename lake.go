package spillway

import (
	"context"
	"maps"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
)

// openLake opens the configured lake.
func openLake(ctx context.Context, c *Config) (*lakehouse.Lake, error) {
	warehouse := c.Warehouse
	if warehouse == "" {
		warehouse = c.path("lake")
	}
	return lakehouse.Open(ctx, lakehouse.Config{Warehouse: warehouse})
}

// history lets the streaming side append to an archive of the lake, which it knows nothing of.
type history struct{ archive *lakehouse.Archive }

func openHistory(ctx context.Context, l *lakehouse.Lake, plan *pipeline.Plan) (history, error) {
	a, err := l.Archive(ctx, lakehouse.LogOf(plan.Source.Name, plan.Source.Schema))
	return history{a}, err
}

func (h history) Frontier(ctx context.Context) (map[int32]int64, error) {
	f, err := h.archive.Frontier(ctx)
	return maps.Clone(f), err
}

func (h history) Append(ctx context.Context, from, to map[int32]int64, batches []arrow.RecordBatch) error {
	_, err := h.archive.Append(ctx, from, to, batches)
	return err
}
