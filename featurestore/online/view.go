package online

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// View answers for the features of one plan from a store, as of any moment. It may be used by any number of goroutines.
type View struct {
	store      Store
	space      Space
	plan       *pipeline.Plan
	live       *kernel.Program
	historical *kernel.Program
	places     []place      // of the plan's features
	nothing    *kernel.Rows // one row: the historical features of a key without events
	maxAge     int64        // µs; 0: any
	askers     sync.Pool    // of *asker
}

// place is where a feature's values stand.
type place struct {
	historical bool
	column     int
}

// asker is the memory of one Get for its live features.
type asker struct {
	kernel *kernel.Asker
	rows   [][]byte
	starts []int64
}

// ViewOptions say how a view judges what it finds.
type ViewOptions struct {
	// MaxAge is how old, at the moment asked about, a historical value may be before its status is OutsideMaxAge. Its age
	// is counted from the moment that its run is as of. 0 is any age.
	MaxAge time.Duration
}

// NewView makes a view of the plan's values in the store.
func NewView(store Store, plan *pipeline.Plan, o ViewOptions) (*View, error) {
	live, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		return nil, err
	}
	historical, err := kernel.Compile(plan, Historical)
	if err != nil {
		return nil, err
	}
	v := &View{store: store, space: SpaceOf(live), plan: plan, live: live, historical: historical, maxAge: o.MaxAge.Microseconds()}
	var next [2]int
	for i := range plan.Features {
		n := &next[0]
		if plan.Features[i].Historical {
			n = &next[1]
		}
		v.places = append(v.places, place{plan.Features[i].Historical, *n})
		*n++
	}
	v.nothing = historical.NewRows()
	if err := kernel.NewAsker(historical).Ask(nil, 0, 0, nil, nil, v.nothing); err != nil {
		return nil, err
	}
	if v.nothing.Len() == 0 {
		return nil, fmt.Errorf("online: the historical features of %s have no values of nothing", plan.Name)
	}
	v.askers.New = func() any { return &asker{kernel: kernel.NewAsker(live)} }
	return v, nil
}

// Historical selects the features that batch runs compute.
func Historical(f *pipeline.FeaturePlan) bool { return f.Historical }

// Plan is the plan whose features the view answers for.
func (v *View) Plan() *pipeline.Plan { return v.plan }

// BehindError is an ask about a moment that the store does not answer for any more.
type BehindError struct {
	Key           string
	Now, Earliest int64 // µs
}

// Error implements error.
func (e *BehindError) Error() string {
	at := func(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }
	return fmt.Sprintf("an ask at %s for key %q: the store answers from %s on, which is the watermark less the allowed lateness and Ahead",
		at(e.Now), e.Key, at(e.Earliest))
}

// Get answers for the keys at now, in µs: before every event at that time (S2). Features are indexes of the plan's; nil is
// all of them. Live features are the answers of what has been applied, at the frontier in the key's Origin; historical ones
// are the values of the newest run published, whatever now is.
//
// Now may lie in the past, as far back as W − Lateness − Ahead, W being the watermark in the Origin; what has arrived late
// since then is in the answer. An ask before that is a *BehindError: slices that it would need may be gone.
func (v *View) Get(ctx context.Context, keys [][]byte, features []int, now int64, a *Answer) error {
	a.reset(v, now)
	q := Query{Keys: keys, From: firstSlice(v.live, now), To: now}
	q.Live, q.Values = v.layers(features)
	k := v.askers.Get().(*asker)
	defer v.askers.Put(k)
	return v.store.Read(ctx, v.space, &q, func(i int, e *Entry) error {
		m := mark{Present, Present}
		var err error
		if q.Live {
			if m.live, err = v.askLive(k, keys[i], e, a); err != nil {
				return err
			}
		}
		if q.Values {
			if m.historical, err = v.takeHistorical(e, a); err != nil {
				return fmt.Errorf("key %q: %w", keys[i], err)
			}
		}
		a.marks = append(a.marks, m)
		return nil
	})
}

// layers tells which kinds of features are among those asked for.
func (v *View) layers(features []int) (live, historical bool) {
	if features == nil {
		return len(v.live.Outputs()) > 0, len(v.historical.Outputs()) > 0
	}
	for _, f := range features {
		if v.places[f].historical {
			historical = true
		} else {
			live = true
		}
	}
	return live, historical
}

// askLive computes the live features from the entry's slices.
func (v *View) askLive(k *asker, key []byte, e *Entry, a *Answer) (Status, error) {
	o := Origin{Seen: e.Seen, Frontier: e.Frontier, Newest: e.Newest}
	status := Present
	if !e.Seen {
		if len(a.frontiers) == 0 {
			a.frontiers = append(a.frontiers, e.Frontiers...)
		}
		o.Frontiers = a.frontiers
		status = NotFound
	} else if w := e.Frontier.Watermark; w != NoTime && a.Now < earliestAsk(v.live, w) {
		return 0, &BehindError{string(key), a.Now, earliestAsk(v.live, w)}
	}
	a.Origins = append(a.Origins, o)
	k.rows, k.starts = k.rows[:0], k.starts[:0]
	for i := range e.Slices {
		k.rows = append(k.rows, e.Slices[i].Rows)
		k.starts = append(k.starts, e.Slices[i].Start)
	}
	n := a.live.Len()
	if err := k.kernel.Ask(key, a.Now, e.Frontier.Next-1, k.rows, k.starts, a.live); err != nil {
		return 0, fmt.Errorf("key %q: %w", key, err)
	}
	if a.live.Len() > n {
		return status, nil
	}
	// The kernel withholds a row that holds a value that does not fit.
	a.live.Keys.Append(key)
	a.live.AskTime = append(a.live.AskTime, a.Now)
	a.live.Partition = append(a.live.Partition, e.Frontier.Partition)
	a.live.Offset = append(a.live.Offset, e.Frontier.Next-1)
	a.live.Revision = append(a.live.Revision, 0)
	for c := range a.live.Columns {
		a.live.Columns[c].Append(null)
	}
	return Invalid, nil
}

// takeHistorical decodes the historical features of the run that stands. Without a run they are null; a key that the run
// has no values of had no events in any window.
func (v *View) takeHistorical(e *Entry, a *Answer) (Status, error) {
	columns := a.historical.Columns
	if e.Run == nil {
		for c := range columns {
			columns[c].Append(null)
		}
		return NotFound, nil
	}
	if !a.HasRun {
		a.Run, a.HasRun = *e.Run, true
	}
	status := Present
	if v.maxAge > 0 && a.Now-e.Run.AsOf > v.maxAge {
		status = OutsideMaxAge
	}
	if !e.HasValues {
		for c := range columns {
			copyValue(&columns[c], &v.nothing.Columns[c], 0)
		}
		return NotFound, nil
	}
	return status, decodeValues(e.Values, columns)
}
