package batch

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/batch/schedule"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// truthRun computes the rows of truth, and the values of historical features as of its end.
type truthRun struct {
	h      *History
	report *Report
	final  map[int32]int64 // where ticks are settled
	rows   *output
	of     int64 // records to fold, about

	// Of historical features; nil where there are none.
	values  *output
	asOf    int64
	history *kernel.Program
}

// truth answers the job's asks from all valid events of the history, the first of each id.
func (h *History) truth(ctx context.Context, job *Job, report *Report) error {
	t := &truthRun{h: h, report: report}
	asks := lakehouse.Range(job.Interval)
	historical := slices.ContainsFunc(h.plan.Features, func(f pipeline.FeaturePlan) bool { return f.Historical })
	if h.plan.Tick > 0 || historical && job.Interval.To == schedule.End {
		var err error
		if t.final, err = h.Watermarks(ctx); err != nil {
			return err
		}
	}
	parts, err := h.parts(ctx, t.settled(asks))
	if err != nil {
		return err
	}
	if historical && t.setAsOf(job.Interval.To) {
		parts = h.publishing(parts, t.asOf)
	}
	if len(parts) > 0 {
		if err := h.findCopies(ctx, lakehouse.Range{From: parts[0].sees.From, To: parts[len(parts)-1].sees.To}); err != nil {
			return err
		}
		report.Copies = h.copies
	}
	for _, p := range parts {
		t.of += rowsOf(p.files)
	}
	return t.run(ctx, job, asks, parts)
}

// settled leaves out the asks that no tick has a row at, since no watermark has reached them.
func (t *truthRun) settled(asks lakehouse.Range) lakehouse.Range {
	if t.h.plan.Tick == 0 {
		return asks
	}
	greatest := int64(math.MinInt64)
	for _, w := range t.final {
		greatest = max(greatest, w)
	}
	return lakehouse.Range{From: asks.From, To: min(asks.To, greatest+1)}
}

// publishing marks the part that sees what the historical values as of a time are made of: the last that begins by then.
// Behind its asks, up to that time, there are no events, or a part would begin there.
func (h *History) publishing(parts []part, asOf int64) []part {
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].asks.From <= asOf {
			parts[i].publishes = true
			return parts
		}
	}
	only := h.part(lakehouse.Range{From: asOf, To: asOf})
	only.publishes = true
	return append([]part{only}, parts...)
}

// setAsOf finds the time of the historical values: the end of the interval, or the greatest watermark where it is open. It
// is none where nothing has raised a watermark.
func (t *truthRun) setAsOf(to int64) bool {
	if to != schedule.End {
		t.asOf = min(max(to, firstTime), lastTime+1)
		return true
	}
	t.asOf = math.MinInt64
	for _, w := range t.final {
		t.asOf = max(t.asOf, w)
	}
	return len(t.final) > 0
}

// run folds the parts and writes both tables: the rows first, then the values.
func (t *truthRun) run(ctx context.Context, job *Job, asks lakehouse.Range, parts []part) error {
	plan := t.h.withoutIDs()
	prog, err := kernel.Compile(plan, kernel.All)
	if err != nil {
		return err
	}
	if t.rows, err = t.h.write(ctx, t.h.plan, string(schedule.Truth), asks, job.Run); err != nil {
		return err
	}
	for _, p := range parts {
		if err == nil && p.publishes {
			err = t.beginValues(ctx, plan, job.Run)
		}
		if err == nil {
			err = t.fold(ctx, prog, p)
		}
	}
	snap, err := t.rows.finish(err)
	if err == nil {
		t.report.Output, t.report.Written = snap.ID, t.rows.written
	}
	if t.values != nil {
		if snap, err = t.values.finish(err); err == nil {
			t.report.Historical, t.report.AsOf, t.report.Published = snap.ID, t.asOf, t.values.written
		}
	}
	return err
}

func (t *truthRun) beginValues(ctx context.Context, plan *pipeline.Plan, run string) (err error) {
	historical := func(f *pipeline.FeaturePlan) bool { return f.Historical }
	if t.history, err = kernel.Compile(plan, historical); err != nil {
		return err
	}
	asks := lakehouse.Range{From: t.asOf, To: t.asOf + 1}
	t.values, err = t.h.write(ctx, onlyFeatures(t.h.plan, historical), HistoricalTable, asks, run)
	return err
}

