package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/spillway-go/spillway/internal/fault"
)

// prover collects the differences of one key after the other and proves their causes: a visitor.
type prover struct {
	ctx      context.Context
	in       *Input
	programs *programs
	examine  map[string]bool // the keys; others are passed over
	records  *records
	classes  map[int32]*classes
	left     budget // to tell shares apart
	show     budget // to find the fewest events of examples

	key   []byte
	open  *differences // of the key, nil when it is passed over
	acted causeSet     // in the key's differences

	counts      [causes]CauseCount
	unseparated int64
	examined    int64
	causes      map[string]causeSet // by key
	gallery     *gallery
}

func newProver(ctx context.Context, in *Input, o Options, keys []keyTally) (*prover, error) {
	p := &prover{
		ctx: ctx, in: in, examine: map[string]bool{}, classes: map[int32]*classes{}, left: budget{o.ShareRows}, show: budget{o.ShareRows / 2},
		causes: map[string]causeSet{}, gallery: newGallery(in.Plan, o),
	}
	for c := range causes {
		p.counts[c].Cause = c
	}
	var err error
	if p.programs, err = newPrograms(in.Plan); err != nil {
		return nil, err
	}
	var wanted [][]byte
	for _, k := range keys {
		p.examine[string(k.key)] = true
		wanted = append(wanted, k.key)
	}
	slices.SortFunc(wanted, bytes.Compare)
	p.records, err = openRecords(ctx, in, wanted)
	return p, err
}

// classesOf reads a partition the first time that it is asked for.
func (p *prover) classesOf(partition int32) (*classes, error) {
	if c := p.classes[partition]; c != nil {
		return c, nil
	}
	mark, ok := p.in.Served.Frontier[partition]
	if !ok {
		return nil, fault.New("the log", fmt.Sprintf("gives records of partition %d, which the frontier does not name", partition),
			"read it at the snapshot of the other sides")
	}
	c, err := classify(p.ctx, p.in.Plan, p.in.Log, partition, mark)
	if err != nil {
		return nil, err
	}
	p.classes[partition] = c
	return c, nil
}

// sides finds out whether truth's rows have all features: one that does not fit its field withholds the whole row.
func (p *prover) sides(m *merge) {
	sc := m.b.reader.Schema()
	for i := range p.in.Plan.Features {
		if !sc.HasField(p.in.Plan.Features[i].Name) {
			return
		}
	}
	p.programs.truth = p.programs.all
}

func (p *prover) begin(key []byte) error {
	if err := p.prove(); err != nil {
		return err
	}
	p.key = append(p.key[:0], key...)
	if p.examine[string(key)] {
		p.open = &differences{ticks: p.in.Plan.Tick > 0, served: p.programs.fold.NewRows(), truth: p.programs.fold.NewRows()}
	}
	return nil
}

func (p *prover) agree() {}

func (p *prover) differ(served *page, i int, truth *page, j int) {
	d := p.open
	if d == nil {
		return
	}
	a := ask{served: -1, truth: -1}
	if truth != nil {
		a.at, a.partition, a.offset = truth.ask[j], truth.partition[j], truth.offset[j]
		a.truth = d.truth.Len()
		truth.appendTo(d.truth, j)
	}
	if served != nil {
		a.at, a.partition, a.offset, a.revision = served.ask[i], served.partition[i], served.offset[i], served.revision[i]
		a.served = d.served.Len()
		served.appendTo(d.served, i)
	}
	d.asks = append(d.asks, a)
}

func (p *prover) end() error { return p.prove() }

// prove explains the differences of the open key.
func (p *prover) prove() error {
	d := p.open
	p.open = nil
	if d == nil || len(d.asks) == 0 {
		return nil
	}
	p.acted = 0
	defer func() { p.causes[string(p.key)] = p.acted }()
	arrived, err := p.records.of(p.key)
	if err != nil {
		return err
	}
	if len(arrived) == 0 {
		for i := range d.asks {
			p.count(&d.asks[i], unexplained("the log has no records of the key"))
		}
		return p.gallery.show(p, nil, d)
	}
	h, err := newHistory(p.programs, arrived, p.in.Served.Frontier, p.classesOf)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.replayServed(d); err != nil {
		return err
	}
	if err := h.replayTruth(d); err != nil {
		return err
	}
	for i := range d.asks {
		x, err := h.explain(d, &d.asks[i], &p.left)
		if err != nil {
			return err
		}
		p.count(&d.asks[i], x)
	}
	return p.gallery.show(p, h, d)
}

// count enters an explanation.
func (p *prover) count(a *ask, x explanation) {
	a.why = x
	p.examined++
	p.acted |= x.causes
	if x.unseparated {
		p.unseparated++
	}
	for _, c := range x.causes.list() {
		n := &p.counts[c]
		n.Differences++
		role := Alone
		if int(c) < eventCauses {
			role = x.roles[c]
		}
		switch role {
		case Alone:
			n.Alone++
		case Either:
			n.Either++
		default:
			n.Jointly++
		}
	}
}

func (p *prover) close() { p.records.close() }
