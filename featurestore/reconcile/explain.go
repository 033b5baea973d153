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
	tried  map[causeSet]bool
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
	if got, ok := s.tried[set]; ok || s.short {
		return got, nil
	}
	if !s.left.spend(s.hi - s.lo) {
		s.short = true
		return false, nil
	}
	got, err := s.undone(set)
	if err != nil {
		return false, err
	}
	if s.tried == nil {
		s.tried = map[causeSet]bool{}
	}
	s.tried[set] = s.d.givesTruth(s.a, got)
	return s.tried[set], nil
}

// separate finds which of several causes matter, and how: what is enough alone, and of the rest the fewest that are, kept
// in the order of Cause.
func (h *history) separate(s *scenario, present causeSet) (explanation, error) {
	needed, alone := present, causeSet(0)
	list := present.list()
	for i := range list {
		// The causes that are seldom are dropped first.
		c := list[len(list)-1-i]
		ok, err := s.gives(causeSet(0).with(c))
		if err != nil {
			return explanation{}, err
		}
		if ok {
			alone = alone.with(c)
		}
		if ok, err = s.gives(needed.without(c)); err != nil {
			return explanation{}, err
		}
		if ok && needed != causeSet(0).with(c) {
			needed = needed.without(c)
		}
	}
	if s.short {
		needed, alone = present, 0
	}
	x := explanation{causes: needed | alone, unseparated: s.short}
	for _, c := range x.causes.list() {
		switch {
		case !alone.has(c):
			x.roles[c] = Jointly
		case x.causes.single():
			x.roles[c] = Alone
		default:
			x.roles[c] = Either
		}
	}
	return x, nil
}
