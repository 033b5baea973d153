package online

import (
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// cache keeps what was read of keys, so that most reads touch no file and no skip list. It belongs to one space.
//
// A read takes all of its keys from it or none. That they belong together (O5) follows from two counters: changes that have
// begun, and those that are done. A change counts itself in, is committed, removes the keys that it touched, and counts
// itself out. A read that finds both equal, and the first unchanged when it has all it needs, saw no change in between; else
// it goes to the database, whose iterators see one moment anyway. Nobody waits for anybody.
type cache struct {
	begun, done atomic.Uint64
	run         atomic.Pointer[cachedRun]
	seed        maphash.Seed
	shards      [cacheShards]cacheShard
	most        int // bytes that a shard holds at most
}

const cacheShards = 16

type cacheShard struct {
	mu    sync.RWMutex
	keys  map[string]*cached
	bytes int
}

// cachedRun is the run that stands.
type cachedRun struct {
	run        Run
	generation uint64 // 0: there is none
}

// cached is what was read of a key. It never changes.
type cached struct {
	live       bool // the four below were read, and the key has been seen
	partition  *pebblePartition
	newest     int64
	slices     []Slice // by start: all that were in reach
	values     bool    // the two below were read
	generation uint64
	bytes      []byte // nil: the run has no values of the key
	size       int
}

func newCache(most int64) *cache {
	c := &cache{seed: maphash.MakeSeed(), most: int(most / cacheShards)}
	for i := range c.shards {
		c.shards[i].keys = map[string]*cached{}
	}
	return c
}

func (c *cache) shard(key []byte) *cacheShard {
	return &c.shards[maphash.Bytes(c.seed, key)%cacheShards]
}

// quiet tells whether no change is under way, and how many there have been.
func (c *cache) quiet() (changes uint64, ok bool) {
	changes = c.done.Load()
	return changes, c.begun.Load() == changes
}

// still tells whether no change has begun since.
func (c *cache) still(changes uint64) bool { return c.begun.Load() == changes }

func (c *cache) get(key []byte) *cached {
	s := c.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[string(key)]
}

// put keeps what was read of a key when there had been so many changes, unless there have been more since. A change removes
// its keys after it has begun, and under the shard's lock: it cannot miss what is put here.
func (c *cache) put(key []byte, e *cached, changes uint64) {
	e.size = len(key) + len(e.bytes) + cachedSize
	for i := range e.slices {
		e.size += len(e.slices[i].Rows) + sliceSize
	}
	if e.size > c.most/2 {
		return
	}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.still(changes) {
		return
	}
	s.drop(string(key))
	for other := range s.keys {
		if s.bytes+e.size <= c.most {
			break
		}
		s.drop(other)
	}
	s.keys[string(key)] = e
	s.bytes += e.size
}

// What a key and a slice take beside their bytes, about.
const (
	cachedSize = 200
	sliceSize  = 40
)

func (s *cacheShard) drop(key string) {
	if e := s.keys[key]; e != nil {
		s.bytes -= e.size
		delete(s.keys, key)
	}
}

// remove removes the keys that a write has touched.
func (c *cache) remove(w *Write) {
	for i := range w.Keys {
		s := c.shard(w.Keys[i].Key)
		s.mu.Lock()
		s.drop(string(w.Keys[i].Key))
		s.mu.Unlock()
	}
}

// collect finds what is cached of all the keys, and tells whether that is enough for the query.
func (r *pebbleReader) collect(c *cache, q *Query) (run *cachedRun, ok bool) {
	changes, ok := c.quiet()
	if !ok {
		return nil, false
	}
	run = c.run.Load()
	r.found = r.found[:0]
	for _, key := range q.Keys {
		e := c.get(key)
		if e == nil || q.Live && !e.live || q.Values && (!e.values || e.generation != run.generation) {
			return nil, false
		}
		f := found{cached: e}
		if e.live {
			f.frontier = e.partition.now.Load()
		}
		r.found = append(r.found, f)
	}
	return run, c.still(changes)
}

// found is a key's part of a read from the cache.
type found struct {
	*cached
	frontier *Frontier
}

// fromCache visits what has been collected.
func (r *pebbleReader) fromCache(q *Query, run *cachedRun, visit func(i int, e *Entry) error) error {
	e := &r.entry
	for i := range r.found {
		f := &r.found[i]
		*e = Entry{Slices: e.Slices[:0]}
		if q.Live {
			e.Seen, e.Newest, e.Frontier = true, f.newest, *f.frontier
			e.Slices = append(e.Slices, within(f.slices, max(q.From, f.frontier.Oldest), q.To)...)
		}
		if q.Values && run.generation > 0 {
			e.Run, e.Values, e.HasValues = &run.run, f.bytes, f.bytes != nil
		}
		if err := visit(i, e); err != nil {
			return err
		}
	}
	return nil
}

// within are the slices, which are sorted, that start in [from, to).
func within(s []Slice, from, to int64) []Slice {
	for len(s) > 0 && s[0].Start < from {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1].Start >= to {
		s = s[:len(s)-1]
	}
	return s
}

// everything is the query with all slices of a key, as the cache keeps them.
func (q Query) everything() Query {
	q.From, q.To = math.MinInt64, math.MaxInt64
	return q
}

// cache keeps the entry that has just been read.
func (r *pebbleReader) cache(sp *pebbleSpace, q *Query, key []byte, changes uint64) {
	e := &r.entry
	if q.Live && !e.Seen {
		return // Any partition may bring the key.
	}
	c := &cached{live: q.Live, values: q.Values}
	if q.Live {
		c.partition, c.newest = sp.partition(e.Frontier.Partition), e.Newest
		rows := make([]byte, 0, len(r.rows))
		c.slices = slices.Clone(e.Slices)
		for i := range c.slices {
			rows = append(rows, c.slices[i].Rows...)
			n := len(c.slices[i].Rows)
			c.slices[i].Rows = rows[len(rows)-n : len(rows) : len(rows)]
		}
	}
	if q.Values && r.hasRun {
		c.generation = r.generation
		if e.HasValues {
			c.bytes = append(make([]byte, 0, len(e.Values)), e.Values...)
		}
	}
	sp.cache.put(key, c, changes)
}
