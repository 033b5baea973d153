package online

import (
	"context"
	"errors"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillway-go/spillway/internal/fault"
)

// loadBatch is how much of a run is written at once.
const loadBatch = 1 << 20 // bytes

// Publish implements Store.
func (p *Pebble) Publish(ctx context.Context, s Space, run Run, values iter.Seq2[Value, error]) (stands bool, err error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if run.ID == "" {
		return false, fault.New("run", "has no id", "publish a run of the ledger")
	}
	sp, err := p.space(s)
	if err != nil {
		return false, err
	}
	sp.publish.Lock()
	defer sp.publish.Unlock()
	last, generation, err := p.readRun(sp)
	if err != nil {
		return false, err
	}
	if generation > 0 && !run.Newer(last) {
		return run.ID == last.ID && run.AsOf == last.AsOf, nil
	}
	if err := p.replaceRun(ctx, s, sp, run, generation, values); err != nil {
		return false, err
	}
	return true, nil
}

func (p *Pebble) replaceRun(ctx context.Context, s Space, sp *pebbleSpace, run Run, last uint64, values iter.Seq2[Value, error]) error {
	// An interrupted load may have left values of the generation to come.
	if err := p.removeValues(sp, last); err != nil {
		return err
	}
	if err := p.load(ctx, sp, last+1, values); err != nil {
		return errors.Join(err, p.removeValues(sp, last))
	}
	sp.cache.begun.Add(1)
	err := p.commit(func(b *pebble.Batch) error {
		if err := b.Set(sp.prefix.key(nil, kindSpace), []byte(s.Pipeline+"\x00"+s.Plan), nil); err != nil {
			return err
		}
		return b.Set(sp.prefix.key(nil, kindRun), run.append(nil, last+1), nil)
	}, pebble.Sync)
	if err == nil {
		sp.cache.run.Store(&cachedRun{run, last + 1})
	}
	sp.cache.done.Add(1)
	if err != nil {
		return err
	}
	return p.removeValues(sp, last+1)
}

// load writes the values of a generation that no reader sees yet.
func (p *Pebble) load(ctx context.Context, sp *pebbleSpace, generation uint64, values iter.Seq2[Value, error]) error {
	next, stop := iter.Pull2(values)
	defer stop()
	var key []byte
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var failed error // of the values, which is the caller's to explain
		err := p.commit(func(b *pebble.Batch) error {
			for b.Len() < loadBatch {
				var v Value
				if v, failed, more = next(); failed != nil || !more {
					return failed
				}
				key = sp.prefix.value(key[:0], generation, v.Key)
				if err := b.Set(key, v.Bytes, nil); err != nil {
					return err
				}
			}
			return nil
		}, pebble.NoSync)
		if failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeValues removes the values of all generations but one.
func (p *Pebble) removeValues(sp *pebbleSpace, but uint64) error {
	all := sp.prefix.key(nil, kindValue)
	kept := sp.prefix.value(nil, but, nil)
	for _, span := range [][2][]byte{{all, kept}, {end(kept), end(all)}} {
		it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: span[0], UpperBound: span[1]})
		if err != nil {
			return explain(p.path, err)
		}
		some := it.First()
		if err := errors.Join(it.Error(), it.Close()); err != nil {
			return explain(p.path, err)
		}
		if !some {
			continue
		}
		err = p.commit(func(b *pebble.Batch) error { return b.DeleteRange(span[0], span[1], nil) }, pebble.NoSync)
		if err != nil {
			return err
		}
	}
	return nil
}

// readRun reads the run that stands; the generation is 0 when there is none.
func (p *Pebble) readRun(sp *pebbleSpace) (run Run, generation uint64, err error) {
	value, closer, err := p.db.Get(sp.prefix.key(nil, kindRun))
	if errors.Is(err, pebble.ErrNotFound) {
		return Run{}, 0, nil
	}
	if err != nil {
		return Run{}, 0, explain(p.path, err)
	}
	defer closer.Close()
	if generation, err = run.decode(value); err != nil {
		err = explain(p.path, err)
	}
	return run, generation, err
}

// Published implements Store.
func (p *Pebble) Published(ctx context.Context, s Space) (run Run, ok bool, err error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return Run{}, false, err
	}
	defer leave()
	sp, err := p.space(s)
	if err != nil {
		return Run{}, false, err
	}
	run, generation, err := p.readRun(sp)
	return run, generation > 0, err
}
