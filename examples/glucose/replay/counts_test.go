package replay

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"
)

// tally holds the figures by which a replay is known.
type tally struct {
	readings, records int
	byKind            [kinds]int
	outages, reversed int // Outages in which readings were kept, and those sent newest first.
	over10m, over1h   int // Readings that arrived later than that.
	longResyncs       int // Re-sent readings that arrive more than an hour after they were taken.
}

func count(records iter.Seq[Record]) tally {
	var c tally
	lastHeld := map[string]time.Time{}
	for rec := range records {
		c.records++
		c.byKind[rec.Kind]++
		delay := rec.Arrival.Sub(rec.Event)
		if rec.Kind == Resync && delay > time.Hour {
			c.longResyncs++
		}
		if rec.Kind > HeldNewestFirst {
			continue
		}
		c.readings++
		if delay > 10*time.Minute {
			c.over10m++
		}
		if delay > time.Hour {
			c.over1h++
		}
		if rec.Kind == Direct {
			continue
		}
		// The readings of one outage arrive in a burst, and no two outages end within minutes of each other.
		if rec.Arrival.Sub(lastHeld[string(rec.Key)]) > time.Minute {
			c.outages++
			if rec.Kind == HeldNewestFirst {
				c.reversed++
			}
		}
		lastHeld[string(rec.Key)] = rec.Arrival
	}
	return c
}

func (c tally) held() int       { return c.byKind[Held] + c.byKind[HeldNewestFirst] }
func (c tally) duplicates() int { return c.byKind[Retry] + c.byKind[Resync] }
func (c tally) broken() int     { return c.records - c.readings - c.duplicates() }

func (c tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "readings %d records %d\n", c.readings, c.records)
	for k, n := range c.byKind {
		fmt.Fprintf(&b, "%s %d\n", Kind(k), n)
	}
	fmt.Fprintf(&b, "outages %d newest-first %d\n", c.outages, c.reversed)
	fmt.Fprintf(&b, "over-10-min %d over-1-h %d\n", c.over10m, c.over1h)
	return b.String()
}

// TestCounts holds the replay of the demo to its figures.
func TestCounts(t *testing.T) {
	const want = `readings 34890 records 35007
direct 34403
held 296
held-newest-first 191
retry 38
resync 60
truncated 5
text-glucose 5
null-subject 5
far-future 4
outages 22 newest-first 8
over-10-min 452 over-1-h 311
`
	if got := count(records(t, Options{Seed: demoSeed})).String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestSharesOfTheModel holds many people to what the comments of the model promise.
func TestSharesOfTheModel(t *testing.T) {
	c := count(records(t, Options{Seed: 7, Scale: 40}))
	for _, share := range []struct {
		name         string
		part, of     int
		least, below float64
	}{
		{"held", c.held(), c.readings, 0.013, 0.017},
		{"newest first", c.reversed, c.outages, 0.30, 0.37},
		{"duplicates", c.duplicates(), c.records, 0.0027, 0.0035},
		{"retries", c.byKind[Retry], c.records, 0.0009, 0.0011},
		{"broken", c.broken(), c.records, 0.0005, 0.0006},
		{"over an hour", c.over1h, c.readings, 0.007, 0.012},
	} {
		if got := float64(share.part) / float64(share.of); got < share.least || got >= share.below {
			t.Errorf("%s: %.5f, want %g to %g", share.name, got, share.least, share.below)
		}
	}
}

// TestEveryKindOccurs checks that no seed makes a dull demo.
func TestEveryKindOccurs(t *testing.T) {
	for seed := range uint64(20) {
		c := count(records(t, Options{Seed: seed}))
		for k, n := range c.byKind {
			if n < 2 {
				t.Errorf("seed %d: %d records of kind %s, want at least 2", seed, n, Kind(k))
			}
		}
		if c.reversed < 2 || c.longResyncs < 2 {
			t.Errorf("seed %d: %d outages newest first, %d readings re-sent after more than an hour, want at least 2 each",
				seed, c.reversed, c.longResyncs)
		}
	}
}

// TestDelays holds the delay table to the distribution that it stands for.
func TestDelays(t *testing.T) {
	d, table := newDice(demoSeed, 0), newDelayTable()
	const draws = 200_000
	var belowMedian, over25s, under1s int
	for range draws {
		delay := time.Duration(table.draw(&d)) * time.Millisecond
		if delay < 0 || delay > DelayMax {
			t.Fatalf("delay of %s", delay)
		}
		if delay < DelayMedian {
			belowMedian++
		}
		if delay > 25*time.Second {
			over25s++
		}
		if delay < time.Second {
			under1s++
		}
	}
	for _, share := range []struct {
		name string
		n    int
		want float64 // From the normal distribution of ln(delay / median) / sigma.
	}{{"below the median", belowMedian, 0.5}, {"over 25 s", over25s, 0.0221}, {"below 1 s", under1s, 0.0221}} {
		if got := float64(share.n) / draws; got < share.want-0.004 || got > share.want+0.004 {
			t.Errorf("%s: %.4f, want %.4f", share.name, got, share.want)
		}
	}
}
