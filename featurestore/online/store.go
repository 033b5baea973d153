package online

import (
	"context"
	"iter"
	"math"
)

// Store keeps the online values of any number of spaces. All methods may be called at once. Errors that somebody can mend
// are *fault.Error.
type Store interface {
	// Frontiers are those of the partitions that have been applied to the space, by number.
	Frontiers(ctx context.Context, space Space) ([]Frontier, error)

	// Apply makes the write visible, all of it at once, and tells whether it did: a write whose frontier is not beyond the
	// stored one of its partition changes nothing.
	Apply(ctx context.Context, space Space, w *Write) (applied bool, err error)

	// Read gives what is known of each of the keys, in their order, all as of one moment. The entry and its memory belong
	// to the store again when visit returns; an error of visit ends the reading and is returned.
	Read(ctx context.Context, space Space, q *Query, visit func(i int, e *Entry) error) error

	// Publish loads the values of a run, each key's once and in any order, and then puts the run in the place of the one
	// before it. It tells whether the run stands afterwards: not if a newer one does. A run that stands already is not
	// loaded again. An error, also one from values, leaves the run before it in place.
	Publish(ctx context.Context, space Space, run Run, values iter.Seq2[Value, error]) (stands bool, err error)

	// Published is the run that stands, if any does.
	Published(ctx context.Context, space Space) (run Run, ok bool, err error)

	// Spaces are all that anything has been applied or published to.
	Spaces(ctx context.Context) ([]Space, error)

	// Drop removes the space: a plan that is no longer served. It must have no writers or readers.
	Drop(ctx context.Context, space Space) error

	// Close releases the store, after the calls under way. All later ones are errors.
	Close() error
}

// Space is what one plan's values are kept under: slices and values of another plan mean something else.
type Space struct {
	Pipeline string
	Plan     string // the plan's hash (S7)
}

// NoTime stands for a time that there is none of: the watermark before the first record. It is before all others.
const NoTime = math.MinInt64

// Frontier is how far a partition has been applied (S8).
type Frontier struct {
	Partition int32
	Next      int64 // the offset after the last record applied
	Watermark int64 // W there, µs; NoTime before there is one
	Oldest    int64 // slices that start before it are out of reach, µs; NoTime: none
}

// Write is what a batch of a partition's records changed.
type Write struct {
	Frontier Frontier   // after the batch; the offset before Next is the write's emitting offset
	Keys     []KeyWrite // each once
}

// KeyWrite is what a batch changed of one key.
type KeyWrite struct {
	Key    []byte
	Newest int64 // the newest time among the key's events in the batch, µs; the stored one only grows
	Slices []Slice
}

// Slice is the events of one key in one stretch of time.
type Slice struct {
	Start  int64 // µs
	Offset int64 // the emitting offset: that of the last record of the batch that wrote it
	Rows   []byte
}

// Query says what to read.
type Query struct {
	Keys     [][]byte
	From, To int64 // slices that start in [From, To), µs
	Live     bool  // read slices
	Values   bool  // read historical values
}

// Entry is what is known of one key.
type Entry struct {
	Seen      bool       // an event of the key has been applied
	Frontier  Frontier   // of the key's partition, if it has been seen
	Newest    int64      // the time of the key's newest event, µs, if it has been seen
	Frontiers []Frontier // of all partitions, by number, if it has not: any may be the key's
	Slices    []Slice    // by start
	Run       *Run       // the run that stands, if any; the same for all keys of a query
	Values    []byte     // the key's values in that run
	HasValues bool       // the run has values for the key
}

// Run is a batch run whose historical values are published.
type Run struct {
	ID        string `json:"id"`        // among runs as of the same time, the newer has the greater id
	AsOf      int64  `json:"as_of"`     // the moment that the values are the answers at, µs
	Published int64  `json:"published"` // when they were, µs
	Snapshot  int64  `json:"snapshot"`  // of the lake's table, that they were computed from
}

// Newer tells whether the run takes the place of other.
func (r Run) Newer(other Run) bool {
	return r.AsOf > other.AsOf || r.AsOf == other.AsOf && r.ID > other.ID
}

// Value is a key's historical values, encoded.
type Value struct {
	Key   []byte
	Bytes []byte
}
