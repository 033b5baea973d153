package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/data"
	"github.com/spillway-go/spillway/internal/fault"
)

// MaxScale is the greatest scale: 1,900,000 people and 3.5 billion records.
const MaxScale = 100_000

// maxPartitions is far above what a broker takes and keeps a mistyped number out.
const maxPartitions = 100_000

// Options choose a replay. The zero value is a valid choice.
type Options struct {
	// Seed draws everything that is invented. Zero is a seed like any other.
	Seed uint64
	// Scale is how many copies of the 19 people take part, from 1 to MaxScale; 0 is 1. The people of the second copy are
	// called 1636-69-001#2 and so on. Each has chances of their own and is moved by some minutes.
	Scale int
	// Partitions spreads the people over partitions 0 to Partitions-1, in turn. 0 leaves that to the producer.
	Partitions int
}

// check says what is wrong with the options.
func (o Options) check() error {
	var faults fault.List
	if o.Scale < 0 || o.Scale > MaxScale {
		faults.Add(fault.New("replay scale", fmt.Sprintf("%d is out of range", o.Scale),
			fmt.Sprintf("give a number from 1 to %d", MaxScale)))
	}
	if o.Partitions < 0 || o.Partitions > maxPartitions {
		faults.Add(fault.New("replay partitions", fmt.Sprintf("%d is out of range", o.Partitions),
			fmt.Sprintf("give a number from 1 to %d, or 0 to let the producer choose by key", maxPartitions)))
	}
	return faults.Err()
}

// Replay gives the records of all people, one after the other. It is for one goroutine.
type Replay struct {
	base   []*series
	people []person
	merge  arrivals
	chunk  []byte // Where payloads are written; replaced when full and never written twice.
}

// Open prepares a replay. It fails on options that are out of range.
func Open(o Options) (*Replay, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	file, err := data.Open()
	if err != nil {
		return nil, badFile(1, "it cannot be unpacked", err)
	}
	base, err := readSeries(file)
	if err != nil {
		return nil, err
	}
	return newReplay(o, base), nil
}

func newReplay(o Options, base []*series) *Replay {
	n := max(o.Scale, 1) * len(base)
	r := &Replay{base: base, people: make([]person, n), merge: make(arrivals, 0, n)}
	delays := newDelayTable()
	for i := range r.people {
		p := &r.people[i]
		*p = newPerson(o.Seed, i, i/len(base), base[i%len(base)], delays)
		if o.Partitions > 0 {
			p.partition = int32(i % o.Partitions)
		}
		if arrival, ok := p.peek(); ok {
			r.merge.push(arrival, int32(i))
		}
	}
	return r
}

// Readings is the number of real readings in the whole replay, each counted once.
func (r *Replay) Readings() int64 {
	var n int64
	for i := range r.people {
		n += int64(len(r.people[i].series.readings))
	}
	return n
}

const (
	chunkSize = 64 << 10
	// payloadRoom is more than a payload needs. A longer one would only cost a copy of its chunk.
	payloadRoom = 512
)

// Next gives the next record in order of arrival, or false when all have been given.
func (r *Replay) Next() (Record, bool) {
	if len(r.merge) == 0 {
		return Record{}, false
	}
	p := &r.people[r.merge[0].person]
	s := p.pop()
	if arrival, ok := p.peek(); ok {
		r.merge.replaceFirst(arrival)
	} else {
		r.merge.removeFirst()
	}

	if cap(r.chunk)-len(r.chunk) < payloadRoom {
		r.chunk = make([]byte, 0, chunkSize)
	}
	start := len(r.chunk)
	r.chunk = p.appendPayload(r.chunk, s)
	rec := Record{
		Key:       p.subject,
		Event:     time.UnixMilli(p.at(int(s.reading))).UTC(),
		Arrival:   time.UnixMilli(s.arrival).UTC(),
		Partition: p.partition,
		Payload:   r.chunk[start:len(r.chunk):len(r.chunk)],
		Kind:      s.kind,
	}
	if s.kind == NullSubject {
		rec.Key = nil
	}
	return rec, true
}

// Danger is a moment when a person's glucose fell below DangerBelow: a reading below it, after one at or above it.
type Danger struct {
	Subject string
	At      time.Time // The time of the reading, which is real; it says nothing of when the record arrived.
	ID      string    // The id of the reading.
}

// Dangers gives the moments of danger of all people, by time and then subject, from the readings themselves: what a
// perfect alarm would have known at once. It does not advance the replay.
func (r *Replay) Dangers() []Danger {
	byBase := make([][]int, len(r.base))
	for i, s := range r.base {
		byBase[i] = s.dangers()
	}
	var all []Danger
	for i := range r.people {
		p := &r.people[i]
		for _, reading := range byBase[i%len(r.base)] {
			all = append(all, Danger{
				Subject: string(p.subject),
				At:      time.UnixMilli(p.at(reading)).UTC(),
				ID:      string(p.appendID(nil, reading)),
			})
		}
	}
	slices.SortFunc(all, func(a, b Danger) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.Subject, b.Subject)
	})
	return all
}