// fold computes a part, and from the same records the historical values if it is theirs.
func (t *truthRun) fold(ctx context.Context, prog *kernel.Program, p part) error {
	h := t.h
	final := func(partition int32) (int64, bool) {
		w, ok := t.final[partition]
		return w, ok
	}
	folds := []*kernel.Fold{kernel.NewFold(prog, final, func(r *kernel.Rows) error { return t.rows.add(r, p.asks) })}
	if p.publishes {
		keys, err := h.keys(ctx, t.asOf)
		if err != nil {
			return err
		}
		defer keys.close()
		values := kernel.NewFold(t.history, final, func(r *kernel.Rows) error { return t.values.add(r, lakehouse.Everything) })
		folds = append(folds, values.Along(keys.next))
		if keys.rows.Err() != nil {
			return keys.rows.Err()
		}
		if err := t.push(ctx, p, folds); err != nil {
			return err
		}
		if err := t.end(folds[0], p.asks); err != nil {
			return err
		}
		if err := values.Close(); err != nil {
			return err
		}
		t.report.DeadValues += int64(len(values.DeadAnswers()))
		return keys.rows.Err()
	}
	if err := t.push(ctx, p, folds); err != nil {
		return err
	}
	return t.end(folds[0], p.asks)
}

// push gives the part's records to the folds.
func (t *truthRun) push(ctx context.Context, p part, folds []*kernel.Fold) error {
	h := t.h
	columns, names := h.reading()
	// Times that lie too far ahead were left out by SQL, so the kernel need not compare them with the record's timestamp.
	lay := h.layOut(names, map[string]string{schema.StampColumn: names[1]})
	s := scan{columns: columns, files: p.files, where: slices.Concat(h.valid(), h.within(p.sees), h.where())}
	return h.inOrder(ctx, s, func(b arrow.RecordBatch) error {
		rec := lay.batch(b)
		defer rec.Release()
		for _, f := range folds {
			if err := f.Push(rec); err != nil {
				return err
			}
		}
		t.report.Read += rec.NumRows()
		h.progress("folding", t.report.Read, t.of)
		return nil
	})
}

// end closes the fold of the rows and tells of the answers to the part's asks that fit no field.
func (t *truthRun) end(f *kernel.Fold, asks lakehouse.Range) error {
	if err := f.Close(); err != nil {
		return err
	}
	for _, d := range f.DeadAnswers() {
		if d.AskTime >= max(asks.From, t.rows.asks.From) && d.AskTime < asks.To {
			t.report.dead(t.h, d)
		}
	}
	return nil
}

func (r *Report) dead(h *History, d kernel.DeadAnswer) {
	r.Dead++
	if h.deps.Dead != nil {
		h.deps.Dead(d)
	}
}

// withoutIDs is the plan over records whose copies have been left out, and whose ids need not be read any more.
func (h *History) withoutIDs() *pipeline.Plan {
	plan := *h.plan
	plan.Source.ID = -1
	return &plan
}

// onlyFeatures is the plan of a table that holds some of the features.
func onlyFeatures(plan *pipeline.Plan, which kernel.Which) *pipeline.Plan {
	part := *plan
	part.Features = nil
	for i := range plan.Features {
		if which(&plan.Features[i]) {
			part.Features = append(part.Features, plan.Features[i])
		}
	}
	return &part
}

// keySpine asks about every key of the history, at one time.
type keySpine struct {
	rows *duckdb.Rows
	keys *array.String
	at   int
	asOf int64
}

// keys begins a query of the keys that have a valid event before a time, in their order.
func (h *History) keys(ctx context.Context, before int64) (*keySpine, error) {
	sees := lakehouse.Range{From: math.MinInt64, To: before}
	sql, err := h.sql(query{
		columns: []string{"DISTINCT " + h.key()}, files: overlapping(h.files, sees),
		where: append(h.valid(), h.within(sees)...), order: "ORDER BY " + h.key(),
	})
	if err != nil {
		return nil, err
	}
	rows, err := h.db.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return &keySpine{rows: rows, asOf: before}, nil
}

func (s *keySpine) next() (kernel.Ask, bool) {
	for s.keys == nil || s.at == s.keys.Len() {
		if !s.rows.Next() {
			return kernel.Ask{}, false
		}
		s.keys, s.at = s.rows.Batch().Column(0).(*array.String), 0
	}
	s.at++
	return kernel.Ask{Key: []byte(s.keys.Value(s.at - 1)), At: s.asOf}, true
}

func (s *keySpine) close() { s.rows.Close() }
