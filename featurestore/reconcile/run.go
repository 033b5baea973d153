package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// worstKeys is how many keys the report names.
const worstKeys = 20

// Run compares. It always gives a report; the error is why its outcome is Trouble, and nil otherwise.
func Run(ctx context.Context, in *Input, o Options) (*Report, error) {
	o = o.withDefaults()
	r := newReport(in)
	if refusal := refuse(in); refusal != "" {
		r.conclude(o, refusal)
		return r, nil
	}
	if err := r.compare(ctx, in, o); err != nil {
		r.Verdict = Verdict{
			Outcome: Trouble, ExitCode: Trouble.ExitCode(), Reasons: []string{err.Error()},
			Sentence: "The comparison could not be carried out.",
		}
		return r, err
	}
	r.conclude(o, "")
	return r, nil
}

func newReport(in *Input) *Report {
	s := &in.Plan.Source
	r := &Report{
		Version: ReportVersion, Pipeline: in.Plan.Name, PlanHash: in.Plan.Hash(), Snapshot: in.Snapshot, At: in.At.UTC(),
		plan: planFacts{grain: "every event", source: s.Name, disorder: lapseOf(s.OutOfOrder), lateness: lapseOf(s.Lateness)},
	}
	if in.Plan.Tick > 0 {
		r.plan.grain = "every " + lapseOf(in.Plan.Tick)
	}
	for _, p := range slices.Sorted(maps.Keys(in.Served.Frontier)) {
		m := in.Served.Frontier[p]
		f := PartitionFrontier{Partition: p, Next: m.Next}
		if m.Known {
			w := clock(m.Watermark)
			f.Watermark = &w
		}
		r.Frontier = append(r.Frontier, f)
	}
	return r
}

func lapseOf(micros int64) string { return lapse(time.Duration(micros) * time.Microsecond) }

// refuse says why the sides cannot be compared, or nothing.
func refuse(in *Input) string {
	for _, name := range sideNames {
		s := in.side(name)
		if s.PlanHash != in.Plan.Hash() {
			return fmt.Sprintf("the %s rows are of plan %.12s, and this is plan %.12s: compare rows of one definition",
				name, s.PlanHash, in.Plan.Hash())
		}
		if where := in.Served.Frontier.differs(s.Frontier); where != "" {
			return fmt.Sprintf("the as-served and the %s rows end at different frontiers: %s; compare at one", name, where)
		}
	}
	return ""
}

// compare fills the report: the identity first, then what lateness cost, then its causes.
func (r *Report) compare(ctx context.Context, in *Input, o Options) error {
	var err error
	if r.Identity, err = identity(ctx, in); err != nil {
		return err
	}
	r.cover(in)
	t := newTally(in.Plan)
	if err := walk(ctx, in, t); err != nil {
		return err
	}
	r.Lateness, r.Features = t.lateness, t.features
	found := map[int32]*classes{}
	if len(t.keys) > 0 {
		p, err := r.prove(ctx, in, o, t)
		if err != nil {
			return err
		}
		found = p.classes
	}
	r.account(in, found)
	return nil
}

// cover finds the share of the answers that were compared.
func (r *Report) cover(in *Input) {
	id := &r.Identity
	should := max(id.StreamRows, id.ServedRows)
	if in.Plan.Tick == 0 && in.Served.Accounts != nil {
		for _, a := range in.Served.Accounts {
			id.Expected += a.Counts[kernel.Late] + a.Counts[kernel.OnTime]
		}
		id.Expected -= in.Served.Withheld
		should = max(should, id.Expected)
		r.surplus = id.ServedRows - id.Expected
	}
	if should > 0 {
		id.Coverage = float64(id.Compared) / float64(should)
	}
}

// prove executes the keys with differences again.
func (r *Report) prove(ctx context.Context, in *Input, o Options, t *tally) (*prover, error) {
	keys := t.worst(o.MaxKeys)
	p, err := newProver(ctx, in, o, keys)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := walk(ctx, in, p); err != nil {
		return nil, err
	}
	r.Lateness.Examined = p.examined
	r.Unproved = Unproved{
		Keys: int64(len(t.keys) - len(keys)), Differences: r.Lateness.Differences() - p.examined, Unseparated: p.unseparated,
	}
	p.counts[NotExamined].Differences = r.Unproved.Differences
	for _, c := range p.counts {
		if c.Differences > 0 {
			r.Causes = append(r.Causes, c)
		}
	}
	for _, k := range t.worst(worstKeys) {
		s, examined := p.causes[string(k.key)]
		r.WorstKeys = append(r.WorstKeys, KeyCost{
			Key: string(k.key), Answers: k.answers, Differences: k.differences, Examined: examined, Causes: s.list(),
		})
	}
	r.Examples = p.gallery.examples()
	return p, nil
}

// account takes over the accounting, and holds the sides' accounts and the watermarks against the log where it was read.
func (r *Report) account(in *Input, found map[int32]*classes) {
	for _, p := range slices.Sorted(maps.Keys(in.Served.Frontier)) {
		mark := in.Served.Frontier[p]
		row := PartitionAccount{Partition: p}
		served, ok := in.Served.Accounts[p]
		stream, okStream := in.Stream.Accounts[p]
		c := found[p]
		switch {
		case c != nil:
			row.set(c.account)
			if ok && !sameAccount(served, c.account) {
				row.Complaints = append(row.Complaints, "the as-served account is not that of the log")
			}
			if okStream && !sameAccount(stream, c.account) {
				row.Complaints = append(row.Complaints, "the stream's account is not that of the log")
			}
			if c.mark.Known != mark.Known || c.mark.Known && c.mark.Watermark != mark.Watermark {
				where := fmt.Sprintf("the frontier is %s, and the log gives %s", mark.text(true), c.mark.text(true))
				row.Complaints = append(row.Complaints, where)
			}
		case ok:
			row.set(served)
			if okStream && !sameAccount(stream, served) {
				row.Complaints = append(row.Complaints, "the stream's account is not the as-served one")
			}
		case okStream:
			row.set(stream)
		default:
			continue
		}
		for _, a := range []kernel.Account{served, stream} {
			if err := a.Check(); err != nil {
				row.Complaints = append(row.Complaints, err.Error())
			}
		}
		r.Accounting = append(r.Accounting, row)
	}
}

// sameAccount compares what became of the records. Gaps behind the last record may be counted or not.
func sameAccount(a, b kernel.Account) bool { return a.First == b.First && a.Counts == b.Counts }

func (p *PartitionAccount) set(a kernel.Account) {
	p.First, p.Next, p.Gap = a.First, a.Next, a.Gap
	p.Dead, p.Duplicate, p.TooLate = a.Counts[kernel.Dead], a.Counts[kernel.Duplicate], a.Counts[kernel.TooLate]
	p.Filtered, p.Late, p.OnTime = a.Counts[kernel.Filtered], a.Counts[kernel.Late], a.Counts[kernel.OnTime]
}
