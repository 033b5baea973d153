package reconcile

import (
	"cmp"
	"math"
	"slices"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// unexplainedExamples is how many unexplained differences are shown: each is a fault that somebody must find.
const unexplainedExamples = 10

// gallery keeps the differences that the report shows: for each combination of causes those that changed an answer the
// most, at most one of a key, and among equals those with the fewest events, which are the easiest to read.
type gallery struct {
	plan  *pipeline.Plan
	most  int
	shown map[causeSet][]exhibit // best first
}

// exhibit is an example and its rank.
type exhibit struct {
	rank    rank
	example Example
}

// rank is how well a difference serves as an example.
type rank struct {
	change float64 // the greatest relative change of a feature, 0 to 1
	events int     // in the windows
}

// compare is negative when r serves better.
func (r rank) compare(o rank) int {
	return cmp.Or(cmp.Compare(o.change, r.change), cmp.Compare(r.events, o.events))
}

func newGallery(plan *pipeline.Plan, o Options) *gallery {
	return &gallery{plan: plan, most: o.Examples, shown: map[causeSet][]exhibit{}}
}

func (g *gallery) limit(s causeSet) int {
	if s.has(Unexplained) {
		return max(g.most, unexplainedExamples)
	}
	return g.most
}

// show looks for better examples among a key's differences. The history is nil when the log has none of the key.
func (g *gallery) show(p *prover, h *history, d *differences) error {
	best := map[causeSet]int{}
	ranks := make([]rank, len(d.asks))
	for i := range d.asks {
		a := &d.asks[i]
		ranks[i] = rank{change: d.change(a)}
		if h != nil {
			lo, hi := h.within(a)
			ranks[i].events = hi - lo
		}
		s := a.why.causes
		if j, ok := best[s]; !ok || ranks[i].compare(ranks[j]) < 0 {
			best[s] = i
		}
	}
	sets := make([]causeSet, 0, len(best))
	for s := range best {
		sets = append(sets, s)
	}
	slices.Sort(sets)
	for _, s := range sets {
		i := best[s]
		if shown := g.shown[s]; len(shown) == g.limit(s) && ranks[i].compare(shown[len(shown)-1].rank) >= 0 {
			continue
		}
		e, err := newExample(p, h, d, &d.asks[i])
		if err != nil {
			return err
		}
		g.insert(s, exhibit{ranks[i], e})
	}
	return nil
}

func (g *gallery) insert(s causeSet, e exhibit) {
	shown := append(g.shown[s], e)
	slices.SortStableFunc(shown, func(a, b exhibit) int { return a.rank.compare(b.rank) })
	g.shown[s] = shown[:min(len(shown), g.limit(s))]
}

// examples are all that are shown: unexplained ones first, then by the first cause.
func (g *gallery) examples() []Example {
	var sets []causeSet
	for s := range g.shown {
		sets = append(sets, s)
	}
	slices.SortFunc(sets, func(a, b causeSet) int {
		if x, y := a.has(Unexplained), b.has(Unexplained); x != y {
			if x {
				return -1
			}
			return 1
		}
		// What a single cause explains is read first.
		if x, y := a.single(), b.single(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	var examples []Example
	for _, s := range sets {
		for _, e := range g.shown[s] {
			examples = append(examples, e.example)
		}
	}
	return examples
}

// change is the greatest relative change of a feature: |a−b| / (|a|+|b|) of numbers, and 1 of whatever cannot be measured.
func (d *differences) change(a *ask) float64 {
	if a.served < 0 || a.truth < 0 {
		return 1
	}
	most := 0.0
	for c := range d.served.Columns {
		if x, y := &d.served.Columns[c], &d.truth.Columns[c]; !sameValue(x, a.served, y, a.truth) {
			most = max(most, relative(x, a.served, y, a.truth))
		}
	}
	return most
}

func relative(x *kernel.Column, i int, y *kernel.Column, j int) float64 {
	a, okA := valueOf(x, i).number()
	b, okB := valueOf(y, j).number()
	if !okA || !okB {
		return 1
	}
	r := math.Abs(a-b) / (math.Abs(a) + math.Abs(b))
	if math.IsNaN(r) {
		return 1
	}
	return min(r, 1)
}
