package lakehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/spillway-go/spillway/internal/fault"
)

// limits bound what a write may hold at once, whatever the number of days that its rows are of.
type limits struct {
	openFiles int
	buffered  int64 // bytes of rows that are not in a file yet
	file      int64 // bytes after which a file is ended
	sorted    int64 // bytes of an append's rows that are sorted at once; each such part makes files of its own
}

var defaultLimits = limits{openFiles: 512, buffered: 128 << 20, file: 512 << 20, sorted: 256 << 20}

// partRows is how many rows are written at a time.
const partRows = 1 << 14

// dayWriter writes rows to files of one day each. Rows of a day stay in the order they come in, so rows that come sorted
// make sorted files. Memory is bounded: the fullest row group is written out when all of them grow too large, and the
// file that was longest idle is ended when too many are open. Rows of more days than that, mixed, would then end files
// with a few rows each, so that from there on many batches are put together before they are cut.
type dayWriter struct {
	ctx    context.Context
	lake   *Lake
	tbl    *table.Table
	layout *layout
	schema *arrow.Schema
	props  *parquet.WriterProperties
	order  orderCheck
	time   int

	open  map[int64]*dataFile
	idle  []int64 // the days of open, the longest idle first
	held  int64   // bytes of all open row groups
	wait  []arrow.RecordBatch
	waits int64 // bytes of wait
	done  []iceberg.DataFile
	paths []string // of every file begun
}

func (l *Lake) newDayWriter(ctx context.Context, tbl *table.Table, y *layout) (*dayWriter, error) {
	sc, err := y.fileSchema(tbl)
	if err != nil {
		return nil, err
	}
	w := &dayWriter{
		ctx: ctx, lake: l, tbl: tbl, layout: y, schema: sc, order: newOrderCheck(tbl, y), time: y.indices()[1],
		props: encodings(sc, y), open: map[int64]*dataFile{},
	}
	return w, nil
}

// stamp puts the values into the footer of the files begun from now on, so that a file alone tells where its rows are
// from.
func (w *dayWriter) stamp(values arrow.Metadata) {
	w.schema = arrow.NewSchema(w.schema.Fields(), &values)
}

// write takes rows of the layout's schema. Rows that would break the table are refused: a null in a required column
// would otherwise be read back as an empty value.
func (w *dayWriter) write(rows arrow.RecordBatch) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.layout.fits(rows.Schema()); err != nil {
		return err
	}
	for i, f := range w.schema.Fields() {
		if !f.Nullable && rows.Column(i).NullN() > 0 {
			return fault.New(w.layout.thing(),
				fmt.Sprintf("column %s is required, and %d rows have none", f.Name, rows.Column(i).NullN()), "give every row a value")
		}
	}
	rows = array.NewRecordBatch(w.schema, rows.Columns(), rows.NumRows())
	if len(w.open) < w.lake.limits.openFiles {
		defer rows.Release()
		return w.byDay(rows)
	}
	w.wait = append(w.wait, rows)
	if w.waits += batchBytes(rows); w.waits < w.lake.limits.buffered {
		return nil
	}
	return w.catchUp()
}

// catchUp writes the rows that wait.
func (w *dayWriter) catchUp() error {
	if len(w.wait) == 0 {
		return nil
	}
	rows, err := concatenate(w.wait)
	w.forget()
	if err != nil {
		return err
	}
	defer rows.Release()
	return w.byDay(rows)
}

func (w *dayWriter) forget() {
	for _, b := range w.wait {
		b.Release()
	}
	w.wait, w.waits = nil, 0
}

