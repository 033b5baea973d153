package reconcile

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// TestNaive holds every cause against an attribution by the oracle, which knows neither the kernel nor this package: it
// executes each ask that the readings answer differently with every group of causes undone, over all events of the key.
func TestNaive(t *testing.T) {
	var roles [causes]map[Role]int
	for c := range roles {
		roles[c] = map[Role]int{}
	}
	for seed := range uint64(seeds()) {
		r := rand.New(rand.NewPCG(seed, 9))
		p := hostile.Plan(r)
		w := newWorld(t, planOf(t, &p), p.Bind(hostile.Log(r, &p, hostile.Options{Records: 80})))
		naive := newNaive(w)
		got := proofs(t, w)
		for ask, want := range naive.differences() {
			x, ok := got[ask]
			if !ok {
				t.Fatalf("seed %d: %+v differs, and was not found to\n%s", seed, ask, p.String())
			}
			delete(got, ask)
			for _, c := range x.causes.list() {
				roles[c][x.role(c)]++
			}
			if said := describe(&x); said != want {
				t.Fatalf("seed %d: %+v: got %s, and naively it is %s\n%s", seed, ask, said, want, p.String())
			}
		}
		for ask := range got {
			t.Fatalf("seed %d: %+v does not differ, and was found to\n%s", seed, ask, p.String())
		}
	}
	t.Log(roles)
	if testing.Short() {
		return
	}
	for _, c := range []Cause{Late, ArrivedLater, TooLate, ForgottenDuplicate} {
		for _, role := range []Role{Alone, Jointly} {
			if roles[c][role] == 0 {
				t.Errorf("no %s was a cause %s: the logs do not try it", c, role)
			}
		}
	}
}

// asked names an ask.
type asked struct {
	key        string
	at, offset int64 // of a tick the offset is -1
}

// proofs are the explanations of all differences.
func proofs(t *testing.T, w *world) map[asked]explanation {
	t.Helper()
	in := w.input()
	c := newTally(w.plan)
	if err := walk(t.Context(), in, c); err != nil {
		t.Fatal(err)
	}
	found := map[asked]explanation{}
	if len(c.keys) == 0 {
		return found
	}
	p, err := newProver(t.Context(), in, Options{}.withDefaults(), c.worst(0))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	o := &onlooker{prover: p}
	if err := walk(t.Context(), in, o); err != nil {
		t.Fatal(err)
	}
	for _, d := range o.seen {
		for _, a := range d.asks {
			offset := a.offset
			if w.plan.Tick > 0 {
				offset = -1
			}
			found[asked{d.key, a.at, offset}] = a.why
		}
	}
	return found
}

// onlooker keeps what the prover finds.
type onlooker struct {
	*prover
	seen []keyed
}

type keyed struct {
	key string
	*differences
}

func (o *onlooker) begin(key []byte) error {
	err := o.prover.begin(bytes.Clone(key))
	if o.open != nil { // The key has differences.
		o.seen = append(o.seen, keyed{string(key), o.open})
	}
	return err
}

// role is how cause c takes part.
func (x *explanation) role(c Cause) Role {
	if int(c) >= eventCauses {
		return Alone
	}
	return x.roles[c]
}

func describe(x *explanation) string {
	s := ""
	for _, c := range x.causes.list() {
		s += fmt.Sprintf("%s %s ", c, x.role(c))
	}
	return s
}

// naive is the log as the oracle has it.
type naive struct {
	*world
	oracle *pipelinetest.Oracle
	live   []int // among the values of a row of truth
}

func newNaive(w *world) *naive {
	n := &naive{world: w, oracle: pipelinetest.NewOracle(w.plan, w.log)}
	for i, f := range pipelinetest.Truth.Features(w.plan) {
		if w.plan.Features[f].Live() {
			n.live = append(n.live, i)
		}
	}
	return n
}

// answered is what a reading has for an ask: the text of its live values, "" where there is no row.
type answered struct {
	text    string
	offset  int64 // of the record behind a row as served
	newest  string
	history bool // only a historical feature does not fit
}

// differences are the asks that the two readings answer differently, and what they are due to.
func (n *naive) differences() map[asked]string {
	served, truth := map[asked]answered{}, map[asked]answered{}
	for _, row := range n.oracle.Answer(pipelinetest.AsServed, nil) {
		ask := n.asked(&row)
		text, _ := n.text(row.Values)
		a := served[ask]
		if text != "" {
			a.text, a.offset = text, row.Offset
		}
		a.newest = text
		served[ask] = a
	}
	for _, row := range n.oracle.Answer(pipelinetest.Truth, nil) {
		text, _ := n.text(n.liveOf(row.Values))
		a := answered{text: text, newest: text}
		if row.Dead && text != "" {
			a = answered{history: true}
		}
		truth[n.asked(&row)] = a
	}
	found := map[asked]string{}
	for ask, a := range served {
		if a.text != truth[ask].text {
			found[ask] = n.attribute(ask, a, truth[ask])
		}
	}
	for ask, b := range truth {
		if b.text != served[ask].text {
			found[ask] = n.attribute(ask, served[ask], b)
		}
	}
	return found
}

func (n *naive) asked(row *pipelinetest.Row) asked {
	if n.plan.Tick > 0 {
		return asked{row.Key, row.AskTime, -1}
	}
	return asked{row.Key, row.AskTime, row.Offset}
}

