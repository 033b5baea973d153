package online

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillway-go/spillway/internal/fault"
)

// PebbleOptions says how a Pebble store uses the machine. The zero value is good for a few million keys.
type PebbleOptions struct {
	Cache  int64        // of blocks read, in bytes; 0 is DefaultCache
	Keys   int64        // of keys read, in bytes, for each space; 0 is DefaultKeys
	Logger *slog.Logger // nil logs nothing
	fs     vfs.FS
}

// DefaultCache is the size of the cache of blocks, in bytes.
const DefaultCache = 128 << 20

// DefaultKeys is the size of the cache of keys, in bytes.
const DefaultKeys = 128 << 20

// Pebble is a Store in a folder of its own, for the one process that has it open.
//
// Applied writes reach the operating system at once and the disk a little later: after a loss of power a partition may
// stand at an earlier frontier, whole, and the stream applies the rest again. A published run is on the disk when Publish
// returns.
type Pebble struct {
	db   *pebble.DB
	path string
	fs   vfs.FS
	keys int64 // bytes of the cache of keys

	open    sync.RWMutex // held for reading by every call, for writing by Close
	closed  bool
	readers sync.Pool // of *pebbleReader

	mu     sync.Mutex
	spaces map[Space]*pebbleSpace
}

// pebbleSpace is what the process remembers of a space.
type pebbleSpace struct {
	prefix     prefix
	mu         sync.Mutex // guards partitions
	partitions map[int32]*pebblePartition
	sweep      sweep
	publish    sync.Mutex
	cache      *cache
}

// pebblePartition lets in one write of its partition at a time.
type pebblePartition struct {
	mu     sync.Mutex
	next   int64        // of the frontier that has been applied; before the first it is NoTime
	oldest atomic.Int64 // of that frontier
	now    atomic.Pointer[Frontier]
}

func newPartition(f *Frontier) *pebblePartition {
	p := &pebblePartition{next: f.Next}
	p.stand(f)
	return p
}

// stand makes the frontier known to readers.
func (p *pebblePartition) stand(f *Frontier) {
	own := *f
	p.oldest.Store(own.Oldest)
	p.now.Store(&own)
}

// partition is the state of a partition, made when it is first seen.
func (sp *pebbleSpace) partition(number int32) *pebblePartition {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	p := sp.partitions[number]
	if p == nil {
		p = newPartition(&Frontier{Partition: number, Next: NoTime, Watermark: NoTime, Oldest: NoTime})
		sp.partitions[number] = p
	}
	return p
}

