package online

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Quiet discards the messages of a database that a test opens by itself.
var Quiet pebble.Logger = &pebbleLog{}

// On makes the store use another file system.
func (o PebbleOptions) On(fs vfs.FS) PebbleOptions {
	o.fs = fs
	return o
}

// WriteForm makes a store of another form.
func WriteForm(path, form string) error {
	db, err := pebble.Open(path, &pebble.Options{Comparer: comparer, Logger: Quiet})
	if err != nil {
		return err
	}
	if err := db.Set(formKey, []byte(form), pebble.Sync); err != nil {
		return err
	}
	return db.Close()
}

// Count counts the slices and keys that a space takes up.
func (p *Pebble) Count(s Space) (slices, keys int, err error) {
	own := prefixOf(s)
	start := own.key(nil, kindEntity)
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: end(start)})
	if err != nil {
		return 0, 0, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if _, slice := suffixStart(it.Key()[split(it.Key()):]); slice {
			slices++
		} else {
			keys++
		}
	}
	return slices, keys, it.Close()
}
