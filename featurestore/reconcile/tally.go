package reconcile

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/spillway-go/spillway/pipeline"
)

// tally counts what lateness cost: a visitor.
type tally struct {
	lateness Lateness
	features []FeatureCost
	keys     []keyTally // of the keys with differences, in order
	key      []byte
	open     keyTally
}

// keyTally is how many of a key's answers are not truth's.
type keyTally struct {
	key                  []byte
	answers, differences int64
}

func newTally(plan *pipeline.Plan) *tally {
	t := &tally{}
	for i := range plan.Features {
		if f := &plan.Features[i]; f.Live() {
			t.features = append(t.features, FeatureCost{Name: f.Name, Type: f.Kind.String(), Window: f.Window.String()})
		}
	}
	return t
}

func (t *tally) sides(*merge) {}

func (t *tally) begin(key []byte) error {
	t.flush()
	t.key = append(t.key[:0], key...)
	return nil
}

func (t *tally) agree() {
	t.open.answers++
	t.lateness.Agreed++
}

func (t *tally) differ(served *page, i int, truth *page, j int) {
	t.open.answers++
	t.open.differences++
	switch {
	case truth == nil:
		t.lateness.OnlyServed++
		return
	case served == nil:
		t.lateness.OnlyTruth++
		return
	}
	t.lateness.Differing++
	for c := range t.features {
		if a, b := &served.columns[c], &truth.columns[c]; !a.same(i, b, j) {
			t.features[c].add(a, i, b, j)
		}
	}
}

// add counts one difference of the feature.
func (f *FeatureCost) add(a *column, i int, b *column, j int) {
	f.Differing++
	if a.values.IsNull(i) || b.values.IsNull(j) {
		f.Nulls++
		return
	}
	x, okX := a.number(i)
	y, okY := b.number(j)
	d := math.Abs(x - y)
	if !okX || !okY || math.IsNaN(d) || math.IsInf(d, 0) {
		return
	}
	f.Measured++
	f.Mean += (d - f.Mean) / float64(f.Measured)
	f.Max = max(f.Max, d)
}

func (t *tally) flush() {
	if t.open.differences > 0 {
		t.open.key = bytes.Clone(t.key)
		t.keys = append(t.keys, t.open)
	}
	t.lateness.Answers += t.open.answers
	t.open = keyTally{}
}

func (t *tally) end() error {
	t.flush()
	l := &t.lateness
	l.Keys = int64(len(t.keys))
	if l.Answers > 0 {
		l.Share = float64(l.Differences()) / float64(l.Answers)
	}
	return nil
}

// worst are the keys with the most differences, ties by the key; n is how many at most, 0 all.
func (t *tally) worst(n int) []keyTally {
	keys := slices.Clone(t.keys)
	slices.SortFunc(keys, func(a, b keyTally) int {
		return cmp.Or(cmp.Compare(b.differences, a.differences), bytes.Compare(a.key, b.key))
	})
	if n > 0 && n < len(keys) {
		keys = keys[:n]
	}
	return keys
}