// byDay cuts the rows into parts of one day each, short enough to count against the bounds one by one, and writes them.
func (w *dayWriter) byDay(rows arrow.RecordBatch) error {
	times := rows.Column(w.time).(*array.Timestamp)
	days, grouped := daysOf(times)
	if !grouped {
		var err error
		if rows, days, err = w.gather(rows, days); err != nil {
			return err
		}
		defer rows.Release()
	}
	for from := 0; from < len(days); {
		to := from + 1
		for to < len(days) && to-from < partRows && days[to] == days[from] {
			to++
		}
		part := rows.NewSlice(int64(from), int64(to))
		err := w.append(days[from], part)
		part.Release()
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// daysOf is the day of every row, and whether the rows of each day lie together.
func daysOf(times *array.Timestamp) (days []int64, grouped bool) {
	days = make([]int64, times.Len())
	seen := map[int64]bool{}
	grouped = true
	last, first, next := int64(noDay), int64(0), int64(0) // the last day is the times from first up to next
	for i := range days {
		if times.IsNull(i) {
			days[i] = noDay
		} else if t := int64(times.Value(i)); i > 0 && last != noDay && t >= first && t < next {
			days[i] = last
		} else {
			days[i] = dayOf(t)
			first = days[i] * microsPerDay
			next = first + microsPerDay
		}
		if i == 0 || days[i] != last {
			grouped = grouped && !seen[days[i]]
			seen[days[i]] = true
		}
		last = days[i]
	}
	return days, grouped
}

// gather brings the rows of each day together, in the order that they have.
func (w *dayWriter) gather(rows arrow.RecordBatch, days []int64) (arrow.RecordBatch, []int64, error) {
	index := make([]uint32, len(days))
	for i := range index {
		index[i] = uint32(i)
	}
	slices.SortStableFunc(index, func(a, b uint32) int { return cmp.Compare(days[a], days[b]) })
	gathered := make([]int64, len(days))
	for i, row := range index {
		gathered[i] = days[row]
	}
	out, err := take(w.ctx, rows, index)
	return out, gathered, err
}

// append writes rows of one day to its file.
func (w *dayWriter) append(day int64, rows arrow.RecordBatch) error {
	f, err := w.file(day)
	if err != nil {
		return err
	}
	w.held -= f.bytes
	if err := f.write(rows); err != nil {
		return err
	}
	w.held += f.bytes
	if f.sink.n > w.lake.limits.file {
		return w.end(day)
	}
	if w.held > w.lake.limits.buffered {
		return w.relieve()
	}
	return nil
}

// file is the open file of the day, now the least idle.
func (w *dayWriter) file(day int64) (*dataFile, error) {
	if n := len(w.idle); n > 0 && w.idle[n-1] == day {
		return w.open[day], nil
	}
	if f := w.open[day]; f != nil {
		i := slices.Index(w.idle, day)
		w.idle = append(slices.Delete(w.idle, i, i+1), day)
		return f, nil
	}
	if len(w.open) == w.lake.limits.openFiles {
		if err := w.end(w.idle[0]); err != nil {
			return nil, err
		}
	}
	folder, key := "none", (*int32)(nil)
	if day != noDay {
		d := int32(day) // A time in µs is within 107 million days of 1970.
		folder, key = time.Unix(day*86_400, 0).UTC().Format("2006-01-02"), &d
	}
	path := fmt.Sprintf("%s/data/%s/%s%s.parquet", w.tbl.Location(), folder, filePrefix, uuid.NewString())
	w.paths = append(w.paths, path)
	f, err := newDataFile(w.lake.fs, path, key, w.schema, w.props, w.order)
	if err != nil {
		return nil, err
	}
	w.open[day] = f
	w.idle = append(w.idle, day)
	return f, nil
}

// filePrefix begins the name of every data file of spillway's, which is how readers know that it has field ids.
const filePrefix = "spillway-"

// relieve writes out the fullest row group.
func (w *dayWriter) relieve() error {
	var fullest *dataFile
	for _, f := range w.open {
		if fullest == nil || f.bytes > fullest.bytes {
			fullest = f
		}
	}
	w.held -= fullest.bytes
	return fullest.flush()
}

// end finishes the day's file.
func (w *dayWriter) end(day int64) error {
	f := w.open[day]
	delete(w.open, day)
	w.idle = slices.DeleteFunc(w.idle, func(d int64) bool { return d == day })
	w.held -= f.bytes
	df, err := f.finish(w.tbl)
	if err != nil {
		return err
	}
	w.done = append(w.done, df)
	return nil
}

// finish ends every file and returns all that were written.
func (w *dayWriter) finish() ([]iceberg.DataFile, error) {
	if err := w.catchUp(); err != nil {
		return nil, err
	}
	for len(w.idle) > 0 {
		if err := w.end(w.idle[0]); err != nil {
			return nil, err
		}
	}
	return w.done, nil
}

// abandon closes what is open and removes every file that was begun.
func (w *dayWriter) abandon() {
	w.forget()
	for _, f := range w.open {
		f.abandon()
	}
	w.lake.drop(w.paths)
}
