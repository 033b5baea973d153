package online

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Read implements Store. One iterator sees one moment (O5).
func (p *Pebble) Read(ctx context.Context, s Space, q *Query, visit func(i int, e *Entry) error) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	sp, err := p.space(s)
	if err != nil {
		return err
	}
	r := p.readers.Get().(*pebbleReader)
	defer p.readers.Put(r)
	if run, ok := r.collect(sp.cache, q); ok {
		return r.fromCache(q, run, visit)
	}
	return p.readStored(sp, r, q, visit)
}

// readStored reads from the database, and keeps what it finds if nothing changes meanwhile.
func (p *Pebble) readStored(sp *pebbleSpace, r *pebbleReader, q *Query, visit func(i int, e *Entry) error) error {
	changes, keep := sp.cache.quiet()
	it, err := p.db.NewIter(nil)
	if err != nil {
		return explain(p.path, err)
	}
	r.begin(it, sp)
	wanted := *q
	if keep {
		wanted = q.everything()
	}
	var visited error
	for i, key := range q.Keys {
		if err = r.read(&wanted, key); err != nil {
			break
		}
		if keep {
			r.cache(sp, q, key, changes)
			r.entry.Slices = within(r.entry.Slices, q.From, q.To)
		}
		if visited = visit(i, &r.entry); visited != nil {
			break
		}
	}
	r.it = nil
	err = explain(p.path, errors.Join(err, it.Close()))
	if visited != nil {
		return visited
	}
	return err
}

// pebbleReader is the memory of one call of Read.
type pebbleReader struct {
	it         *pebble.Iterator
	prefix     prefix
	entry      Entry
	key        []byte
	rows       []byte // of all the entry's slices
	lengths    []int
	values     []byte
	seen       []Frontier // that this call has looked up
	all        []Frontier // of all partitions, once a key was not known
	hasAll     bool
	run        Run
	runBytes   []byte // that run was decoded from
	hasRun     bool
	lookedRun  bool
	generation uint64
	found      []found
}

func (r *pebbleReader) begin(it *pebble.Iterator, sp *pebbleSpace) {
	r.it, r.prefix = it, sp.prefix
	r.seen, r.hasAll, r.lookedRun = r.seen[:0], false, false
}

func (r *pebbleReader) read(q *Query, key []byte) error {
	e := &r.entry
	*e = Entry{Slices: e.Slices[:0]}
	if q.Live {
		if err := r.readLive(q, key); err != nil {
			return err
		}
	}
	if q.Values {
		return r.readValues(key)
	}
	return nil
}

// readLive reads the key's slices and what is kept of the key, which comes behind them.
func (r *pebbleReader) readLive(q *Query, key []byte) error {
	e := &r.entry
	r.key = r.prefix.entity(r.key[:0], key)
	n := len(r.key)
	r.key = appendStart(r.key, q.From)
	r.rows, r.lengths = r.rows[:0], r.lengths[:0]
	var own entity
	for ok := r.it.SeekPrefixGE(r.key); ok; ok = r.it.Next() {
		start, slice := suffixStart(r.it.Key()[n:])
		if slice && start >= q.To {
			continue
		}
		value, err := r.it.ValueAndErr()
		if err != nil {
			return err
		}
		if !slice {
			e.Seen = true
			if err := own.decode(value); err != nil {
				return err
			}
			continue
		}
		s := Slice{Start: start}
		if err := s.decode(value); err != nil {
			return err
		}
		r.rows = append(r.rows, s.Rows...)
		r.lengths = append(r.lengths, len(s.Rows))
		e.Slices = append(e.Slices, s)
	}
	if err := r.it.Error(); err != nil {
		return err
	}
	r.ownRows()
	if !e.Seen {
		e.Slices = e.Slices[:0]
		return r.readAll()
	}
	e.Newest = own.newest
	if err := r.readFrontier(own.partition); err != nil {
		return err
	}
	gone := 0
	for gone < len(e.Slices) && e.Slices[gone].Start < e.Frontier.Oldest {
		gone++
	}
	e.Slices = e.Slices[gone:]
	return nil
}

// ownRows points the slices at their copies: what the iterator gave is gone.
func (r *pebbleReader) ownRows() {
	rows := r.rows
	for i, n := range r.lengths {
		r.entry.Slices[i].Rows = rows[:n:n]
		rows = rows[n:]
	}
}

func (r *pebbleReader) readFrontier(partition int32) error {
	for _, f := range r.seen {
		if f.Partition == partition {
			r.entry.Frontier = f
			return nil
		}
	}
	f := Frontier{Partition: partition}
	r.key = r.prefix.frontier(r.key[:0], partition)
	found, err := r.get(func(value []byte) error { return f.decode(value) })
	if err == nil && !found {
		err = fmt.Errorf("%w: a key of partition %d, which has no frontier", errRecord, partition)
	}
	r.seen = append(r.seen, f)
	r.entry.Frontier = f
	return err
}

func (r *pebbleReader) readAll() (err error) {
	if !r.hasAll {
		r.all, err = scanFrontiers(r.it, &r.prefix, r.all[:0])
		r.hasAll = err == nil
	}
	r.entry.Frontiers = r.all
	return err
}

// scanFrontiers appends the frontiers of a space, by partition.
func scanFrontiers(it *pebble.Iterator, own *prefix, fs []Frontier) ([]Frontier, error) {
	start := own.key(nil, kindFrontier)
	for ok := it.SeekGE(start); ok && bytes.HasPrefix(it.Key(), start); ok = it.Next() {
		var f Frontier
		partition, ok := frontierPartition(it.Key())
		if err := f.decode(it.Value()); err != nil || !ok {
			return fs, errRecord
		}
		f.Partition = partition
		fs = append(fs, f)
	}
	return fs, it.Error()
}

func (r *pebbleReader) readValues(key []byte) error {
	if !r.lookedRun {
		if err := r.readRun(); err != nil {
			return err
		}
		r.lookedRun = true
	}
	if !r.hasRun {
		return nil
	}
	e := &r.entry
	e.Run = &r.run
	r.key = r.prefix.value(r.key[:0], r.generation, key)
	found, err := r.get(func(value []byte) error {
		r.values = append(r.values[:0], value...)
		return nil
	})
	e.Values, e.HasValues = r.values, found
	return err
}

// readRun reads the run that stands. It is decoded only when it is another than the last one.
func (r *pebbleReader) readRun() (err error) {
	r.key = r.prefix.key(r.key[:0], kindRun)
	r.hasRun, err = r.get(func(value []byte) (err error) {
		if !bytes.Equal(value, r.runBytes) {
			r.generation, err = r.run.decode(value)
			r.runBytes = append(r.runBytes[:0], value...)
		}
		return err
	})
	return err
}

// get looks up r.key.
func (r *pebbleReader) get(use func(value []byte) error) (found bool, err error) {
	if !r.it.SeekPrefixGE(r.key) {
		return false, r.it.Error()
	}
	value, err := r.it.ValueAndErr()
	if err != nil {
		return false, err
	}
	if err := use(value); err != nil {
		return false, err
	}
	return true, nil
}
