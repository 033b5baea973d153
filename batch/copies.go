package batch

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The tables of the search for copies. Their names, and those of their columns, are none that a source's column can have.
const (
	copiesTable   = "_copies"   // the coordinates of records that are not the first of their id
	suspectsTable = "_suspects" // the numbers of (key, id) pairs that may have several records
)

// findCopies fills the table of copies with every valid record of the range of event times that is not the first of its
// (key, id) in the whole history (B4). Ids as a rule come once, so first it looks at numbers made from the pairs only,
// which is cheap; the records of those that come again are then compared, and judged by the kernel.
func (h *History) findCopies(ctx context.Context, in lakehouse.Range) error {
	if h.plan.Source.ID < 0 || h.copiesOf.From <= in.From && h.copiesOf.To >= in.To {
		return nil
	}
	if err := h.db.Exec(ctx, fmt.Sprintf(`CREATE OR REPLACE TABLE %s (_p BIGINT, _o BIGINT)`, copiesTable)); err != nil {
		return err
	}
	h.copies, h.copied = 0, map[coordinate]struct{}{}
	copyRows := h.deps.limits.copyRows
	ranges, err := h.ranges(ctx, h.files, copyRows)
	if err != nil {
		return err
	}
	s := &copySearch{h: h, in: in, numbers: new(repeats), of: rowsOf(h.files)}
	for _, r := range ranges {
		passes := int(r.rows/copyRows) + 1 // more than one for a hot key
		for pass := range passes {
			if err := s.search(ctx, r, pass, passes); err != nil {
				return err
			}
		}
	}
	h.copiesOf = in
	return nil
}

// coordinate is where a record stands in its topic.
type coordinate struct {
	partition int32
	offset    int64
}

// copiedAtMost is how many copies are remembered outside of their table, which takes 40 bytes or so of each.
const copiedAtMost = 2 << 20

func (h *History) remember(partitions, offsets []int64) {
	if h.copies > copiedAtMost {
		h.copied = nil
		return
	}
	for i, o := range offsets {
		h.copied[coordinate{int32(partitions[i]), o}] = struct{}{}
	}
}

// notCopies is the join that leaves the copies out, or "" when there are none.
func (h *History) notCopies() string {
	if h.copies == 0 {
		return ""
	}
	return fmt.Sprintf("ANTI JOIN %s ON %s = _p AND %s = _o", copiesTable, partitionName, offsetName)
}

type copySearch struct {
	h        *History
	in       lakehouse.Range
	numbers  *repeats
	done, of int64 // records
}

// number is the number of a record's (key, id), as SQL.
func (s *copySearch) number() string {
	h := s.h
	return fmt.Sprintf("(hash(%s, %s) >> %d)::BIGINT", h.key(), h.name(h.plan.Source.ID), 64-numberBits)
}

// search looks at the keys of a range, and of their ids at those of the pass.
func (s *copySearch) search(ctx context.Context, r keyRange, pass, passes int) error {
	where := s.h.in(r)
	if passes > 1 {
		where = append(where, fmt.Sprintf("%s %% %d = %d", s.number(), passes, pass))
	}
	suspects, err := s.suspects(ctx, where)
	if err != nil || len(suspects) == 0 {
		return err
	}
	if err := s.h.db.Exec(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s (_n BIGINT)", suspectsTable)); err != nil {
		return err
	}
	if err := s.h.db.Append(ctx, suspectsTable, suspects); err != nil {
		return err
	}
	return s.compare(ctx, where)
}

// suspects are the numbers that come more than once, in the range of times at least once.
func (s *copySearch) suspects(ctx context.Context, where []string) ([]int64, error) {
	s.numbers.reset()
	h := s.h
	columns := []string{s.number()}
	if within := h.within(s.in); len(within) > 0 {
		columns = append(columns, "coalesce("+and(within)+", false)")
	}
	err := h.each(ctx, query{columns: columns, files: h.files, where: append(h.identified(), where...)}, func(b arrow.RecordBatch) error {
		numbers := b.Column(0).(*array.Int64).Int64Values()
		for i, n := range numbers {
			s.numbers.add(uint64(n), len(columns) == 1 || b.Column(1).(*array.Boolean).Value(i))
		}
		s.done += int64(len(numbers))
		h.progress("looking for copies", s.done, s.of)
		return nil
	})
	return s.numbers.found(), err
}

// compare reads the suspects' records by key, id and offset, and notes as copies those valid ones that follow another.
func (s *copySearch) compare(ctx context.Context, where []string) error {
	h := s.h
	judge, err := h.newJudge()
	if err != nil {
		return err
	}
	src := &h.plan.Source
	columns, names := h.reading(src.ID)
	lay := h.layOut(names, map[string]string{schema.StampColumn: src.Schema.Fields[src.Time].Name})
	q := query{
		columns: columns, files: h.files, where: append(h.valid(), where...),
		order: fmt.Sprintf("ORDER BY %s, %s, %s, %s", h.key(), h.name(src.ID), offsetName, partitionName),
	}
	q.where = append(q.where, fmt.Sprintf("%s IN (SELECT _n FROM %s)", s.number(), suspectsTable))
	var key, id []byte // of the last valid record
	any := false
	var partitions, offsets []int64
	flush := func(least int) error {
		if len(offsets) < least {
			return nil
		}
		h.copies += int64(len(offsets))
		h.remember(partitions, offsets)
		err := h.db.Append(ctx, copiesTable, partitions, offsets)
		partitions, offsets = partitions[:0], offsets[:0]
		return err
	}
	err = h.each(ctx, q, func(b arrow.RecordBatch) error {
		rec := lay.batch(b)
		defer rec.Release()
		valid, err := judge.valid(rec)
		if err != nil {
			return err
		}
		keys, ids := rec.Column(src.Key).(*array.String), rec.Column(src.ID).(*array.String)
		first := len(src.Schema.Fields)
		for i, ok := range valid {
			if !ok {
				continue
			}
			if any && keys.Value(i) == string(key) && ids.Value(i) == string(id) {
				partitions = append(partitions, int64(rec.Column(first).(*array.Int32).Value(i)))
				offsets = append(offsets, rec.Column(first+1).(*array.Int64).Value(i))
				continue
			}
			key, id, any = append(key[:0], keys.Value(i)...), append(id[:0], ids.Value(i)...), true
		}
		return flush(1 << 16)
	})
	if err != nil {
		return err
	}
	return flush(1)
}

// identified are the conditions that a record has a key and an id.
func (h *History) identified() []string {
	return []string{h.key() + " IS NOT NULL", h.name(h.plan.Source.ID) + " IS NOT NULL"}
}
