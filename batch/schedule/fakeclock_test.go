package schedule

import (
	"sync"
	"testing"
	"time"
)

// fakeClock stands still until a test moves it.
type fakeClock struct {
	mu     sync.Mutex
	change sync.Cond // The set of timers changed.
	now    time.Time
	timers map[*fakeTimer]bool
}

type fakeTimer struct {
	at    time.Time
	fired chan time.Time
}

// newClock makes a clock that shows the RFC 3339 time.
func newClock(t testing.TB, now string) *fakeClock {
	c := &fakeClock{now: at(t, now), timers: map[*fakeTimer]bool{}}
	c.change.L = &c.mu
	return c
}

// at reads an RFC 3339 time.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Timer(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &fakeTimer{at: c.now.Add(d), fired: make(chan time.Time, 1)}
	c.timers[timer] = true
	c.fire()
	return timer.fired, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, timer)
		c.change.Broadcast()
	}
}

// fire lets every timer fire whose time has come.
func (c *fakeClock) fire() {
	for timer := range c.timers {
		if !timer.at.After(c.now) {
			timer.fired <- c.now
			delete(c.timers, timer)
		}
	}
	c.change.Broadcast()
}

// set moves the clock, also back.
func (c *fakeClock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
	c.fire()
}

// await returns once exactly n timers are waiting: nothing moves any more until the clock does.
func (c *fakeClock) await(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.timers) != n {
		c.change.Wait()
	}
}

// TestSleepLooksAtTheClockAgain: a suspended machine moves the clock on while its timers stand still. A sleeper may
// therefore not rely on one long timer.
func TestSleepLooksAtTheClockAgain(t *testing.T) {
	c := newClock(t, "2026-11-21T00:00:00Z")
	go sleepUntil(t.Context(), c, c.Now().Add(24*time.Hour))
	c.await(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	for timer := range c.timers {
		if wait := timer.at.Sub(c.now); wait > longestWait {
			t.Errorf("sleeps for %v without a look", wait)
		}
	}
}

func TestSystemClockTimer(t *testing.T) {
	var clock SystemClock
	before := clock.Now()
	fired, stop := clock.Timer(time.Microsecond)
	if got := <-fired; got.Before(before) {
		t.Errorf("fired at %v, before %v", got, before)
	}
	stop()
	stop()
	never, stop := clock.Timer(time.Hour)
	stop()
	select {
	case <-never:
		t.Error("a stopped timer fired")
	default:
	}
}
