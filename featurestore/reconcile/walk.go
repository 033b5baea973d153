package reconcile

import (
	"bytes"
	"context"
)

// visitor is told what stands on the as-served side, last revisions only, and on truth's.
type visitor interface {
	// sides shows the open sides before the first key.
	sides(*merge)
	// begin opens a key; the ones before are complete. The key is valid until the next call.
	begin(key []byte) error
	// agree counts an answer of the open key that is the same on both sides.
	agree()
	// differ gives one that is not: row i of served and row j of truth. A side without a row has a nil page.
	differ(served *page, i int, truth *page, j int)
	// end completes the last key.
	end() error
}

// walk compares served with truth, in order.
func walk(ctx context.Context, in *Input, v visitor) error {
	m := &merge{asks: in.Plan.Tick > 0}
	if err := m.open(ctx, in, cursor{side: "as-served", lastOnly: m.asks}, cursor{side: "truth"}); err != nil {
		return err
	}
	defer m.close()
	v.sides(m)
	var differs []bool
	var key []byte
	open := false
	enter := func(k []byte) error {
		if open && bytes.Equal(k, key) {
			return nil
		}
		key, open = append(key[:0], k...), true
		return v.begin(key)
	}
	for {
		t := m.next()
		switch {
		case t.both > 0:
			a, i, b, j := m.a.page, m.a.row, m.b.page, m.b.row
			differs = m.compare(t.both, differs)
			for k, d := range differs {
				if err := enter(a.key(i + k)); err != nil {
					return err
				}
				if d {
					v.differ(a, i+k, b, j+k)
				} else {
					v.agree()
				}
			}
		case t.onlyA:
			if err := enter(m.a.page.key(m.a.row)); err != nil {
				return err
			}
			v.differ(m.a.page, m.a.row, nil, 0)
		case t.onlyB:
			if err := enter(m.b.page.key(m.b.row)); err != nil {
				return err
			}
			v.differ(nil, 0, m.b.page, m.b.row)
		default:
			return v.end()
		}
		if err := m.advance(t); err != nil {
			return err
		}
	}
}
