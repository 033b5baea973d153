package replay

import (
	"strconv"
	"time"
)

// person makes the records of one person in order of arrival. It holds only those that may still be overtaken: one as a
// rule, and the backlog of one outage at most.
type person struct {
	subject   []byte // The name, with the number of the copy from the second on.
	series    *series
	delays    *delayTable
	shift     int64 // By how much this copy is moved, in milliseconds.
	partition int32

	dice       dice
	outage     span // The next outage, or the one under way.
	brokenAt   int  // The reading before which the broken record arrives.
	brokenKind Kind
	taken      int // How many readings have been turned into shipments.

	queue []shipment // Shipments not yet given out, from head on in order of arrival.
	head  int
}

// shipment is a record before its payload is written.
type shipment struct {
	arrival int64 // In milliseconds.
	reading int32
	kind    Kind
}

// newPerson makes person number n of the replay, which is the series s in its copy number c, from 0.
func newPerson(seed uint64, n, c int, s *series, delays *delayTable) person {
	p := person{subject: []byte(s.subject), series: s, delays: delays, partition: -1, dice: newDice(seed, n)}
	if c > 0 {
		p.subject = append(p.subject, '#')
		p.subject = strconv.AppendInt(p.subject, int64(c)+1, 10)
		p.shift = (1 + p.dice.below(int64(CopyShiftMax/time.Minute))) * millis(time.Minute)
	}
	p.brokenAt = int(p.dice.below(int64(len(s.readings))))
	p.brokenKind = Truncated + Kind(n%brokenKinds)
	p.outage = p.dice.outageAfter(p.at(0))
	return p
}

// at is the time of a reading in milliseconds.
func (p *person) at(reading int) int64 { return p.series.readings[reading].at + p.shift }

// peek gives the arrival of the next shipment, or false at the end. It takes readings until none that is left could arrive
// earlier, as nothing arrives before it is taken.
func (p *person) peek() (arrival int64, ok bool) {
	for p.taken < len(p.series.readings) {
		if p.head < len(p.queue) && p.queue[p.head].arrival <= p.at(p.taken) {
			break
		}
		p.take()
	}
	if p.head == len(p.queue) {
		return 0, false
	}
	return p.queue[p.head].arrival, true
}

// pop removes the next shipment; peek must have said that there is one.
func (p *person) pop() shipment {
	s := p.queue[p.head]
	p.head++
	if p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	}
	return s
}

// take turns the next reading into shipments or, if the phone is off line, all readings of the outage.
func (p *person) take() {
	at := p.at(p.taken)
	for at >= p.outage.end { // The phone was off line while the sensor was silent, or is back.
		p.outage = p.dice.outageAfter(p.outage.end)
	}
	if at < p.outage.start {
		p.sendDirect(p.taken)
		p.taken++
		return
	}
	from := p.taken
	for p.taken < len(p.series.readings) && p.at(p.taken) < p.outage.end {
		p.taken++
	}
	p.sendBacklog(from, p.taken)
}

func (p *person) sendDirect(reading int) {
	arrival := p.at(reading) + p.delays.draw(&p.dice)
	p.send(reading, arrival, Direct)
	if p.dice.chance(RetryShare) {
		again := millis(RetryMin) + p.dice.below(millis(RetryMax-RetryMin)+1)
		p.send(reading, arrival+again, Retry)
	}
}

// sendBacklog sends the readings [from, to) of an outage when it ends, and with a re-sync also the ones before them. A
// re-sync never overtakes the first copy, because the shortest outage is longer than the longest delay.
func (p *person) sendBacklog(from, to int) {
	kind, first := Held, from
	if p.dice.chance(NewestFirstShare) {
		kind = HeldNewestFirst
	}
	if p.dice.chance(ResyncShare) {
		first = max(0, from-ResyncReadings)
	}
	arrival := p.outage.end + p.delays.draw(&p.dice)
	for i := first; i < to; i++ {
		reading, k := i, kind
		if kind == HeldNewestFirst {
			reading = to - 1 - (i - first)
		}
		if reading < from {
			k = Resync
		}
		p.send(reading, arrival, k)
		arrival += millis(BacklogSpacing)
	}
}

// send queues a record and, before the first copy of one reading of this person, the broken record.
func (p *person) send(reading int, arrival int64, kind Kind) {
	if reading == p.brokenAt && !kind.Duplicate() {
		p.enqueue(shipment{arrival: arrival, reading: int32(reading), kind: p.brokenKind})
	}
	p.enqueue(shipment{arrival: arrival, reading: int32(reading), kind: kind})
}

// enqueue keeps the queue in order of arrival; among equals the earlier sent stays ahead. Shipments are made nearly in
// order, so the search from the end is short.
func (p *person) enqueue(s shipment) {
	p.queue = append(p.queue, s)
	i := len(p.queue) - 1
	for ; i > p.head && p.queue[i-1].arrival > s.arrival; i-- {
		p.queue[i] = p.queue[i-1]
	}
	p.queue[i] = s
}
