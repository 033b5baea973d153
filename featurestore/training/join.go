package training

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Records are the history that labels are joined with.
type Records interface {
	// Sorted calls visit with the records of the source in the layout of schema.Log, sorted by (key, time, partition,
	// offset). All records of each key in keys must be among them, whenever they happened: which record of an id is the
	// first can depend on any. Records of other keys may be left out. Keys are sorted by their bytes, each once. A batch is
	// the callee's until visit returns.
	Sorted(ctx context.Context, keys [][]byte, visit func(arrow.RecordBatch) error) error
}

// Set is a training set.
type Set struct {
	Rows    int
	Asks    int                 // distinct (key, time) among the labels
	Dead    []kernel.DeadAnswer // answers that do not fit their field: the features of these asks are null
	History kernel.FoldSummary  // what became of the records
	names   []string
	cols    []column
}

// ask is a distinct key and time.
type ask struct {
	key uint32 // its place among the sorted keys
	at  int64
}

// Join joins the labels with the plan's features.
func Join(ctx context.Context, plan *pipeline.Plan, labels *Labels, history Records) (*Set, error) {
	if err := checkNames(plan, labels); err != nil {
		return nil, err
	}
	prog, err := kernel.Compile(plan, kernel.All)
	if err != nil {
		return nil, err
	}
	j := newJoiner(prog, labels)
	noTicks := func(int32) (int64, bool) { return 0, false } // a spine asks at no ticks
	fold := kernel.NewFold(prog, noTicks, j.take).Along(j.spine())
	err = history.Sorted(ctx, j.keys, func(rec arrow.RecordBatch) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return fold.Push(rec)
	})
	if err != nil {
		return nil, err
	}
	if err := fold.Close(); err != nil {
		return nil, err
	}
	j.skipTo(len(j.asks))
	set := &Set{Rows: labels.Len(), Asks: len(j.asks), Dead: fold.DeadAnswers(), History: fold.Summary()}
	set.names, set.cols = slices.Clone(labels.names), slices.Clone(labels.cols)
	for i, f := range prog.Outputs() {
		set.names = append(set.names, f.Name)
		set.cols = append(set.cols, &j.features[i])
	}
	return set, nil
}

// checkNames refuses labels with a column that has the name of a feature.
func checkNames(plan *pipeline.Plan, labels *Labels) error {
	for i := range plan.Features {
		if name := plan.Features[i].Name; slices.Contains(labels.names, name) {
			return fault.New("labels "+labels.path, fmt.Sprintf("have a column %q, which is the name of a feature of %s", name, plan.Name),
				"rename or remove the column")
		}
	}
	return nil
}

// joiner turns labels into sorted asks, and takes their answers.
type joiner struct {
	keys     [][]byte // sorted
	asks     []ask    // sorted, each once
	features []featureColumn
	taken    int // asks that have their answers
}

func newJoiner(prog *kernel.Program, l *Labels) *joiner {
	j := &joiner{features: make([]featureColumn, len(prog.Outputs()))}
	rank := j.sortKeys(l)
	order := sortLabels(l, rank)
	askOf := make([]int32, l.Len())
	for _, i := range order {
		a := ask{rank[l.key[i]], l.at[i]}
		if n := len(j.asks); n == 0 || j.asks[n-1] != a {
			j.asks = append(j.asks, a)
		}
		askOf[i] = int32(len(j.asks) - 1)
	}
	for f, out := range prog.Outputs() {
		j.features[f].values.Kind = out.Kind
		j.features[f].ask = askOf
	}
	return j
}

// sortKeys sorts the distinct keys, and gives each of the labels' its place among them.
func (j *joiner) sortKeys(l *Labels) (rank []uint32) {
	order := make([]uint32, len(l.keys))
	for i := range order {
		order[i] = uint32(i)
		j.keys = append(j.keys, []byte(l.keys[i]))
	}
	slices.SortFunc(order, func(a, b uint32) int { return bytes.Compare(j.keys[a], j.keys[b]) })
	sorted := make([][]byte, len(order))
	rank = make([]uint32, len(order))
	for place, i := range order {
		sorted[place], rank[i] = j.keys[i], uint32(place)
	}
	j.keys = sorted
	return rank
}

// sortLabels gives the labels' indexes by key and time: it counts the keys, then sorts the few labels of each.
func sortLabels(l *Labels, rank []uint32) []int32 {
	ends := make([]int32, len(rank)+1)
	for _, k := range l.key {
		ends[rank[k]+1]++
	}
	for i := range rank {
		ends[i+1] += ends[i]
	}
	order := make([]int32, l.Len())
	next := slices.Clone(ends)
	for i, k := range l.key {
		order[next[rank[k]]] = int32(i)
		next[rank[k]]++
	}
	for k := range rank {
		slices.SortFunc(order[ends[k]:ends[k+1]], func(a, b int32) int {
			switch {
			case l.at[a] < l.at[b]:
				return -1
			case l.at[a] > l.at[b]:
				return 1
			}
			return 0
		})
	}
	return order
}

func (j *joiner) spine() kernel.Spine {
	n := 0
	return func() (kernel.Ask, bool) {
		if n == len(j.asks) {
			return kernel.Ask{}, false
		}
		a := j.asks[n]
		n++
		return kernel.Ask{Key: j.keys[a.key], At: a.at}, true
	}
}

// take takes answers, which come in the order of the asks. Those that are withheld, since a value does not fit, are missing.
func (j *joiner) take(rows *kernel.Rows) error {
	for from := 0; from < rows.Len(); {
		n := j.taken
		for n < len(j.asks) && !j.answers(n, rows, from) {
			n++
		}
		if n == len(j.asks) {
			return fmt.Errorf("training: an answer for key %q at %d that nobody asked for", rows.Keys.At(from), rows.AskTime[from])
		}
		j.skipTo(n)
		to := from + 1
		for n++; to < rows.Len() && n < len(j.asks) && j.answers(n, rows, to); n++ {
			to++
		}
		for f := range j.features {
			j.features[f].take(&rows.Columns[f], from, to)
		}
		j.taken, from = n, to
	}
	return nil
}

// answers tells whether row i is the answer to ask n.
func (j *joiner) answers(n int, rows *kernel.Rows, i int) bool {
	return j.asks[n].at == rows.AskTime[i] && bytes.Equal(j.keys[j.asks[n].key], rows.Keys.At(i))
}

// skipTo gives nulls to the asks before n that have no answer.
func (j *joiner) skipTo(n int) {
	for ; j.taken < n; j.taken++ {
		for f := range j.features {
			j.features[f].takeNull()
		}
	}
}
