package schedule

import (
	"context"
	"time"
)

// Clock is where the ledger and the scheduler take the time from, so that tests can hold it.
type Clock interface {
	// Now is the present time.
	Now() time.Time

	// Timer gives a channel that receives one value once d has passed (at once when d is not positive), and a function
	// that releases the timer. The function may be called at any time and more than once.
	Timer(d time.Duration) (fired <-chan time.Time, stop func())
}

// SystemClock is the clock of the machine.
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// Timer is a time.Timer.
func (SystemClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// longestWait is how long the scheduler sleeps before it looks at the clock again. A timer counts the time that the
// machine is awake, a tick is a time on the wall: a suspended machine or a corrected clock delays a tick by at most this.
const longestWait = time.Minute

// sleepUntil returns once the clock has reached t; it returns the context's error if that ends first.
func sleepUntil(ctx context.Context, clock Clock, t time.Time) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := t.Sub(clock.Now())
		if left <= 0 {
			return nil
		}
		fired, stop := clock.Timer(min(left, longestWait))
		select {
		case <-fired:
		case <-ctx.Done():
		}
		stop()
	}
}

// withTimeout gives a context that the clock cancels with the cause errTimeout after d; zero is no limit.
func withTimeout(ctx context.Context, clock Clock, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return context.WithCancel(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	fired, stop := clock.Timer(d)
	go func() {
		defer stop()
		select {
		case <-fired:
			cancel(errTimeout)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}
