package kernel

import (
	"encoding/binary"

	"github.com/spillway-go/spillway/pipeline/agg"
)

// accumulator is a sum of events that can be added and taken away again, in any order, without a trace: so a window slides
// by adding what enters and taking away what leaves. Its state is words of the key's block.
type accumulator struct {
	words   int
	value   bool // it reads the row's value
	text    bool // and reads it as the number of a text
	ribbed  bool // merging costs about what adding a row does
	add     func(s *store, acc, row []uint64, c *component)
	sub     func(s *store, acc, row []uint64, c *component)
	merge   func(s *store, acc, other []uint64) // adds another accumulator: a tile
	unmerge func(s *store, acc, other []uint64)
	reset   func(s *store, acc []uint64) // empties it and gives back what it holds outside its words
	encode  func(s *store, dst []byte, acc []uint64) []byte
	decode  func(s *store, src []byte, acc []uint64) (rest []byte, bad bool) // into an empty one
}

// finish turns a feature's accumulators into its value: it appends one value to the column, or reports false when the value
// does not fit the feature's field.
type finish func(s *store, f *feature, key []uint64, c *Column) bool

// aggregate is one row of the table below: what is kept, and how it is finished.
type aggregate struct {
	parts  []part
	pick   *pickKind
	finish finish
}

// part is an accumulator of an aggregate.
type part struct {
	kind  *accumulator
	whole *accumulator // instead of kind where the argument is a whole number
	truth bool         // count only the events for which the argument is true
}

// aggregates is the table of all aggregates.
var aggregates = map[agg.Op]aggregate{
	agg.OpCount:    {parts: []part{{kind: &counting}}, finish: finishCount},
	agg.OpCountOf:  {parts: []part{{kind: &counting}}, finish: finishCount},
	agg.OpShare:    {parts: []part{{kind: &counting, truth: true}, {kind: &counting}}, finish: finishShare},
	agg.OpSum:      {parts: []part{{kind: &floatSum, whole: &wholeSum}}, finish: finishSum},
	agg.OpMean:     {parts: []part{{kind: &floatSum, whole: &wholeSum}}, finish: finishMean},
	agg.OpVar:      {parts: []part{{kind: &floatMoments, whole: &wholeMoments}}, finish: finishVariance(false, false)},
	agg.OpVarPop:   {parts: []part{{kind: &floatMoments, whole: &wholeMoments}}, finish: finishVariance(true, false)},
	agg.OpStd:      {parts: []part{{kind: &floatMoments, whole: &wholeMoments}}, finish: finishVariance(false, true)},
	agg.OpStdPop:   {parts: []part{{kind: &floatMoments, whole: &wholeMoments}}, finish: finishVariance(true, true)},
	agg.OpSlope:    {parts: []part{{kind: &floatSlope, whole: &wholeSlope}}, finish: finishSlope},
	agg.OpDistinct: {parts: []part{{kind: &distinct}}, finish: finishDistinct},
	agg.OpMin:      {pick: pickOf(pickMin), finish: finishPick},
	agg.OpMax:      {pick: pickOf(pickMax), finish: finishPick},
	agg.OpFirst:    {pick: pickOf(pickFirst), finish: finishPick},
	agg.OpLast:     {pick: pickOf(pickLast), finish: finishPick},
}

// counting counts events.
var counting = accumulator{
	words:  1,
	ribbed: true,
	add:    func(_ *store, acc, _ []uint64, _ *component) { acc[0]++ },
	sub:    func(_ *store, acc, _ []uint64, _ *component) { acc[0]-- },
	merge:  func(_ *store, acc, other []uint64) { acc[0] += other[0] },
	unmerge: func(_ *store, acc, other []uint64) {
		acc[0] -= other[0]
	},
	reset:  func(_ *store, acc []uint64) { acc[0] = 0 },
	encode: func(_ *store, dst []byte, acc []uint64) []byte { return binary.AppendUvarint(dst, acc[0]) },
	decode: func(_ *store, src []byte, acc []uint64) ([]byte, bool) {
		r := reader{b: src}
		acc[0] = r.uvarint()
		return r.b, r.bad
	},
}

func finishCount(_ *store, f *feature, key []uint64, c *Column) bool {
	return c.whole(int64(key[f.parts[0]]), f.plan)
}

func finishShare(_ *store, f *feature, key []uint64, c *Column) bool {
	of := key[f.parts[1]]
	if of == 0 {
		return c.nothing(f.plan)
	}
	// Both counts are exact as floats, so the quotient is rounded once.
	return c.float(float64(key[f.parts[0]]) / float64(of))
}
