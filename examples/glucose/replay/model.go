package replay

import (
	"math"
	"math/rand/v2"
	"time"
)

// The model of arrival. Every number of it stands here.
const (
	// DelayMedian is how long a record is under way as a rule, from the reading to its arrival. The delay is lognormal.
	DelayMedian = 5 * time.Second
	// DelaySigma is the standard deviation of the delay's logarithm: at 0.8 one delay in 50 is longer than 25 seconds.
	DelaySigma = 0.8
	// DelayMax cuts off the delay of a phone that is on line: one in 1,000 would be longer.
	DelayMax = time.Minute

	// OutageEvery is the mean time that a phone is on line between two outages; it is exponential, so that outages come
	// without memory. With the lengths below about 1.5 % of all readings are taken during an outage.
	OutageEvery = 5 * 24 * time.Hour
	// OutageMin and OutageMax bound an outage. Its logarithm is uniform between them, so that short ones are common and
	// long ones occur; the mean is just under two hours.
	OutageMin = 20 * time.Minute
	OutageMax = 6 * time.Hour
	// NewestFirstShare is the share of outages after which the phone sends what it has kept in reverse.
	NewestFirstShare = 1.0 / 3
	// BacklogSpacing is the time between two arrivals of the records that a phone sends when it comes back.
	BacklogSpacing = 20 * time.Millisecond

	// ResyncShare is the share of outages after which the phone does not know what it had sent before and sends the last
	// ResyncReadings again, together with what it has kept.
	ResyncShare    = 0.25
	ResyncReadings = 12
	// RetryShare is the share of records that a phone on line sends twice, because the acknowledgement was lost. The second
	// arrives RetryMin to RetryMax after the first. Retries and re-syncs make about 0.3 % of all records.
	RetryShare = 0.001
	RetryMin   = time.Second
	RetryMax   = 10 * time.Second

	// CopyShiftMax bounds by how much a person of a further copy is moved, in whole minutes and at least one.
	CopyShiftMax = 24 * time.Hour
)

// DangerBelow is the glucose in mg/dl below which a person is in danger (hypoglycaemia of level 1).
const DangerBelow = 70

// millis is the unit of all times inside this package, as it is the unit of Kafka's timestamps.
func millis(d time.Duration) int64 { return d.Milliseconds() }

// dice is the chance of one person. Every person has dice of their own, so that no person depends on how many others there
// are or in which order they are asked.
type dice struct{ pcg rand.PCG }

func newDice(seed uint64, person int) dice {
	// The odd multiplier spreads neighbouring people over the whole range of the second seed word.
	return dice{pcg: *rand.NewPCG(seed, uint64(person)*0x9e3779b97f4a7c15)}
}

// share is uniform in [0, 1).
func (d *dice) share() float64 { return float64(d.pcg.Uint64()>>11) / (1 << 53) }

// chance is true in the given share of throws.
func (d *dice) chance(share float64) bool { return d.share() < share }

// below is uniform in [0, n); n must be positive and far below 2^53.
func (d *dice) below(n int64) int64 { return int64(d.share() * float64(n)) }

// span is a time from start to before end, in milliseconds.
type span struct{ start, end int64 }

// outageAfter draws the next outage of a phone that comes on line at the given time. Both lengths are rounded to seconds,
// so that the last bit of a machine's math functions does not show.
func (d *dice) outageAfter(online int64) span {
	length := float64(OutageMin) * math.Exp(d.share()*math.Log(float64(OutageMax)/float64(OutageMin)))
	pause := -math.Log(1-d.share()) * float64(OutageEvery)
	start := online + millis(time.Duration(pause).Round(time.Second))
	return span{start: start, end: start + millis(time.Duration(length).Round(time.Second))}
}

// The delay table has delaySteps steps, a power of two so that bits of a random word choose one.
const (
	delayBits  = 10
	delaySteps = 1 << delayBits
)

// delayTable holds the quantiles of the delay, in milliseconds. Drawing from a table needs no logarithm for each record,
// and its entries are whole milliseconds for the same reason as outages are whole seconds.
type delayTable [delaySteps + 1]int64

func newDelayTable() *delayTable {
	var t delayTable
	for i := range t {
		normal := math.Sqrt2 * math.Erfinv(2*float64(i)/delaySteps-1) // From −Inf to +Inf.
		delay := float64(DelayMedian) * math.Exp(DelaySigma*normal)
		t[i] = millis(time.Duration(min(delay, float64(DelayMax))))
	}
	return &t
}

// draw gives one delay in milliseconds, between two neighbouring quantiles in proportion.
func (t *delayTable) draw(d *dice) int64 {
	u := d.pcg.Uint64()
	step := u >> (64 - delayBits)
	within := int64(u << delayBits >> 32) // In units of 2^-32 of the step.
	return t[step] + (t[step+1]-t[step])*within>>32
}
