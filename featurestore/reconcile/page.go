package reconcile

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// page is one batch of a side's rows, its columns typed. It holds on to the batch until it is released.
type page struct {
	batch     arrow.RecordBatch
	keys      *array.String
	keyBytes  []byte
	keyEnds   []int32
	ask       []int64
	partition []int32 // -1 where it is null
	offset    []int64 // likewise
	revision  []int32
	columns   []column // the live features, in the plan's order
}

// layout is where a side's schema has the columns of a page.
type layout struct {
	key, ask, partition, offset, revision int
	features                              []int
}

// findColumns looks up the columns of a page by their names.
func findColumns(side string, sc *arrow.Schema, plan *pipeline.Plan) (*layout, error) {
	var missing error
	find := func(name string) int {
		at := sc.FieldIndices(name)
		if len(at) != 1 && missing == nil {
			missing = fault.New(side+" rows", fmt.Sprintf("have %d columns %q", len(at), name),
				"give them in the layout of the plan's Arrow schema")
		}
		if len(at) == 0 {
			return -1
		}
		return at[0]
	}
	l := &layout{find(plan.KeyName), find("ask_time"), find("partition"), find("offset"), find("revision"), nil}
	for i := range plan.Features {
		if f := &plan.Features[i]; f.Live() {
			l.features = append(l.features, find(f.Name))
		}
	}
	return l, missing
}

func newPage(side string, batch arrow.RecordBatch, l *layout, plan *pipeline.Plan) (*page, error) {
	p := &page{batch: batch}
	wrong := func(at int) error {
		return fault.New(side+" rows", fmt.Sprintf("column %q is of type %s", batch.ColumnName(at), batch.Column(at).DataType()),
			"give it the type that the plan's Arrow schema has")
	}
	var ok bool
	if p.keys, ok = batch.Column(l.key).(*array.String); !ok || p.keys.NullN() > 0 {
		return nil, wrong(l.key)
	}
	p.keyEnds = p.keys.ValueOffsets()
	if b := p.keys.Data().Buffers()[2]; b != nil {
		p.keyBytes = b.Bytes()
	}
	if p.ask, ok = micros(batch.Column(l.ask)); !ok || batch.Column(l.ask).NullN() > 0 {
		return nil, wrong(l.ask)
	}
	partition, ok := batch.Column(l.partition).(*array.Int32)
	if !ok {
		return nil, wrong(l.partition)
	}
	offset, ok := batch.Column(l.offset).(*array.Int64)
	if !ok {
		return nil, wrong(l.offset)
	}
	revision, ok := batch.Column(l.revision).(*array.Int32)
	if !ok || revision.NullN() > 0 {
		return nil, wrong(l.revision)
	}
	p.partition, p.offset, p.revision = partition.Int32Values(), offset.Int64Values(), revision.Int32Values()
	if partition.NullN() > 0 || offset.NullN() > 0 {
		p.coordinates(partition, offset)
	}
	f := 0
	for i := range plan.Features {
		if !plan.Features[i].Live() {
			continue
		}
		c, ok := newColumn(plan.Features[i].Kind, batch.Column(l.features[f]))
		if !ok {
			return nil, wrong(l.features[f])
		}
		p.columns = append(p.columns, c)
		f++
	}
	batch.Retain()
	return p, nil
}

// coordinates copies the partitions and offsets, with -1 for null.
func (p *page) coordinates(partition *array.Int32, offset *array.Int64) {
	p.partition, p.offset = make([]int32, p.len()), make([]int64, p.len())
	for i := range p.len() {
		p.partition[i], p.offset[i] = -1, -1
		if partition.IsValid(i) && offset.IsValid(i) {
			p.partition[i], p.offset[i] = partition.Value(i), offset.Value(i)
		}
	}
}

func (p *page) len() int { return len(p.ask) }

func (p *page) release() { p.batch.Release() }

func (p *page) key(i int) []byte { return p.keyBytes[p.keyEnds[i]:p.keyEnds[i+1]] }

// sameAsk tells whether rows i and j answer the same key and time.
func (p *page) sameAsk(i int, q *page, j int) bool {
	return p.ask[i] == q.ask[j] && bytes.Equal(p.key(i), q.key(j))
}

// sameRow tells whether rows i and j have the same identity (S7).
func (p *page) sameRow(i int, q *page, j int) bool {
	return p.ask[i] == q.ask[j] && p.offset[i] == q.offset[j] && p.partition[i] == q.partition[j] &&
		p.revision[i] == q.revision[j] && bytes.Equal(p.key(i), q.key(j))
}

// compare orders row i and row j as sides are sorted; ask leaves it at key and time.
func (p *page) compare(i int, q *page, j int, ask bool) int {
	if c := bytes.Compare(p.key(i), q.key(j)); c != 0 {
		return c
	}
	if c := cmp.Compare(p.ask[i], q.ask[j]); c != 0 || ask {
		return c
	}
	if c := cmp.Compare(p.partition[i], q.partition[j]); c != 0 {
		return c
	}
	if c := cmp.Compare(p.offset[i], q.offset[j]); c != 0 {
		return c
	}
	return cmp.Compare(p.revision[i], q.revision[j])
}

// appendTo copies row i, but for its key.
func (p *page) appendTo(rows *kernel.Rows, i int) {
	rows.AskTime = append(rows.AskTime, p.ask[i])
	rows.Partition = append(rows.Partition, p.partition[i])
	rows.Offset = append(rows.Offset, p.offset[i])
	rows.Revision = append(rows.Revision, p.revision[i])
	for c := range p.columns {
		p.columns[c].appendTo(&rows.Columns[c], i)
	}
}

// describe names row i in messages.
func (p *page) describe(i int) string {
	return fmt.Sprintf("key %s, ask %s, %d/%d, revision %d", shorten(string(p.key(i)), 40), clock(p.ask[i]), p.partition[i],
		p.offset[i], p.revision[i])
}

// micros gives the values of a column of times in microseconds.
func micros(a arrow.Array) ([]int64, bool) {
	t, ok := a.DataType().(*arrow.TimestampType)
	if !ok || t.Unit != arrow.Microsecond {
		return nil, false
	}
	return arrow.GetValues[int64](a.Data(), 1), true
}
