package duckdb

import (
	"bytes"
	"cmp"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
)

// Order says at which columns of a result stand the key (VARCHAR), the time (TIMESTAMPTZ), the partition (INTEGER) and the
// offset (BIGINT) by which it is sorted, in this order. None of them is null.
type Order struct{ Key, Time, Partition, Offset int }

// Merge is one sorted result of several that are sorted. Each row is looked at once, and copied in a run with those that
// follow it in its own result and in the whole, so that it takes a fraction of what sorting takes.
type Merge struct {
	order   Order
	leave   func(partition int32, offset int64) bool // nil: no rows
	all     []*source
	heap    []*source // of those that are not at their end, by their next row
	schema  *arrow.Schema
	columns [2][]column // of two batches in turn
	to      []column    // of the batch that is made
	n       int         // its rows so far
	last    row         // the row before
	key     []byte      // of last
	any     bool
}

// source is one of the results, and where the merge stands in it.
type source struct {
	name string
	rows *Rows
	n    int
	at   int
	row  // the next

	keys       *column
	times      []int64
	partitions []int32
	offsets    []int64
}

// row is where a row stands in the order.
type row struct {
	key       []byte
	time      int64
	partition int32
	offset    int64
}

func (r *row) compare(o *row) int {
	if c := bytes.Compare(r.key, o.key); c != 0 {
		return c
	}
	return r.within(o)
}

// within compares rows of one key.
func (r *row) within(o *row) int {
	switch {
	case r.time != o.time:
		return cmp.Compare(r.time, o.time)
	case r.partition != o.partition:
		return cmp.Compare(r.partition, o.partition)
	}
	return cmp.Compare(r.offset, o.offset)
}

// NewMerge merges results that have the same columns and are sorted in the order; the names say in errors which of them it
// was. The merge closes them with itself, also when it cannot be made.
func NewMerge(results []*Rows, names []string, order Order) (*Merge, error) {
	m := &Merge{order: order}
	for i, r := range results {
		m.all = append(m.all, &source{name: names[i], rows: r})
	}
	m.schema = results[0].schema
	for turn := range m.columns {
		for _, f := range m.schema.Fields() {
			m.columns[turn] = append(m.columns[turn], newColumn(f.Type))
		}
	}
	for _, s := range m.all {
		more, err := s.fill(order)
		if err != nil {
			m.Close()
			return nil, err
		}
		if more {
			m.heap = append(m.heap, s)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

// fill reads the result's next batch; false means its end.
func (s *source) fill(o Order) (bool, error) {
	if !s.rows.Next() {
		return false, s.rows.Err()
	}
	s.at, s.n = 0, int(s.rows.batch.NumRows())
	c := s.rows.columns
	if c[o.Key].nulls+c[o.Time].nulls+c[o.Partition].nulls+c[o.Offset].nulls > 0 {
		return false, fmt.Errorf("duckdb: %s: a row that is to be merged has no place in the order", s.name)
	}
	s.keys = &c[o.Key]
	s.times = unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(c[o.Time].data))), s.n)
	s.partitions = unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(c[o.Partition].data))), s.n)
	s.offsets = unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(c[o.Offset].data))), s.n)
	s.look()
	return true, nil
}

// look makes the row that the source stands at its next.
func (s *source) look() {
	s.row = row{s.keyAt(s.at), s.times[s.at], s.partitions[s.at], s.offsets[s.at]}
}

func (s *source) keyAt(i int) []byte { return s.keys.data[s.keys.ends[i]:s.keys.ends[i+1]] }

// run is the end of the rows from where the source stands that have one key and come before the bound, which may be nil.
func (s *source) run(bound *row) int {
	end := s.at + 1
	if bound != nil && !bytes.Equal(bound.key, s.key) {
		bound = nil // The source's next row is the least, so that all of its key come before the bound.
	}
	for end < s.n && bytes.Equal(s.keyAt(end), s.key) {
		if bound != nil {
			next := row{nil, s.times[end], s.partitions[end], s.offsets[end]}
			if next.within(bound) > 0 {
				break
			}
		}
		end++
	}
	return end
}

