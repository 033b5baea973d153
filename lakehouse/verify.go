package lakehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Verify reads the coordinates of every row of an archive's snapshot and holds them to what its commits said: no
// coordinate twice, none outside of what was committed, and as many as were committed. Offsets may be missing only where
// the log had no record, since every commit begins where the one before it ended and counts its records.
func (s *Snapshot) Verify(ctx context.Context) error {
	if s.Spans == nil {
		return fault.New(s.of.thing, "is no archive", "verify the archive of a topic")
	}
	seen := make(map[int32]*offsets, len(s.Spans))
	for batch, err := range s.Rows(ctx, Everything, schema.PartitionColumn, schema.OffsetColumn) {
		if err != nil {
			return err
		}
		var ofRows [2]int
		for i, name := range []string{schema.PartitionColumn, schema.OffsetColumn} {
			ofRows[i] = batch.Schema().FieldIndices(name)[0]
		}
		numbers := batch.Column(ofRows[1]).(*array.Int64)
		for i, p := range batch.Column(ofRows[0]).(*array.Int32).Int32Values() {
			if seen[p] == nil {
				seen[p] = &offsets{chunks: map[int64]*[chunkWords]uint64{}}
			}
			if err := s.place(seen[p], p, numbers.Value(i)); err != nil {
				return err
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.Spans)) {
		found := int64(0)
		if seen[p] != nil {
			found = seen[p].count
		}
		if want := s.Spans[p].Rows; found != want {
			return fault.New(s.of.thing, fmt.Sprintf("partition %d holds %d records, and %d were committed", p, found, want),
				"read a snapshot from before somebody deleted rows, or archive the topic anew")
		}
	}
	return nil
}

// place notes an offset, unless it is one that cannot be.
func (s *Snapshot) place(seen *offsets, p int32, o int64) error {
	span, ok := s.Spans[p]
	if !ok || o < span.Start || o >= span.Next {
		return fault.New(s.of.thing, fmt.Sprintf("holds offset %d of partition %d, which was never committed", o, p),
			"remove the rows that somebody else wrote")
	}
	if !seen.add(o) {
		return fault.New(s.of.thing, fmt.Sprintf("holds offset %d of partition %d twice", o, p),
			"remove the rows that somebody else wrote")
	}
	return nil
}

// offsets is a set of offsets: a bit for each, in chunks, since a log is dense.
type offsets struct {
	chunks map[int64]*[chunkWords]uint64
	last   *[chunkWords]uint64
	lastAt int64
	count  int64
}

const (
	chunkWords = 1 << 10
	chunkBits  = chunkWords * 64
)

// add tells whether the offset is new. It must not be negative.
func (s *offsets) add(o int64) bool {
	at := o / chunkBits
	if s.last == nil || at != s.lastAt {
		if s.chunks[at] == nil {
			s.chunks[at] = new([chunkWords]uint64)
		}
		s.last, s.lastAt = s.chunks[at], at
	}
	word, bit := &s.last[o%chunkBits/64], uint64(1)<<(o%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	s.count++
	return true
}
