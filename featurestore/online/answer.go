package online

import (
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Answer is the features of keys at one moment. Its memory serves one Get after another; the zero Answer is ready.
type Answer struct {
	Now     int64    // the moment asked about, µs
	Origins []Origin // by key
	Run     Run      // that historical values come from
	HasRun  bool

	view       *View
	live       *kernel.Rows
	historical *kernel.Rows
	marks      []mark
	frontiers  []Frontier // that origins of keys not seen share
}

// mark is what the statuses of a key's features follow from.
type mark struct{ live, historical Status }

// Origin says what the values of one key come from.
type Origin struct {
	Seen      bool       // an event of the key has been applied
	Frontier  Frontier   // of the key's partition, which the live values are the answers at, if it has been seen
	Newest    int64      // the time of the key's newest event, µs, if it has been seen
	Frontiers []Frontier // of all partitions, if it has not
}

func (a *Answer) reset(v *View, now int64) {
	if a.view != v {
		a.view = v
		a.live, a.historical = v.live.NewRows(), v.historical.NewRows()
	}
	a.Now, a.HasRun = now, false
	a.live.Reset()
	a.historical.Reset()
	a.Origins, a.marks, a.frontiers = a.Origins[:0], a.marks[:0], a.frontiers[:0]
}

// Column is the values of feature f of the plan, one a key. It is empty for a feature that was not asked for.
func (a *Answer) Column(f int) *kernel.Column {
	place := a.view.places[f]
	if place.historical {
		return &a.historical.Columns[place.column]
	}
	return &a.live.Columns[place.column]
}

// Status is that of feature f of key i.
func (a *Answer) Status(f, i int) Status {
	s := a.marks[i].live
	if a.view.places[f].historical {
		s = a.marks[i].historical
	}
	if s == Present && !a.Column(f).Valid[i] {
		return NullValue
	}
	return s
}

// Time is what feature f of key i is as of, µs: the newest event of the key for a live feature, the run for a historical
// one. It is false when neither is known.
func (a *Answer) Time(f, i int) (micros int64, ok bool) {
	if a.view.places[f].historical {
		return a.Run.AsOf, a.HasRun
	}
	return a.Origins[i].Newest, a.Origins[i].Seen
}
