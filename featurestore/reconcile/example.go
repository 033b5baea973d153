package reconcile

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// Example is one difference with its proof.
type Example struct {
	Key       string          `json:"key"`
	AskTime   string          `json:"ask_time"`
	Partition *int32          `json:"partition"` // of the record behind the answer; null where there is none
	Offset    *int64          `json:"offset"`
	Revision  int32           `json:"revision"`
	Served    string          `json:"served"` // row, none or withheld
	Truth     string          `json:"truth"`  // row, none or withheld
	Causes    []Share         `json:"causes"`
	Reason    string          `json:"reason,omitempty"` // why it is unexplained
	Features  []FeatureValues `json:"features"`
	// Explaining are the events that make the difference: with exactly these undone, the served answer becomes truth's. Of a
	// minimal list none can be left out.
	Explaining []Event  `json:"explaining"`
	Further    int      `json:"further"` // events that belong to Explaining and are not listed
	Minimal    bool     `json:"minimal"`
	Timeline   Timeline `json:"timeline"`
}

// Share is what one cause does in an example.
type Share struct {
	Cause Cause `json:"cause"`
	Role  Role  `json:"role"`
	// Undone is, in the order of the features, what the answer would have been had this cause alone not acted. It is left out
	// where it is truth's.
	Undone []Value `json:"undone,omitempty"`
}

// newExample shows a difference that has been explained.
func newExample(p *prover, h *history, d *differences, a *ask) (Example, error) {
	e := Example{
		Key: string(p.key), AskTime: clock(a.at), Revision: a.revision, Reason: a.why.reason,
		Served: stateOf(a.served, a.servedAgain), Truth: stateOf(a.truth, a.truthAgain),
	}
	if a.offset >= 0 {
		e.Partition, e.Offset = &a.partition, &a.offset
	}
	for c, name := range liveNames(p.in.Plan) {
		f := FeatureValues{Name: name}
		if a.served >= 0 {
			f.Served = valueOf(&d.served.Columns[c], a.served)
		}
		if a.truth >= 0 {
			f.Other = valueOf(&d.truth.Columns[c], a.truth)
		}
		f.Equal = a.served >= 0 && a.truth >= 0 && sameValue(&d.served.Columns[c], a.served, &d.truth.Columns[c], a.truth)
		e.Features = append(e.Features, f)
	}
	for _, c := range a.why.causes.list() {
		s := Share{Cause: c, Role: Alone}
		if int(c) < eventCauses {
			s.Role = a.why.roles[c]
		}
		e.Causes = append(e.Causes, s)
	}
	if h == nil {
		return e, nil
	}
	lo, hi := h.within(a)
	// No example may use up what the others need.
	part := budget{p.show.rows / 10}
	defer func(given int64) { p.show.rows -= given - part.rows }(part.rows)
	s := &scenario{h: h, d: d, a: a, lo: lo, hi: hi, left: &part}
	explaining, err := s.fewest()
	if err != nil {
		return e, err
	}
	e.Minimal, e.Further = !s.short, max(0, len(explaining)-timelineEvents)
	if err := s.sharesOf(&e); err != nil {
		return e, err
	}
	for _, i := range explaining[:min(len(explaining), timelineEvents)] {
		e.Explaining = append(e.Explaining, s.event(i, explaining))
	}
	e.Timeline = s.timeline(&e, explaining)
	return e, nil
}

// stateOf is what a side has: a row that it gave, or what executing again says of the lack of one.
func stateOf(given int, again rowState) string {
	if given >= 0 {
		return rowStateNames[row]
	}
	if again == row {
		again = noRow // It should have one: the difference is unexplained.
	}
	return rowStateNames[again]
}

// sharesOf executes the ask with each of several causes undone alone.
func (s *scenario) sharesOf(e *Example) error {
	if len(e.Causes) < 2 {
		return nil
	}
	for i := range e.Causes {
		c := e.Causes[i].Cause
		if int(c) >= eventCauses || e.Causes[i].Role == Either || !s.left.spend(s.hi-s.lo) {
			continue
		}
		got, err := s.undone(causeSet(0).with(c))
		if err != nil {
			return err
		}
		if got.state != row {
			continue
		}
		for f := range got.rows.Columns {
			e.Causes[i].Undone = append(e.Causes[i].Undone, valueOf(&got.rows.Columns[f], 0))
		}
	}
	return nil
}

// fewest finds events that explain the difference and of which none can be left out: it starts with all those of the causes
// and leaves out halves, quarters and so on down to single events, as long as the rest still gives truth.
func (s *scenario) fewest() ([]int, error) {
	frontier := s.h.frontier(s.a)
	var all []int
	for i := s.lo; i < s.hi; i++ {
		if c, differs := s.h.events[i].causeOf(frontier); differs && s.a.why.causes.has(c) {
			all = append(all, i)
		}
	}
	if len(all) < 2 {
		return all, nil
	}
	for size := len(all) / 2; size > 0; {
		dropped := false
		for from := 0; from < len(all) && len(all) > 1; {
			rest := slices.Concat(all[:from], all[min(from+size, len(all)):])
			ok, err := s.explains(rest)
			if err != nil || s.short {
				return all, err
			}
			if ok {
				all, dropped = rest, true
			} else {
				from += size
			}
		}
		if size > 1 || !dropped {
			size /= 2
		}
	}
	return all, nil
}

// explains tells whether undoing these events, by their indices, gives truth.
func (s *scenario) explains(undone []int) (bool, error) {
	if !s.left.spend(s.hi - s.lo) {
		s.short = true
		return false, nil
	}
	frontier := s.h.frontier(s.a)
	got, err := s.h.answer(s.a, s.lo, s.hi, func(i int) bool {
		e := &s.h.events[i]
		if _, ok := slices.BinarySearch(undone, i); ok {
			return e.truth
		}
		return e.known(frontier)
	})
	return err == nil && s.d.givesTruth(s.a, got), err
}

// id is the event's, or nothing where events have none.
func (h *history) id(i int) string {
	if h.programs.plan.Source.ID < 0 {
		return ""
	}
	return h.batch.Column(h.programs.plan.Source.ID).(*array.String).Value(i)
}
