package load

import (
	"context"
	"time"
)

// pacer is a token bucket: a record takes a token, and Rate of them come a second. The bucket holds the tokens of a tenth
// of a second, so that a load which was held up for long does not make up for it in one rush.
type pacer struct {
	clock  Clock
	rate   float64 // tokens a second; 0: no limit
	tokens float64
	filled time.Time // when tokens was right
}

func newPacer(clock Clock, rate int) *pacer {
	return &pacer{clock: clock, rate: float64(rate), tokens: 1, filled: clock.Now()}
}

// take waits for a token. It tells whether it had to.
func (p *pacer) take(ctx context.Context) (waited bool, err error) {
	if p.rate == 0 {
		return false, nil
	}
	if p.tokens < 1 {
		p.fill()
	}
	for p.tokens < 1 {
		// Waiting for the tokens of 10 ms at once keeps timers few, whatever the rate.
		missing := max(1, p.rate/100) - p.tokens
		if err := wait(ctx, p.clock, time.Duration(missing/p.rate*float64(time.Second))+1); err != nil {
			return true, err
		}
		waited = true
		p.fill()
	}
	p.tokens--
	return waited, nil
}

func (p *pacer) fill() {
	now := p.clock.Now()
	p.tokens = min(p.tokens+now.Sub(p.filled).Seconds()*p.rate, max(1, p.rate/10))
	p.filled = now
}
