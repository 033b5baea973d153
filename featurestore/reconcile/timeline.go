package reconcile

import (
	"fmt"
	"slices"
	"time"

	"github.com/spillway-go/spillway/pipeline/window"
)

// timelineEvents is how many events a timeline shows at most.
const timelineEvents = 40

// Timeline is the events around an ask in the order of their positions, and what each side knew of them.
type Timeline struct {
	Frontier string   `json:"frontier"` // what the stream had read when it gave the answer
	Windows  []Window `json:"windows"`  // of the features that differ
	Events   []Event  `json:"events"`
	Omitted  int      `json:"omitted"` // events of the windows that are not shown

	ask int64
}

// Window is the stretch of time that features looked back on.
type Window struct {
	Features []string `json:"features"`
	Name     string   `json:"name"`
	From     string   `json:"from"` // included

	from int64
}

// Event is one event of a timeline.
type Event struct {
	ID         string `json:"id,omitempty"`
	Time       string `json:"time"`
	Partition  int32  `json:"partition"`
	Offset     int64  `json:"offset"`
	Arrival    string `json:"arrival"`              // the broker's timestamp
	Class      string `json:"class"`                // what became of it (S9)
	Behind     string `json:"behind,omitempty"`     // how far its time lay behind the watermark, as Go writes a duration
	Cause      *Cause `json:"cause"`                // why only one side knows of it; null when both do
	Stream     bool   `json:"stream"`               // the stream knew of it at the ask
	Batch      bool   `json:"batch"`                // truth counts it
	Explaining bool   `json:"explaining,omitempty"` // it is one of those that explain the difference

	at, arrival, behind int64
}

// event describes event i.
func (s *scenario) event(i int, explaining []int) Event {
	h, e := s.h, &s.h.events[i]
	frontier := h.frontier(s.a)
	out := Event{
		ID: h.id(i), Time: clock(e.at), Partition: h.partition, Offset: e.offset, Arrival: clock(e.stamp), Class: e.class.String(),
		Stream: e.known(frontier), Batch: e.truth, at: e.at, arrival: e.stamp,
	}
	if w, ok := h.classes.watermark(e.offset); ok {
		out.behind = w - e.at
		out.Behind = (time.Duration(out.behind) * time.Microsecond).String()
	}
	if c, differs := e.causeOf(frontier); differs {
		out.Cause = &c
	}
	_, out.Explaining = slices.BinarySearch(explaining, i)
	return out
}

// timeline shows the events of the widest window that differs: those that explain, and of the others the nearest to the ask.
func (s *scenario) timeline(e *Example, explaining []int) Timeline {
	t := Timeline{ask: s.a.at, Windows: s.windows(e), Frontier: s.frontierText()}
	from := s.a.at
	for _, w := range t.Windows {
		from = min(from, w.from)
	}
	show := slices.Clone(explaining[:min(len(explaining), timelineEvents*3/4)])
	for i := s.hi - 1; i >= s.lo && len(show) < timelineEvents && s.h.events[i].at >= from; i-- {
		if _, ok := slices.BinarySearch(explaining, i); !ok {
			show = append(show, i)
		}
	}
	slices.Sort(show)
	for _, i := range show {
		t.Events = append(t.Events, s.event(i, explaining))
	}
	for i := s.lo; i < s.hi; i++ {
		if _, ok := slices.BinarySearch(show, i); !ok && s.h.events[i].at >= from {
			t.Omitted++
		}
	}
	return t
}

func (s *scenario) frontierText() string {
	text := fmt.Sprintf("partition %d up to offset %d", s.h.partition, s.h.frontier(s.a)-1)
	if s.d.ticks && s.h.mark.Known {
		text += ", and the watermark stood at " + clock(s.h.mark.Watermark)
	}
	return text
}

// windows are the different windows of the features that differ, the widest first; where a side has no row, of all live
// features.
func (s *scenario) windows(e *Example) []Window {
	plan := s.h.programs.plan
	var ws []Window
	live := 0
	for i := range plan.Features {
		f := &plan.Features[i]
		if !f.Live() {
			continue
		}
		if equal := e.Features[live].Equal; !equal {
			ws = addWindow(ws, f.Name, f.Window, s.a.at)
		}
		live++
	}
	slices.SortStableFunc(ws, func(a, b Window) int { return int(min(1, max(-1, a.from-b.from))) })
	return ws
}

func addWindow(ws []Window, feature string, w window.Window, at int64) []Window {
	for i := range ws {
		if ws[i].Name == w.String() {
			ws[i].Features = append(ws[i].Features, feature)
			return ws
		}
	}
	from := w.Start(at)
	return append(ws, Window{Features: []string{feature}, Name: w.String(), From: clock(from), from: from})
}
