package online

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillway-go/spillway/internal/fault"
)

// Apply implements Store.
func (p *Pebble) Apply(ctx context.Context, s Space, w *Write) (applied bool, err error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	sp, err := p.space(s)
	if err != nil {
		return false, err
	}
	part := sp.partition(w.Frontier.Partition)
	part.mu.Lock()
	defer part.mu.Unlock()
	if w.Frontier.Next <= part.next {
		return false, nil
	}
	it, err := p.db.NewIter(nil)
	if err != nil {
		return false, explain(p.path, err)
	}
	a := applier{it: it, prefix: &sp.prefix, w: w}
	sp.cache.begun.Add(1)
	defer sp.cache.done.Add(1)
	err = p.commit(func(b *pebble.Batch) error {
		if part.next == NoTime {
			if err := b.Set(sp.prefix.key(nil, kindSpace), []byte(s.Pipeline+"\x00"+s.Plan), nil); err != nil {
				return err
			}
		}
		if err := a.write(b); err != nil {
			return err
		}
		return sp.sweep.some(it, sp, b, a.records)
	}, pebble.NoSync)
	sp.cache.remove(w)
	if err = errors.Join(err, explain(p.path, it.Close())); err != nil {
		return false, err
	}
	part.next = w.Frontier.Next
	part.stand(&w.Frontier)
	return true, nil
}

// applier fills a batch with a write.
type applier struct {
	it      *pebble.Iterator // of the store before the write
	prefix  *prefix
	w       *Write
	key     []byte
	value   []byte
	records int // written
}

func (a *applier) write(b *pebble.Batch) error {
	for i := range a.w.Keys {
		if err := a.writeKey(b, &a.w.Keys[i]); err != nil {
			return err
		}
	}
	a.key = a.prefix.frontier(a.key[:0], a.w.Frontier.Partition)
	return a.set(b, a.w.Frontier.append(a.value[:0]))
}

func (a *applier) writeKey(b *pebble.Batch, k *KeyWrite) error {
	own := entity{partition: a.w.Frontier.Partition, offset: a.w.Frontier.Next - 1, newest: k.Newest}
	a.key = a.prefix.entity(a.key[:0], k.Key)
	n := len(a.key)
	a.key = append(a.key, markEntity)
	if a.it.SeekPrefixGE(a.key) {
		var old entity
		if err := old.decode(a.it.Value()); err != nil {
			return err
		}
		if old.partition != own.partition {
			return fault.New("key "+fmt.Sprintf("%q", k.Key), fmt.Sprintf("was in partition %d, and is in %d now", old.partition,
				own.partition), "partitions must not be added to a running source: drop the online store, and it is built again")
		}
		own.newest = max(own.newest, old.newest)
	}
	if err := a.it.Error(); err != nil {
		return err
	}
	if err := a.set(b, own.append(a.value[:0])); err != nil {
		return err
	}
	for i := range k.Slices {
		a.key = appendStart(a.key[:n], k.Slices[i].Start)
		if err := a.set(b, k.Slices[i].append(a.value[:0])); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) set(b *pebble.Batch, value []byte) error {
	a.value = value
	a.records++
	return b.Set(a.key, value, nil)
}
