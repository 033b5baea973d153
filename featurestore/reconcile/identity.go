package reconcile

import (
	"context"

	"github.com/spillway-go/spillway/pipeline"
)

// brokenSamples is how many rows of each kind a report shows in which the stream is not as-served.
const brokenSamples = 5

// identity compares the stream's rows with the as-served ones: S10's first identity.
func identity(ctx context.Context, in *Input) (Identity, error) {
	var id Identity
	m := &merge{}
	if err := m.open(ctx, in, cursor{side: "stream", repeats: true}, cursor{side: "as-served"}); err != nil {
		return id, err
	}
	defer m.close()
	w := identityWalk{m: m, id: &id, names: liveNames(in.Plan)}
	for {
		t := m.next()
		switch {
		case t.both > 0:
			w.compare(t.both)
		case t.onlyA:
			w.extra()
		case t.onlyB:
			id.Missing++
			w.sample("missing", id.Missing, m.b, m.b.row)
		default:
			id.StreamRows, id.ServedRows = m.a.rows, m.b.rows
			return id, nil
		}
		if err := m.advance(t); err != nil {
			return id, err
		}
	}
}

// identityWalk counts as the sides are walked.
type identityWalk struct {
	m       *merge
	id      *Identity
	names   []string
	differs []bool
	last    rowIdentity // the last row that stood on both sides
}

// rowIdentity is S7's, kept beyond its page.
type rowIdentity struct {
	key         []byte
	ask, offset int64
	partition   int32
	revision    int32
	known       bool
}

func (w *identityWalk) compare(n int) {
	a, b := w.m.a, w.m.b
	w.differs = w.m.compare(n, w.differs)
	w.id.Compared += int64(n)
	for k, differs := range w.differs {
		if !differs {
			w.id.Agreed++
			continue
		}
		w.id.Differing++
		if s := w.sample("differing", w.id.Differing, a, a.row+k); s != nil {
			s.Features = differing(w.names, b.page, b.row+k, a.page, a.row+k)
		}
	}
	p, i := a.page, a.row+n-1
	w.last = rowIdentity{append(w.last.key[:0], p.key(i)...), p.ask[i], p.offset[i], p.partition[i], p.revision[i], true}
}

// extra counts a row that only the stream has: one more of the row before, or one that should not be.
func (w *identityWalk) extra() {
	a := w.m.a
	p, i, l := a.page, a.row, &w.last
	if l.known && l.ask == p.ask[i] && l.offset == p.offset[i] && l.partition == p.partition[i] &&
		l.revision == p.revision[i] && string(l.key) == string(p.key(i)) {
		w.id.Repeated++
		w.sample("repeated", w.id.Repeated, a, i)
		return
	}
	w.id.Extra++
	w.sample("extra", w.id.Extra, a, i)
}

func (w *identityWalk) sample(kind string, number int64, c *cursor, i int) *Broken {
	if number > brokenSamples {
		return nil
	}
	p := c.page
	w.id.Samples = append(w.id.Samples, Broken{
		Kind: kind, Key: string(p.key(i)), AskTime: clock(p.ask[i]),
		Partition: p.partition[i], Offset: p.offset[i], Revision: p.revision[i],
	})
	return &w.id.Samples[len(w.id.Samples)-1]
}

// differing lists the features in which row i of served and row j of the other side differ.
func differing(names []string, served *page, i int, other *page, j int) []FeatureValues {
	var fs []FeatureValues
	for c, name := range names {
		a, b := &served.columns[c], &other.columns[c]
		if !a.same(i, b, j) {
			fs = append(fs, FeatureValues{Name: name, Served: a.value(i), Other: b.value(j)})
		}
	}
	return fs
}

// liveNames are the names of the features that the stream computes.
func liveNames(plan *pipeline.Plan) []string {
	var names []string
	for i := range plan.Features {
		if plan.Features[i].Live() {
			names = append(names, plan.Features[i].Name)
		}
	}
	return names
}