// OpenPebble opens the store in the folder at path, and makes it if there is none. The error is a *fault.Error when the
// folder cannot be used: another process has it open, it is damaged, it holds something else, it cannot be written.
func OpenPebble(path string, o PebbleOptions) (*Pebble, error) {
	if o.Cache == 0 {
		o.Cache = DefaultCache
	}
	if o.Keys == 0 {
		o.Keys = DefaultKeys
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	log := &pebbleLog{o.Logger, path}
	opts := &pebble.Options{
		FS:                          o.fs,
		CacheSize:                   o.Cache,
		Comparer:                    comparer,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                32 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       2,
		Logger:                      log,
		EventListener:               log.events(),
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	if err := o.fs.MkdirAll(path, 0o755); err != nil {
		return nil, explain(path, err)
	}
	db, err := pebble.Open(path, opts)
	if err != nil {
		return nil, explain(path, err)
	}
	p := &Pebble{db: db, path: path, fs: o.fs, keys: o.Keys, spaces: map[Space]*pebbleSpace{}}
	p.readers.New = func() any { return new(pebbleReader) }
	if err := p.checkForm(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// checkForm holds the database to the form that this version reads, and marks a new one with it.
func (p *Pebble) checkForm() error {
	found, closer, err := p.db.Get(formKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return p.commit(func(b *pebble.Batch) error { return b.Set(formKey, []byte(form), nil) }, pebble.Sync)
	}
	if err != nil {
		return explain(p.path, err)
	}
	defer closer.Close()
	if string(found) != form {
		return fault.New("online store "+p.path, fmt.Sprintf("is of the form %q, and this program reads %q", found, form),
			"remove the folder, and the store is built again from the topic and the newest run")
	}
	return nil
}

// Close implements Store.
func (p *Pebble) Close() error {
	p.open.Lock()
	defer p.open.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return explain(p.path, p.db.Close())
}

// enter begins a call; its result ends it.
func (p *Pebble) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.open.RLock()
	if p.closed {
		p.open.RUnlock()
		return nil, fault.New("online store "+p.path, "is closed", "open it again")
	}
	return p.open.RUnlock, nil
}

// space is the space's state, read from the database when it is first asked for.
func (p *Pebble) space(s Space) (*pebbleSpace, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sp := p.spaces[s]; sp != nil {
		return sp, nil
	}
	sp := &pebbleSpace{prefix: prefixOf(s), partitions: map[int32]*pebblePartition{}, cache: newCache(p.keys)}
	frontiers, err := p.readFrontiers(sp)
	if err != nil {
		return nil, err
	}
	for _, f := range frontiers {
		sp.partitions[f.Partition] = newPartition(&f)
	}
	run, generation, err := p.readRun(sp)
	if err != nil {
		return nil, err
	}
	sp.cache.run.Store(&cachedRun{run, generation})
	p.spaces[s] = sp
	return sp, nil
}

func (p *Pebble) readFrontiers(sp *pebbleSpace) ([]Frontier, error) {
	it, err := p.db.NewIter(nil)
	if err != nil {
		return nil, explain(p.path, err)
	}
	fs, err := scanFrontiers(it, &sp.prefix, nil)
	return fs, explain(p.path, errors.Join(err, it.Close()))
}

// Frontiers implements Store.
func (p *Pebble) Frontiers(ctx context.Context, s Space) ([]Frontier, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	sp, err := p.space(s)
	if err != nil {
		return nil, err
	}
	return p.readFrontiers(sp)
}

// Spaces implements Store.
func (p *Pebble) Spaces(ctx context.Context) (spaces []Space, err error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindSpace}, UpperBound: []byte{kindSpace + 1}})
	if err != nil {
		return nil, explain(p.path, err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		pipeline, plan, _ := bytes.Cut(it.Value(), []byte{0})
		spaces = append(spaces, Space{string(pipeline), string(plan)})
	}
	return spaces, explain(p.path, it.Close())
}

// Drop implements Store.
func (p *Pebble) Drop(ctx context.Context, s Space) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.spaces, s)
	own := prefixOf(s)
	return p.commit(func(b *pebble.Batch) error {
		for _, kind := range []byte{kindSpace, kindFrontier, kindEntity, kindRun, kindValue} {
			start := own.key(nil, kind)
			if err := b.DeleteRange(start, end(start), nil); err != nil {
				return err
			}
		}
		return nil
	}, pebble.Sync)
}

// leastSpace is how much of the disk must be free before a batch is written. A write-ahead log that cannot be written is
// the end of the process (Pebble does not survive it), so the store stops before it comes to that.
const leastSpace = 64 << 20 // bytes

// commit fills a batch and makes it visible at once.
func (p *Pebble) commit(fill func(*pebble.Batch) error, how *pebble.WriteOptions) error {
	usage, err := p.fs.GetDiskUsage(p.path)
	if err != nil && !errors.Is(err, vfs.ErrUnsupported) {
		return explain(p.path, err)
	}
	if err == nil && usage.AvailBytes < leastSpace {
		return noSpace(p.path, nil)
	}
	b := p.db.NewBatch()
	if err := fill(b); err != nil {
		return explain(p.path, errors.Join(err, b.Close()))
	}
	return explain(p.path, errors.Join(b.Commit(how), b.Close()))
}

// pebbleLog hands Pebble's messages on. Fatalf is the end of the process by Pebble's contract: its files would be wrong.
type pebbleLog struct {
	log  *slog.Logger
	path string
}

func (l *pebbleLog) Infof(string, ...any) {}

func (l *pebbleLog) Errorf(format string, args ...any) {
	if l.log != nil {
		l.log.Error("online store", "path", l.path, "error", fmt.Sprintf(format, args...))
	}
}

func (l *pebbleLog) Fatalf(format string, args ...any) {
	panic(fault.New("online store "+l.path, fmt.Sprintf(format, args...), "free or mend the disk and start again"))
}

func (l *pebbleLog) events() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: func(err error) { l.Errorf("in the background: %v", explain(l.path, err)) }}
}

var _ Store = (*Pebble)(nil)
