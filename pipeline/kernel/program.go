package kernel

import (
	"fmt"
	"math"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Program is a plan compiled for the kernel. It is read-only and may be shared by tasks.
type Program struct {
	plan     *pipeline.Plan
	features []feature
	outputs  []pipeline.FeaturePlan // the features that are computed, in the plan's order
	steps    *steps
	where    int // register of the pipeline's Where, or -1

	// A row of a key's log is its time, then bits that say for which selections it counts, then values.
	selections []selection
	values     []value
	bitWords   int
	rowWords   int

	windows  []windowProgram
	tilings  []tiling
	picks    []pick
	keyWords int // of the block that holds a key's cursors and accumulators
	treesAt  int // in that block: one tree for each pick

	sums sums // what slices hold
	ribs ribs

	textWords []int // the words of a row that hold texts' numbers, or noText

	raw     int64 // how far behind an ask raw rows are needed, µs
	longest int64 // how far back any window computed here looks from an ask, tiles included, µs
}

// noText is the word of a null text.
const noText = 1<<64 - 1

// selection is the events that an aggregate takes: those whose argument is there (and true, for the numerator of a share)
// and whose Where is true. It is one bit of a row.
type selection struct {
	arg, where int // registers, or -1
	truth      bool
}

// value is one word of a row: a float's bits, a whole number, a time, or the number of a text.
type value struct {
	reg  int
	kind schema.Kind
	text bool // the word is the number of a text in the store; other kinds than Text are interned by their eight bytes
}

// windowProgram is one window and what is accumulated over it.
type windowProgram struct {
	length, tile int64
	at           int // of its cursor in the key's block
	parts        []component
	tiling       int // -1: none
}

// component is one accumulator of a window.
type component struct {
	kind  *accumulator
	sel   int // selection; -1: every event
	value int // word of the row; 0: none
	at    int // in the key's block
	tile  int // in a tile's row
	sum   int // among a slice's sums
	rib   int // among the sums of a rib, or -1
}

// feature is how one output is finished.
type feature struct {
	window int
	parts  [2]int // places of its accumulators in the key's block
	pick   int    // -1: none
	finish finish
	plan   *pipeline.FeaturePlan
}

// Which says which features are computed.
type Which func(*pipeline.FeaturePlan) bool

// Live selects what the stream computes.
func Live(f *pipeline.FeaturePlan) bool { return !f.Historical }

// All selects every feature.
func All(*pipeline.FeaturePlan) bool { return true }

// Compile prepares a plan. Only the features that which selects are computed; the others still say where rows stand.
func Compile(plan *pipeline.Plan, which Which) (*Program, error) {
	names := func(c int) string { return plan.Source.Schema.Fields[c].Name }
	p := &Program{plan: plan, steps: newSteps(names)}
	s := &plan.Source
	for _, c := range []int{s.Key, s.Time, s.ID} {
		if c >= 0 {
			p.column(c)
		}
	}
	p.where = p.steps.add(plan.Where)
	for i := range plan.Features {
		f := &plan.Features[i]
		// An expression that overflows makes its record invalid whoever computes the feature, so every engine evaluates all.
		p.steps.add(f.Agg.Arg)
		p.steps.add(f.Agg.Where)
	}
	for i := range plan.Features {
		f := &plan.Features[i]
		if !which(f) {
			continue
		}
		if err := p.compile(f); err != nil {
			return nil, err
		}
		p.outputs = append(p.outputs, *f)
	}
	p.layout()
	return p, nil
}

// Outputs are the features that the program computes.
func (p *Program) Outputs() []pipeline.FeaturePlan { return p.outputs }

// Plan is the plan that was compiled.
func (p *Program) Plan() *pipeline.Plan { return p.plan }

// NewRows makes empty rows for the program's answers.
func (p *Program) NewRows() *Rows { return newRows(p.outputs) }

func (p *Program) compile(f *pipeline.FeaturePlan) error {
	a, ok := aggregates[f.Agg.Op]
	if !ok {
		return fmt.Errorf("kernel: feature %q: aggregate %q is unknown", f.Name, f.Agg.Op)
	}
	w := p.window(f.Window.Micros(), f.Window.TileMicros())
	out := feature{window: w, pick: -1, finish: a.finish, plan: f}
	arg, where := p.steps.add(f.Agg.Arg), p.steps.add(f.Agg.Where)
	if a.pick != nil {
		out.pick = p.pick(*a.pick, p.selection(arg, where, false), p.value(arg, f.Agg.Arg.Kind, f.Agg.Arg.Kind == schema.Text), f.Agg.Arg.Kind)
	}
	for i, part := range a.parts {
		sel, val := -1, 0
		if arg >= 0 || where >= 0 {
			sel = p.selection(arg, where, part.truth)
		}
		kind := part.kind
		if part.whole != nil && f.Agg.Arg.Kind == schema.Int {
			kind = part.whole
		}
		if kind.value {
			val = p.value(arg, f.Agg.Arg.Kind, kind.text)
		}
		out.parts[i] = p.component(w, kind, sel, val)
	}
	p.features = append(p.features, out)
	return nil
}

func (p *Program) selection(arg, where int, truth bool) int {
	s := selection{arg, where, truth}
	for i, o := range p.selections {
		if o == s {
			return i
		}
	}
	p.selections = append(p.selections, s)
	return len(p.selections) - 1
}

// value gives the index of the value + 1; layout turns it into the word of the row.
func (p *Program) value(reg int, kind schema.Kind, text bool) int {
	v := value{reg, kind, text}
	for i, o := range p.values {
		if o == v {
			return i + 1
		}
	}
	p.values = append(p.values, v)
	return len(p.values)
}

func (p *Program) window(length, tile int64) int {
	for i := range p.windows {
		if w := &p.windows[i]; w.length == length && w.tile == tile {
			return i
		}
	}
	w := windowProgram{length: length, tile: tile, tiling: -1}
	if tile > 0 {
		w.tiling = p.tiling(tile)
	}
	p.windows = append(p.windows, w)
	return len(p.windows) - 1
}

// component gives the index of the accumulator within its window; layout turns it into a place.
func (p *Program) component(window int, kind *accumulator, sel, val int) int {
	w := &p.windows[window]
	for i, c := range w.parts {
		if c.kind == kind && c.sel == sel && c.value == val {
			return i
		}
	}
	w.parts = append(w.parts, component{kind: kind, sel: sel, value: val})
	return len(w.parts) - 1
}

func (p *Program) pick(kind pickKind, sel, val int, k schema.Kind) int {
	want := pick{kind: kind, sel: sel, value: val, of: k}
	for i, o := range p.picks {
		if o.kind == kind && o.sel == sel && o.value == val {
			return i
		}
	}
	p.picks = append(p.picks, want)
	return len(p.picks) - 1
}

// layout gives every word its place, once all features are known.
func (p *Program) layout() {
	p.bitWords = (len(p.selections) + 63) / 64
	first := 1 + p.bitWords
	p.rowWords = first + len(p.values)
	place := func(v int) int {
		if v == 0 {
			return 0
		}
		return first + v - 1
	}
	at := 0
	for i := range p.windows {
		w := &p.windows[i]
		w.at = at
		at += cursorWords
		for j := range w.parts {
			c := &w.parts[j]
			c.at, c.value = at, place(c.value)
			c.sum = p.sums.place(c)
			c.rib = p.ribs.place(c)
			at += c.kind.words
		}
		if w.tile == 0 {
			p.raw = max(p.raw, w.length)
		}
		p.longest = max(p.longest, w.length+w.tile)
	}
	// The closing row of a tick asks where the tick before stood.
	p.raw += p.plan.Tick
	for i := range p.picks {
		p.picks[i].value = place(p.picks[i].value)
	}
	for i, v := range p.values {
		if v.text {
			p.textWords = append(p.textWords, first+i)
		}
	}
	p.treesAt = at
	at += len(p.picks)
	p.ribs.at = at
	at++
	for i := range p.features {
		f := &p.features[i]
		for j, part := range f.parts {
			if f.pick < 0 && part < len(p.windows[f.window].parts) {
				f.parts[j] = p.windows[f.window].parts[part].at
			}
		}
	}
	at = p.layoutTiles(at)
	p.keyWords = at
}

// start is the window's lower bound for an ask at t.
func (w *windowProgram) start(t int64) int64 {
	s := saturatingSub(t, w.length)
	if w.tile > 0 {
		s = floorTo(s, w.tile)
	}
	return s
}

func saturatingSub(a, b int64) int64 {
	if a < math.MinInt64+b {
		return math.MinInt64
	}
	return a - b
}
