package lakehouse

import (
	"context"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// dataFile is one Parquet file of one day while it is written.
type dataFile struct {
	path   string
	out    iceio.FileWriter
	sink   counter
	schema *arrow.Schema
	pq     *file.Writer
	group  file.BufferedRowGroupWriter // nil: none is open
	ctx    context.Context             // what pqarrow keeps between columns
	day    *int32                      // nil: of rows without a time
	rows   int64                       // in the open row group
	bytes  int64                       // in the open row group, in Arrow's form
	order  orderCheck

	key    int // the column of the key
	keys   keyRuns
	inRuns bool    // the open row group's keys are in keys, and not written yet
	levels []int16 // of a column's definition
}

// counter hides the file's Close from the Parquet writer, whose errors on the way must not pass for a closed file.
type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

func newDataFile(fs storage, path string, day *int32, sc *arrow.Schema, props *parquet.WriterProperties,
	order orderCheck,
) (*dataFile, error) {
	arrowProps := pqarrow.DefaultWriterProps()
	columns, err := pqarrow.ToParquet(sc, props, arrowProps)
	if err != nil {
		return nil, err
	}
	out, err := fs.Create(path)
	if err != nil {
		return nil, err
	}
	f := &dataFile{path: path, out: out, sink: counter{Writer: out}, schema: sc, day: day, order: order, key: order.at[0]}
	f.ctx = pqarrow.NewArrowWriteContext(context.Background(), &arrowProps)
	var stamp metadata.KeyValueMetadata
	for i, key := range sc.Metadata().Keys() {
		if err := stamp.Append(key, sc.Metadata().Values()[i]); err != nil {
			out.Close()
			return nil, err
		}
	}
	f.pq, err = file.NewParquetWriterWithError(&f.sink, columns.Root(), file.WithWriterProps(props), file.WithWriteMetadata(stamp))
	if err != nil {
		out.Close()
		return nil, err
	}
	return f, nil
}

// write appends rows to the open row group.
func (f *dataFile) write(rows arrow.RecordBatch) (err error) {
	defer recovered(&err)
	f.order.see(rows)
	if f.rows > 0 && f.rows+rows.NumRows() > groupRows {
		if err := f.flush(); err != nil {
			return err
		}
	}
	if f.group == nil {
		if f.group, err = f.pq.AppendBufferedRowGroupChecked(); err != nil {
			return err
		}
		f.keys.reset()
		f.inRuns = true
	}
	for i, c := range rows.Columns() {
		if i == f.key {
			err = f.addKeys(c.(*array.String))
		} else {
			err = f.column(i, c)
		}
		if err != nil {
			return err
		}
	}
	f.rows += rows.NumRows()
	f.bytes += batchBytes(rows)
	return nil
}

// addKeys adds to the runs of keys, or writes them as they are.
func (f *dataFile) addKeys(keys *array.String) error {
	taken := 0
	if f.inRuns {
		if taken = f.keys.add(keys); taken == keys.Len() {
			return nil
		}
		if err := f.writeRuns(); err != nil {
			return err
		}
	}
	rest := array.NewSlice(keys, int64(taken), int64(keys.Len()))
	defer rest.Release()
	return f.column(f.key, rest)
}

// writeRuns writes the keys that were gathered. The bounds by which readers prune are set here: of a dictionary the Parquet
// writer takes them without the empty text, and readers would miss its rows.
func (f *dataFile) writeRuns() error {
	f.inRuns = false
	if len(f.keys.ends) > 1 {
		w, err := f.group.Column(f.key)
		if err != nil {
			return err
		}
		if stats, ok := w.PageStatistics().(*metadata.ByteArrayStatistics); ok {
			stats.SetMinMax(f.keys.bytes[:f.keys.ends[1]], f.keys.last)
		}
	}
	keys := f.keys.array()
	defer keys.Release()
	return f.column(f.key, keys)
}

// column appends values to a column of the open row group.
func (f *dataFile) column(i int, values arrow.Array) error {
	w, err := f.group.Column(i)
	if err != nil {
		return err
	}
	nullable := f.schema.Field(i).Nullable
	if !nullable {
		return pqarrow.WriteArrowToColumn(f.ctx, w, values, nil, nil, false)
	}
	n := values.Len()
	f.levels = slices.Grow(f.levels[:0], n)[:n]
	for k := range f.levels {
		f.levels[k] = 1
	}
	if values.NullN() > 0 {
		for k := range f.levels {
			if values.IsNull(k) {
				f.levels[k] = 0
			}
		}
	}
	return pqarrow.WriteArrowToColumn(f.ctx, w, values, f.levels, nil, true)
}

// flush ends the row group and gives its memory back.
func (f *dataFile) flush() (err error) {
	defer recovered(&err)
	if f.group == nil {
		return nil
	}
	if f.inRuns {
		if err := f.writeRuns(); err != nil {
			return err
		}
	}
	group := f.group
	f.rows, f.bytes, f.group = 0, 0, nil
	return group.Close()
}

// finish ends the file, sees it onto the disk and describes it as the table's commit names it.
func (f *dataFile) finish(tbl *table.Table) (_ iceberg.DataFile, err error) {
	defer recovered(&err)
	if err := f.flush(); err != nil {
		f.out.Close()
		return nil, err
	}
	if err := f.pq.Close(); err != nil {
		f.out.Close()
		return nil, err
	}
	if err := f.out.Close(); err != nil {
		return nil, err
	}
	meta, err := f.pq.FileMetadata()
	if err != nil {
		return nil, err
	}
	values := map[int]any{}
	if f.day != nil {
		spec := tbl.Spec()
		values[spec.Field(0).FieldID] = iceberg.Date(*f.day)
	}
	sortOrder := 0
	if f.order.sorted {
		sortOrder = f.order.id
	}
	return table.DataFileFromMetadata(table.DataFileArgs{
		Schema: tbl.Schema(), Spec: tbl.Spec(), Format: iceberg.ParquetFile, Content: iceberg.EntryContentData,
		Metadata: meta, FilePath: f.path, FileSize: f.sink.n, PartitionValues: values, SortOrderID: sortOrder,
		Properties: tbl.Properties(), FormatVersion: tbl.Metadata().Version(),
	})
}

// abandon lets the file go as it is.
func (f *dataFile) abandon() { _ = f.out.Close() }
