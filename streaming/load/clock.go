package load

import (
	"context"
	"time"
)

// Clock is the time by which records are paced, stamped and given up. streaming.Clock is one.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f, on a goroutine of its own, when d has passed, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// wait returns when d has passed, or with the context's cause when that ends before.
func wait(ctx context.Context, clock Clock, d time.Duration) error {
	done := make(chan struct{})
	stop := clock.AfterFunc(d, func() { close(done) })
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