func (n *naive) liveOf(values []expr.Datum) []expr.Datum {
	var live []expr.Datum
	for _, i := range n.live {
		live = append(live, values[i])
	}
	return live
}

// text writes live values; "" when one does not fit its field.
func (n *naive) text(values []expr.Datum) (text string, fits bool) {
	text = "row "
	for _, v := range values {
		if v.Null && v.S != "" {
			return "", false
		}
		text += fmt.Sprintf("%v %d %x %q;", v.Null, v.I, math.Float64bits(v.F), v.S)
	}
	return text, true
}

// attribute finds the fewest causes that are enough.
func (n *naive) attribute(ask asked, served, truth answered) string {
	if truth.history || served.newest == "" && truth.text == "" {
		return describe(&explanation{causes: causeSet(0).with(Withheld)})
	}
	why := n.causes(ask)
	var present causeSet
	for _, c := range why {
		present = present.with(c)
	}
	best := explanation{causes: present}
	size := eventCauses + 1
	for set := causeSet(1); set < 1<<eventCauses; set++ {
		k := len(set.list())
		if set&^present != 0 || k > size || n.undone(ask, why, set) != truth.text {
			continue
		}
		switch {
		case k < size:
			best, size = explanation{causes: set}, k
		case k == 1:
			best.causes |= set
		case slices.Compare(set.list(), best.causes.list()) < 0:
			best.causes = set
		}
	}
	for _, c := range best.causes.list() {
		switch {
		case size > 1:
			best.roles[c] = Jointly
		case best.causes.single():
			best.roles[c] = Alone
		default:
			best.roles[c] = Either
		}
	}
	return describe(&best)
}

// causes are those of the key's events that only one reading knows of, anywhere before the ask, by offset.
func (n *naive) causes(ask asked) map[int64]Cause {
	why := map[int64]Cause{}
	known, counted := n.knows(ask), n.counts(ask)
	for offset, e := range counted {
		if known[offset] == nil {
			why[offset] = map[pipelinetest.Class]Cause{
				pipelinetest.Late: Late, pipelinetest.OnTime: ArrivedLater, pipelinetest.TooLate: TooLate,
			}[e.Class]
		}
	}
	for offset := range known {
		if counted[offset] == nil {
			why[offset] = ForgottenDuplicate
		}
	}
	return why
}

// knows are the events that the stream knew of, and counts those of truth.
func (n *naive) knows(ask asked) map[int64]*pipelinetest.Event {
	frontier := ask.offset
	if n.plan.Tick > 0 {
		frontier = math.MaxInt64
	}
	return byOffset(n.oracle.Before(pipelinetest.AsServed, &pipelinetest.Row{Key: ask.key, AskTime: math.MaxInt64, Offset: frontier}))
}

func (n *naive) counts(ask asked) map[int64]*pipelinetest.Event {
	return byOffset(n.oracle.Before(pipelinetest.Truth, &pipelinetest.Row{Key: ask.key, AskTime: math.MaxInt64, Offset: math.MaxInt64}))
}

func byOffset(events []*pipelinetest.Event) map[int64]*pipelinetest.Event {
	m := map[int64]*pipelinetest.Event{}
	for _, e := range events {
		m[e.Offset] = e
	}
	return m
}

// undone answers the ask as if the causes in the set had not acted: it is truth of a log of just those events, each with an
// id of its own, and one that lifts the watermark over a tick.
func (n *naive) undone(ask asked, why map[int64]Cause, set causeSet) string {
	known, counted := n.knows(ask), n.counts(ask)
	var log pipelinetest.Log
	for i := range n.log {
		r := n.log[i]
		in := known[r.Offset] != nil && n.same(known[r.Offset], &r)
		if c, differs := why[r.Offset]; differs && set.has(c) {
			in = counted[r.Offset] != nil && n.same(counted[r.Offset], &r)
		}
		if in {
			log = append(log, n.renamed(r, ask.key))
		}
	}
	if len(log) == 0 {
		return ""
	}
	if n.plan.Tick > 0 {
		lift := n.renamed(log[len(log)-1], ask.key+"'")
		lift.Offset++
		at := ask.at + n.plan.Source.OutOfOrder
		lift.Values[n.plan.Source.Time], lift.Stamp = expr.Datum{I: at}, max(0, at/1000*1000+1000)
		log = append(log, lift)
	}
	for _, row := range pipelinetest.NewOracle(n.plan, log).Answer(pipelinetest.Truth, nil) {
		if n.asked(&row) == ask {
			text, _ := n.text(n.liveOf(row.Values))
			return text
		}
	}
	return ""
}

// same tells an event's record from one of another partition at the same offset.
func (n *naive) same(e *pipelinetest.Event, r *pipelinetest.Record) bool {
	return e.Partition == r.Partition
}

// renamed gives the record an id that no other has, and the key.
func (n *naive) renamed(r pipelinetest.Record, key string) pipelinetest.Record {
	r.Values = slices.Clone(r.Values)
	r.Values[n.plan.Source.Key] = expr.Datum{S: key}
	if id := n.plan.Source.ID; id >= 0 {
		r.Values[id] = expr.Datum{S: fmt.Sprint("only ", r.Offset, key)}
	}
	return r
}
