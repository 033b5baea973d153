package streaming

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/streaming/decode"
)

// registryPause is the time between two attempts to decode a record whose schema could not be had.
const registryPause = 500 * time.Millisecond

// decode adds one record to the builder. What passes, a registry that is down, is waited for: such a record is not at
// fault. decode.ErrFull comes back as it is.
func (s *Source) decode(ctx context.Context, b *decode.Builder, r *kgo.Record) error {
	var since time.Time
	for {
		err := b.AddNamed(ctx, r.Partition, r.Offset, r.Timestamp.UnixMicro(), schemaHeader(r), r.Value)
		if err == nil || errors.Is(err, decode.ErrFull) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := s.Clock.Now()
		if since.IsZero() {
			since = now
			s.Logger.Warn("a record waits to be decoded", "partition", r.Partition, "offset", r.Offset, "error", err)
		}
		if now.Sub(since) >= s.Patience {
			return fmt.Errorf("partition %d, offset %d: %w", r.Partition, r.Offset, err)
		}
		if err := wait(ctx, s.Clock, registryPause); err != nil {
			return err
		}
	}
}

// schemaHeader is the record's last header of that name, as Kafka's own clients take it.
func schemaHeader(r *kgo.Record) []byte {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == decode.SchemaHeader {
			return r.Headers[i].Value
		}
	}
	return nil
}
