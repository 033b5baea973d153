package batch

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/lakehouse"
)

// keyRange is the keys from low up to but not including high; an end that is open is nil.
type keyRange struct {
	low, high *string
	rows      int64 // about
}

// sampleKeys is how many keys are looked at to cut the keys into ranges: with it, the size of a range is off by a few
// hundredths of all.
const sampleKeys = 4096

// ranges cuts the keys into ranges, in order, of about as many rows of the files as the limit. A key that has more alone
// is a range of its own.
func (h *History) ranges(ctx context.Context, files []lakehouse.File, limit int64) ([]keyRange, error) {
	total := rowsOf(files)
	if total <= limit {
		return []keyRange{{rows: total}}, nil
	}
	sample, err := h.sample(ctx, files)
	if err != nil {
		return nil, err
	}
	return cutKeys(sample, total, limit), nil
}

// cutKeys cuts at keys of a sorted sample, each of which stands for as many of the rows.
func cutKeys(sample []string, total, limit int64) []keyRange {
	cut := []keyRange{{}}
	for i := 0; i < len(sample); {
		end := i + 1
		for end < len(sample) && sample[end] == sample[i] {
			end++
		}
		rows := int64(float64(total) * float64(end-i) / float64(len(sample)))
		last := &cut[len(cut)-1]
		if last.rows > 0 && last.rows+rows > limit {
			last.high = &sample[i]
			cut = append(cut, keyRange{low: &sample[i]})
			last = &cut[len(cut)-1]
		}
		last.rows += rows
		i = end
	}
	return cut
}

// sample gives some of the files' keys, sorted.
func (h *History) sample(ctx context.Context, files []lakehouse.File) ([]string, error) {
	sql, err := h.sql(query{columns: []string{h.key()}, files: files, where: []string{h.key() + " IS NOT NULL"}})
	if err != nil {
		return nil, err
	}
	rows, err := h.db.Query(ctx, fmt.Sprintf("SELECT * FROM (%s) USING SAMPLE reservoir(%d ROWS) REPEATABLE (1)", sql, sampleKeys))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		column := rows.Batch().Column(0).(*array.String)
		for i := range column.Len() {
			keys = append(keys, string([]byte(column.Value(i)))) // The batch's memory is used again.
		}
	}
	slices.Sort(keys)
	return keys, rows.Err()
}

// in are the conditions that the key lies in the range.
func (h *History) in(r keyRange) []string {
	var conditions []string
	if r.low != nil {
		conditions = append(conditions, h.key()+" >= "+duckdb.Text(*r.low))
	}
	if r.high != nil {
		conditions = append(conditions, h.key()+" < "+duckdb.Text(*r.high))
	}
	return conditions
}

// part is a stretch of ask times that is computed by itself.
type part struct {
	asks  lakehouse.Range
	sees  lakehouse.Range // the event times that its asks can see
	files []lakehouse.File

	publishes bool // the historical values are computed with it
}

// parts cuts an interval of ask times into parts, rising. Stretches in which no ask can have a row are left out.
func (h *History) parts(ctx context.Context, asks lakehouse.Range) ([]part, error) {
	asks = lakehouse.Range{From: max(asks.From, firstTime), To: min(asks.To, lastTime+1)}
	after, partLength := h.after(), h.deps.limits.partLength
	var cut []lakehouse.Range
	files, err := h.timed(ctx)
	if err != nil {
		return nil, err
	}
	from := asks.From
	for _, f := range files {
		from = max(from, f.Times.From)
		to := min(asks.To, f.Times.To+after)
		for from < to {
			if n := len(cut); n > 0 && from < cut[n-1].From+partLength {
				last := &cut[n-1]
				last.To = max(last.To, min(to, last.From+partLength))
				from = last.To
				continue
			}
			cut = append(cut, lakehouse.Range{From: from, To: min(to, from+partLength)})
			from = cut[len(cut)-1].To
		}
	}
	parts := make([]part, len(cut))
	for i, a := range cut {
		parts[i] = h.part(a)
	}
	return parts, nil
}

// part is the part of these asks, with the events that they can see.
func (h *History) part(asks lakehouse.Range) part {
	sees := lakehouse.Range{From: h.start(asks.From), To: asks.To}
	return part{asks: asks, sees: sees, files: overlapping(h.files, sees)}
}

// start is the time of the first event that asks at or after t can see. A tick's closing row looks at where the tick
// before stood.
func (h *History) start(t int64) int64 {
	t = max(t, firstTime) - h.plan.Tick
	return t - h.plan.LongestWindow(t)
}

// after is how long after an event asks can have a row because of it: none but its own, or the ticks whose windows hold
// it and the closing one.
func (h *History) after() int64 {
	if h.plan.Tick == 0 {
		return 0
	}
	longest := int64(0)
	for i := range h.plan.Features {
		w := &h.plan.Features[i].Window
		longest = max(longest, w.Micros()+w.TileMicros())
	}
	return longest + 2*h.plan.Tick + 1
}

// timed are the files that hold valid times, each with bounds of them, by the first.
func (h *History) timed(ctx context.Context) ([]lakehouse.File, error) {
	var files []lakehouse.File
	for _, f := range h.files {
		if f.Times == lakehouse.Everything {
			var err error
			if f.Times, err = h.bounds(ctx, f); err != nil {
				return nil, err
			}
		}
		f.Times.From, f.Times.To = max(f.Times.From, firstTime), min(f.Times.To, lastTime+1)
		if f.Times.From < f.Times.To {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b lakehouse.File) int {
		if a.Times.From < b.Times.From {
			return -1
		}
		return 1
	})
	return files, nil
}

// bounds finds the bounds of the valid times in a file whose writer did not note them.
func (h *History) bounds(ctx context.Context, f lakehouse.File) (lakehouse.Range, error) {
	var r lakehouse.Range
	q := query{columns: []string{"min(" + h.time() + ")", "max(" + h.time() + ")"}, files: []lakehouse.File{f}, where: h.valid()}
	err := h.each(ctx, q, func(b arrow.RecordBatch) error {
		first, last := b.Column(0).(*array.Timestamp), b.Column(1).(*array.Timestamp)
		if first.IsValid(0) {
			r = lakehouse.Range{From: int64(first.Value(0)), To: int64(last.Value(0)) + 1}
		}
		return nil
	})
	return r, err
}
