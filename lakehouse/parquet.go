package lakehouse

import (
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

const (
	groupRows = 1 << 17   // rows of a row group
	dictBytes = 512 << 10 // a column whose dictionary outgrows this goes on without one
)

// encodings are how columns are written; measured on both tables' rows, they are several times faster than Parquet's
// defaults and smaller. Whole numbers and times are deltas; texts have a dictionary, which sorted keys make tiny;
// floats are plain, since their values seldom repeat. Statistics are kept of the columns of the sort order only:
// readers prune by those, and the others cost a fifth of the time of writing.
func encodings(sc *arrow.Schema, y *layout) *parquet.WriterProperties {
	props := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(1),
		parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithMaxRowGroupLength(groupRows),
		parquet.WithDictionaryDefault(false), parquet.WithDictionaryPageSizeLimit(dictBytes),
		parquet.WithStats(false), parquet.WithCreatedBy("spillway"),
	}
	for _, f := range sc.Fields() {
		switch f.Type.ID() {
		case arrow.INT32, arrow.INT64, arrow.TIMESTAMP:
			props = append(props, parquet.WithEncodingFor(f.Name, parquet.Encodings.DeltaBinaryPacked))
		case arrow.STRING:
			props = append(props, parquet.WithDictionaryFor(f.Name, f.Name != y.unique))
		}
		if slices.Contains(y.order[:], f.Name) {
			props = append(props, parquet.WithStatsFor(f.Name, true))
		}
	}
	return parquet.NewWriterProperties(props...)
}

// dataFile is one Parquet file of one day while it is written.
type dataFile struct {
	path  string
	out   iceio.FileWriter
	sink  counter
	pq    *pqarrow.FileWriter
	day   *int32 // nil: of rows without a time
	rows  int64  // in the open row group
	bytes int64  // in the open row group, in Arrow's form
	order orderCheck
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
	out, err := fs.Create(path)
	if err != nil {
		return nil, err
	}
	f := &dataFile{path: path, out: out, sink: counter{Writer: out}, day: day, order: order}
	if f.pq, err = pqarrow.NewFileWriter(sc, &f.sink, props, pqarrow.DefaultWriterProps()); err != nil {
		out.Close()
		return nil, err
	}
	return f, nil
}

// write appends rows to the open row group.
func (f *dataFile) write(rows arrow.RecordBatch) (err error) {
	defer recovered(&err)
	f.order.see(rows)
	size := batchBytes(rows)
	if f.rows > 0 && f.rows+rows.NumRows() > groupRows { // The Parquet writer would too, but then f.bytes were wrong.
		if err := f.flush(); err != nil {
			return err
		}
	}
	if err := f.pq.WriteBuffered(rows); err != nil {
		return err
	}
	f.rows += rows.NumRows()
	f.bytes += size
	return nil
}

// flush ends the row group and gives its memory back.
func (f *dataFile) flush() (err error) {
	defer recovered(&err)
	f.rows, f.bytes = 0, 0
	return f.pq.NewBufferedRowGroupChecked()
}

// finish ends the file, sees it onto the disk and describes it as the table's commit names it.
func (f *dataFile) finish(tbl *table.Table) (_ iceberg.DataFile, err error) {
	defer recovered(&err)
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

// recovered makes an error of a panic: the Parquet writer panics on a disk that fails under it.
func recovered(err *error) {
	if p := recover(); p != nil {
		if e, ok := p.(error); ok {
			*err = e
		} else {
			*err = fmt.Errorf("writing Parquet: %v", p)
		}
	}
}

// batchBytes is about how much memory the rows take: Arrow's own count is that of whole buffers, shared ones too.
func batchBytes(rows arrow.RecordBatch) int64 {
	n := int64(0)
	for _, c := range rows.Columns() {
		switch c := c.(type) {
		case *array.String:
			n += int64(len(c.ValueBytes())) + 4*rows.NumRows()
		case *array.Binary:
			n += int64(len(c.ValueBytes())) + 4*rows.NumRows()
		default:
			n += 8 * rows.NumRows()
		}
	}
	return n
}