// sorted tells whether the rows up to end, which have one key, are in order.
func (s *source) sorted(end int) bool {
	for i := s.at + 1; i < end; i++ {
		if s.times[i] > s.times[i-1] {
			continue
		}
		before := row{nil, s.times[i-1], s.partitions[i-1], s.offsets[i-1]}
		if (&row{nil, s.times[i], s.partitions[i], s.offsets[i]}).within(&before) < 0 {
			return false
		}
	}
	return true
}

// Each gives the batches of the merged result, in order; an error of give's ends it. While give has a batch, which is valid
// until it returns, the next is made.
func (m *Merge) Each(give func(arrow.RecordBatch) error) error {
	batches, stop := make(chan arrow.RecordBatch), make(chan struct{})
	var failure error // of the merge; set before batches is closed
	go func() {
		defer close(batches)
		// A batch is handed over when give is done with the one before, whose columns are then free.
		for turn := 0; ; turn ^= 1 {
			rec, err := m.next(m.columns[turn])
			if rec == nil {
				failure = err
				return
			}
			select {
			case batches <- rec:
			case <-stop:
				rec.Release()
				return
			}
		}
	}()
	for rec := range batches {
		err := give(rec)
		rec.Release()
		if err != nil {
			close(stop)
			for rec := range batches {
				rec.Release()
			}
			return err
		}
	}
	return failure
}

// next makes a batch in the columns; nil means the end, or an error.
func (m *Merge) next(columns []column) (arrow.RecordBatch, error) {
	for i := range columns {
		columns[i].reset()
	}
	m.to, m.n = columns, 0
	for len(m.heap) > 0 && m.n < batchRows {
		if err := m.step(); err != nil {
			return nil, err
		}
	}
	if m.n == 0 {
		return nil, nil
	}
	return recordOf(m.schema, columns, m.n), nil
}

// step copies the rows of the least source that come before all others' next.
func (m *Merge) step() error {
	s := m.heap[0]
	end := min(s.run(m.second()), s.at+batchRows)
	if m.any && s.row.compare(&m.last) < 0 || !s.sorted(end) {
		return fault.New(s.name, "says that its rows are sorted, and they are not", "write it again, sorted or without a sort order")
	}
	m.copy(s, end)
	m.key = append(m.key[:0], s.key...)
	m.last, m.any = row{m.key, s.times[end-1], s.partitions[end-1], s.offsets[end-1]}, true
	s.at = end
	if s.at == s.n {
		more, err := s.fill(m.order)
		if err != nil {
			return err
		}
		if !more {
			last := len(m.heap) - 1
			m.heap[0] = m.heap[last]
			m.heap = m.heap[:last]
		}
	} else {
		s.look()
	}
	m.sink(0)
	return nil
}

// copy copies the source's rows up to end, but for those that are left out.
func (m *Merge) copy(s *source, end int) {
	for from := s.at; from < end; {
		to := end
		if m.leave != nil {
			for from < end && m.leave(s.partitions[from], s.offsets[from]) {
				from++
			}
			for to = from; to < end && !m.leave(s.partitions[to], s.offsets[to]); {
				to++
			}
		}
		if from < to {
			for i := range m.to {
				m.to[i].run(&s.rows.columns[i], m.n, from, to)
			}
			m.n += to - from
		}
		from = to
	}
}

// LeaveOut makes the merge leave out the rows of which leave is true. It is called before Each.
func (m *Merge) LeaveOut(leave func(partition int32, offset int64) bool) { m.leave = leave }

// second is the least next row but for that of the first source, or nil.
func (m *Merge) second() *row {
	switch {
	case len(m.heap) < 2:
		return nil
	case len(m.heap) > 2 && m.heap[2].compare(&m.heap[1].row) < 0:
		return &m.heap[2].row
	}
	return &m.heap[1].row
}

// sink lets the source at i down to its place in the heap.
func (m *Merge) sink(i int) {
	for {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < len(m.heap) && m.heap[c].compare(&m.heap[least].row) < 0 {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// Close ends all the results, read to their ends or not.
func (m *Merge) Close() {
	for _, s := range m.all {
		s.rows.Close()
	}
}

// recordOf makes a batch of the first n values of the columns, whose memory it shares.
func recordOf(schema *arrow.Schema, columns []column, n int) arrow.RecordBatch {
	arrays := make([]arrow.Array, len(columns))
	for i := range columns {
		arrays[i] = columns[i].array(n)
	}
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	return array.NewRecordBatch(schema, arrays, int64(n))
}
