package lakehouse

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go/table"
)

// coordinates are the columns of the sort order within one batch.
type coordinates struct {
	key       *array.String
	time      *array.Timestamp
	partition *array.Int32
	offset    *array.Int64
}

func coordinatesOf(rows arrow.RecordBatch, at [4]int) coordinates {
	return coordinates{
		rows.Column(at[0]).(*array.String), rows.Column(at[1]).(*array.Timestamp),
		rows.Column(at[2]).(*array.Int32), rows.Column(at[3]).(*array.Int64),
	}
}

// indices are where the columns of the sort order stand in the schema.
func (y *layout) indices() (at [4]int) {
	for i, name := range y.order {
		at[i] = y.schema.FieldIndices(name)[0]
	}
	return at
}

// noDay stands for the day of a row without a time; it sorts first and is the day of no time.
const noDay = math.MinInt64

const microsPerDay = 86_400_000_000

// dayOf is the day since 1970-01-01 that the time lies in, floored.
func dayOf(us int64) int64 {
	d := us / microsPerDay
	if us%microsPerDay < 0 {
		d--
	}
	return d
}

// sortedRows puts the rows of all batches into one, sorted by day and then by the sort order. The caller releases it.
// Partition and offset must not be null.
func sortedRows(ctx context.Context, batches []arrow.RecordBatch, at [4]int) (arrow.RecordBatch, error) {
	all, err := concatenate(batches)
	if err != nil {
		return nil, err
	}
	c := coordinatesOf(all, at)
	index := c.sortedIndex()
	if slices.IsSorted(index) {
		return all, nil
	}
	defer all.Release()
	return take(ctx, all, index)
}

// sortedIndex lists the rows in order: by key through counting, which takes two passes; within a key by comparing, since
// those rows are few or come nearly in order; and then by day, which leaves the order within a day as it is.
func (c *coordinates) sortedIndex() []uint32 {
	ranks, keys := rankKeys(c.key)
	index, ends := countingSort(ranks, keys)
	partitions, offsets := c.partition.Int32Values(), c.offset.Int64Values()
	times := c.times()
	compare := func(a, b uint32) int {
		switch {
		case times[a] != times[b]:
			return cmp.Compare(times[a], times[b])
		case partitions[a] != partitions[b]:
			return cmp.Compare(partitions[a], partitions[b])
		}
		return cmp.Compare(offsets[a], offsets[b])
	}
	start := 0
	for _, end := range ends {
		slices.SortFunc(index[start:end], compare)
		start = end
	}
	days, grouped := daysOf(c.time)
	if grouped && slices.IsSorted(days) {
		return index
	}
	slices.SortStableFunc(index, func(a, b uint32) int { return cmp.Compare(days[a], days[b]) })
	return index
}

// times are the rows' times. Rows without one sort before all others, since they have a day of their own; among them,
// and only there, the number that stands in for it counts.
func (c *coordinates) times() []int64 {
	times := make([]int64, c.time.Len())
	for i, t := range c.time.TimestampValues() {
		if c.time.IsValid(i) {
			times[i] = int64(t)
		} else {
			times[i] = noDay
		}
	}
	return times
}

// countingSort lists the rows by their rank, equal ones in the order they have, and tells where each rank ends.
func countingSort(ranks []uint32, n int) (index []uint32, ends []int) {
	ends = make([]int, n)
	for _, r := range ranks {
		ends[r]++
	}
	sum := 0
	for r, count := range ends {
		ends[r] = sum
		sum += count
	}
	index = make([]uint32, len(ranks))
	for row, r := range ranks {
		index[ends[r]] = uint32(row)
		ends[r]++
	}
	return index, ends
}

// rankKeys numbers the keys by their order, from 1; a null key is 0. It tells how many numbers there are.
func rankKeys(keys *array.String) (ranks []uint32, n int) {
	ids := make(map[string]uint32)
	var names []string
	ranks = make([]uint32, keys.Len())
	for i := range ranks {
		if keys.IsNull(i) {
			continue
		}
		k := keys.Value(i)
		id, ok := ids[k]
		if !ok {
			names = append(names, k)
			id = uint32(len(names))
			ids[k] = id
		}
		ranks[i] = id
	}
	order := make([]uint32, len(names))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(names[a], names[b]) })
	rankOf := make([]uint32, len(names)+1)
	for rank, id := range order {
		rankOf[id+1] = uint32(rank + 1)
	}
	for i, id := range ranks {
		ranks[i] = rankOf[id]
	}
	return ranks, len(rankOf)
}

// orderCheck watches the rows of one file and tells whether they came in the table's sort order.
type orderCheck struct {
	id     int // of the sort order
	at     [4]int
	sorted bool
	any    bool
	last   mark
}

// mark is the position of the last row seen.
type mark struct {
	key             string
	time, offset    int64
	partition       int32
	hasKey, hasTime bool
	hasPart, hasOff bool
}

// newOrderCheck checks for the table's own order if that is still the layout's; otherwise files claim none.
func newOrderCheck(tbl *table.Table, y *layout) orderCheck {
	c := orderCheck{at: y.indices()}
	order := tbl.SortOrder()
	if order.Len() != len(y.order) {
		return c
	}
	for i, f := range order.Fields() {
		if f.SourceID() != fieldID(tbl.Schema(), y.order[i]) || f.Direction != table.SortASC || f.NullOrder != table.NullsFirst {
			return c
		}
	}
	c.id, c.sorted = order.OrderID(), true
	return c
}

func (o *orderCheck) see(rows arrow.RecordBatch) {
	if !o.sorted || rows.NumRows() == 0 {
		return
	}
	c := coordinatesOf(rows, o.at)
	for i := range int(rows.NumRows()) {
		m := mark{
			hasKey: c.key.IsValid(i), hasTime: c.time.IsValid(i), hasPart: c.partition.IsValid(i),
			hasOff: c.offset.IsValid(i),
		}
		if m.hasKey {
			m.key = c.key.Value(i)
		}
		if m.hasTime {
			m.time = int64(c.time.Value(i))
		}
		if m.hasPart {
			m.partition = c.partition.Value(i)
		}
		if m.hasOff {
			m.offset = c.offset.Value(i)
		}
		if o.any && m.before(&o.last) {
			o.sorted = false
			return
		}
		o.last, o.any = m, true
	}
	o.last.key = strings.Clone(o.last.key) // The batch's memory is its owner's.
}

// before tells whether m sorts before n.
func (m *mark) before(n *mark) bool {
	switch {
	case m.hasKey != n.hasKey:
		return n.hasKey
	case m.key != n.key:
		return m.key < n.key
	case m.hasTime != n.hasTime:
		return n.hasTime
	case m.time != n.time:
		return m.time < n.time
	case m.hasPart != n.hasPart:
		return n.hasPart
	case m.partition != n.partition:
		return m.partition < n.partition
	case m.hasOff != n.hasOff:
		return n.hasOff
	}
	return m.offset < n.offset
}
