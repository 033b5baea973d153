package lakehouse

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

const (
	groupRows = 1 << 17   // rows of a row group
	dictBytes = 512 << 10 // a column whose dictionary outgrows this goes on without one
)

// encodings are how columns are written; measured on both tables' rows, they are several times faster than Parquet's
// defaults and smaller. Whole numbers and times are deltas, of which compression would leave as much as there was; texts
// have a dictionary, which sorted keys make tiny; of floats the bytes of one weight stand together, which compresses better
// than values and in less time. Statistics are kept of the columns of the sort order only: readers prune by those, and the
// others cost a fifth of the time of writing.
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
			props = append(props, parquet.WithEncodingFor(f.Name, parquet.Encodings.DeltaBinaryPacked),
				parquet.WithCompressionFor(f.Name, compress.Codecs.Uncompressed))
		case arrow.FLOAT64:
			props = append(props, parquet.WithEncodingFor(f.Name, parquet.Encodings.ByteStreamSplit))
		case arrow.STRING:
			props = append(props, parquet.WithDictionaryFor(f.Name, f.Name != y.unique))
		}
		if slices.Contains(y.order[:], f.Name) {
			props = append(props, parquet.WithStatsFor(f.Name, true))
		}
	}
	return parquet.NewWriterProperties(props...)
}

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
