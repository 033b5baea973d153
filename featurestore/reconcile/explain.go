package reconcile

// explanation is what is proved of one difference.
type explanation struct {
	causes      causeSet
	roles       [eventCauses]Role
	unseparated bool   // the causes act, but their shares were not told apart
	reason      string // of Unexplained
}

func because(c Cause) explanation { return explanation{causes: causeSet(0).with(c)} }

func unexplained(reason string) explanation {
	x := because(Unexplained)
	x.reason = reason
	return x
}

// budget is how many records may still be executed to tell shares apart.
type budget struct{ rows int64 }

// executionRows is what any execution costs, in records.
const executionRows = 100

// spend takes the cost of executing n records; false when nothing is left.
func (b *budget) spend(n int) bool {
	if b.rows <= 0 {
		return false
	}
	b.rows -= executionRows + int64(n)
	return true
}

// frontier is what the stream had read when it gave the answer that is compared.
func (h *history) frontier(a *ask) int64 {
	if h.programs.plan.Tick > 0 {
		return h.mark.Next
	}
	return a.offset + 1
}

// explain proves the causes of one difference, after both sides have been replayed.
func (h *history) explain(d *differences, a *ask, left *budget) (explanation, error) {
	if d.ticks && a.served < 0 && !h.mark.settled(a.at) {
		return h.explainUnsettled(d, a)
	}
	switch {
	case !a.servedHolds:
		return unexplained("what the stream knew at this ask does not give the served answer"), nil
	case !a.truthHolds:
		return unexplained("all events of the key, the first of each id, do not give truth's answer"), nil
	case a.servedAgain != row && a.truthAgain != row:
		// The sides agree that there is no answer now, but an older revision stands.
		return because(Withheld), nil
	}
	lo, hi := h.within(a)
	if a.truthAgain == withheld {
		got, err := h.answer(a, lo, hi, func(i int) bool { return h.events[i].truth })
		if err != nil {
			return explanation{}, err
		}
		if got.state == row {
			// It is a historical feature that fits no field, so truth has no row for the live ones either.
			return because(Withheld), nil
		}
	}
	present := h.causesIn(lo, hi, h.frontier(a))
	switch {
	case present == 0:
		return unexplained("both sides know of the same events"), nil
	case present.single():
		x := explanation{causes: present}
		x.roles[present.list()[0]] = Alone
		return x, nil
	}
	return h.separate(&scenario{h: h, d: d, a: a, lo: lo, hi: hi, left: left}, present)
}

// explainUnsettled proves that truth's tick is right, and only not yet the stream's to answer.
func (h *history) explainUnsettled(d *differences, a *ask) (explanation, error) {
	lo, hi := h.within(a)
	got, err := h.answer(a, lo, hi, func(i int) bool { return h.events[i].truth })
	if err != nil {
		return explanation{}, err
	}
	if !d.givesTruth(a, got) {
		return unexplained("all events of the key, the first of each id, do not give truth's answer"), nil
	}
	return because(Unsettled), nil
}

// scenario executes an ask with some causes undone.
type scenario struct {
	h      *history
	d      *differences
	a      *ask
	lo, hi int
	left   *budget
	short  bool // the budget ran out
}

// undone executes the ask as if the causes in the set had not acted.
func (s *scenario) undone(set causeSet) (answer, error) {
	frontier := s.h.frontier(s.a)
	return s.h.answer(s.a, s.lo, s.hi, func(i int) bool {
		e := &s.h.events[i]
		if c, differs := e.causeOf(frontier); differs && set.has(c) {
			return e.truth
		}
		return e.known(frontier)
	})
}

// gives tells whether undoing the causes gives truth.
func (s *scenario) gives(set causeSet) (bool, error) {
	if !s.left.spend(s.hi - s.lo) {
		s.short = true
		return false, nil
	}
	got, err := s.undone(set)
	if err != nil {
		return false, err
	}
	return s.d.givesTruth(s.a, got), nil
}

// separate finds the fewest causes that are enough: undoing these, and nothing else, gives truth. Where each of several is
// enough by itself they are all named; where only several together are, the first such group in the order of Cause.
func (h *history) separate(s *scenario, present causeSet) (explanation, error) {
	var x explanation
	for _, set := range present.subsets() {
		if x.causes != 0 && !set.single() {
			break
		}
		enough := set == present // What truth knows has been executed: undoing everything gives it.
		if !enough {
			var err error
			if enough, err = s.gives(set); err != nil {
				return explanation{}, err
			}
		}
		switch {
		case s.short:
			return together(present, true), nil
		case !enough:
		case set.single():
			x.causes |= set
		default:
			return together(set, false), nil
		}
	}
	role := Either
	if x.causes.single() {
		role = Alone
	}
	for _, c := range x.causes.list() {
		x.roles[c] = role
	}
	return x, nil
}

// together explains by causes that act jointly, or whose shares were not told apart.
func together(set causeSet, unseparated bool) explanation {
	x := explanation{causes: set, unseparated: unseparated}
	for _, c := range set.list() {
		x.roles[c] = Jointly
	}
	return x
}
