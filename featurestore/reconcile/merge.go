package reconcile

import (
	"context"
	"errors"
)

// merge walks two sides in step.
type merge struct {
	a, b *cursor
	asks bool // rows meet when key and ask are the same, whatever record brought them about: ticks against truth's
}

// open opens both sides, as the cursors say, and reads their first pages.
func (m *merge) open(ctx context.Context, in *Input, a, b cursor) error {
	if err := a.open(ctx, in); err != nil {
		return err
	}
	if err := b.open(ctx, in); err != nil {
		a.close()
		return err
	}
	m.a, m.b = &a, &b
	if err := errors.Join(a.start(), b.start()); err != nil {
		m.close()
		return err
	}
	return nil
}

// meeting is what stands at the cursors.
type meeting struct {
	both  int  // so many rows of a and b, in turn, have the same identities
	onlyA bool // a's row has no counterpart
	onlyB bool
}

// next looks at the cursors; at the end of both sides the meeting is empty.
func (m *merge) next() meeting {
	switch {
	case m.a.page == nil && m.b.page == nil:
		return meeting{}
	case m.b.page == nil:
		return meeting{onlyA: true}
	case m.a.page == nil:
		return meeting{onlyB: true}
	}
	if order := m.a.page.compare(m.a.row, m.b.page, m.b.row, m.asks); order != 0 {
		return meeting{onlyA: order < 0, onlyB: order > 0}
	}
	p, q := m.a.page, m.b.page
	n, limit := 1, min(m.a.left(), m.b.left())
	for i, j := m.a.row, m.b.row; n < limit; n++ {
		if m.asks {
			if m.a.lastOnly && m.a.revised(i+n) || !p.sameAsk(i+n, q, j+n) {
				break
			}
		} else if !p.sameRow(i+n, q, j+n) {
			break
		}
	}
	return meeting{both: n}
}

// advance goes past the meeting.
func (m *merge) advance(t meeting) error {
	if t.both > 0 || t.onlyA {
		if err := m.a.advance(max(1, t.both)); err != nil {
			return err
		}
	}
	if t.both > 0 || t.onlyB {
		return m.b.advance(max(1, t.both))
	}
	return nil
}

// compare gives for each of the rows that meet whether their features differ; the slice is the memory it may use.
func (m *merge) compare(n int, differs []bool) []bool {
	if cap(differs) < n {
		differs = make([]bool, n)
	}
	differs = differs[:n]
	clear(differs)
	for c := range m.a.page.columns {
		m.a.page.columns[c].mark(m.a.row, &m.b.page.columns[c], m.b.row, differs)
	}
	return differs
}

func (m *merge) close() {
	m.a.close()
	m.b.close()
}
