package online

import (
	"bytes"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// sweep goes round the entities of a space, a few with every write, and removes the slices that are out of reach. It keeps
// ahead of what writes add, so that the store holds little more than what can still be read, without an index by time.
type sweep struct {
	mu sync.Mutex
	at []byte // the entity to go on with; nil: the first
}

// A write that adds n records looks at sweepPace·n + sweepLeast of them.
const (
	sweepPace  = 4
	sweepLeast = 16
)

// some looks at a few entities and deletes in the batch what is out of reach. Only one write at a time sweeps.
func (s *sweep) some(it *pebble.Iterator, sp *pebbleSpace, b *pebble.Batch, written int) error {
	if !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	head := sp.prefix.key(nil, kindEntity)
	if s.at == nil {
		s.at = head
	}
	budget := sweepPace*written + sweepLeast
	var old [][]byte // the slices before the entity that the iterator comes to
	ok := it.SeekGE(s.at)
	for ; ok && bytes.HasPrefix(it.Key(), head); ok = it.Next() {
		key := it.Key()
		n := split(key)
		if _, slice := suffixStart(key[n:]); slice {
			old = append(old, bytes.Clone(key))
			budget--
			continue
		}
		if err := s.sweepEntity(it, sp, b, old); err != nil {
			return err
		}
		old = old[:0]
		if budget--; budget <= 0 {
			s.at = append(append(s.at[:0:0], key[:n]...), markEntity+1)
			return nil
		}
	}
	s.at = nil
	return it.Error()
}

// sweepEntity deletes those of the entity's slices that are out of its partition's reach. The iterator stands at the entity.
func (s *sweep) sweepEntity(it *pebble.Iterator, sp *pebbleSpace, b *pebble.Batch, slices [][]byte) error {
	if len(slices) == 0 {
		return nil
	}
	var e entity
	if err := e.decode(it.Value()); err != nil {
		return err
	}
	oldest := sp.partition(e.partition).oldest.Load()
	for _, key := range slices {
		if start, _ := suffixStart(key[split(key):]); start >= oldest {
			return nil
		}
		if err := b.Delete(key, nil); err != nil {
			return err
		}
	}
	return nil
}
