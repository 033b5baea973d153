package spillway

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// rowWriter writes records in one of the formats for files.
type rowWriter interface {
	write(arrow.RecordBatch) error
	close() error
}

// newRowWriter writes records of the schema. A file of no rows still says what its columns are, where its format can.
func newRowWriter(format string, w io.Writer, sc *arrow.Schema) (rowWriter, error) {
	switch format {
	case "jsonl":
		return &jsonLines{w: bufio.NewWriterSize(w, 1<<16)}, nil
	case "csv":
		return newCSVLines(w, sc)
	case "parquet":
		return newParquetFile(w, sc)
	}
	return nil, fmt.Errorf("format %q is unknown", format)
}

// jsonLines writes an object a row: floats in their shortest form that reads back to the same bits, those that JSON cannot
// write as "NaN", "Infinity" and "-Infinity", and times as RFC 3339 with microseconds.
type jsonLines struct {
	w    *bufio.Writer
	line []byte
}

func (j *jsonLines) write(rec arrow.RecordBatch) error {
	for i := range int(rec.NumRows()) {
		j.line = append(j.line[:0], '{')
		for c := range int(rec.NumCols()) {
			if c > 0 {
				j.line = append(j.line, ',')
			}
			j.line = schema.AppendJSONText(j.line, rec.ColumnName(c))
			j.line = append(j.line, ':')
			var err error
			if j.line, err = appendJSON(j.line, rec.Column(c), i); err != nil {
				return err
			}
		}
		j.line = append(j.line, '}', '\n')
		if _, err := j.w.Write(j.line); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonLines) close() error { return j.w.Flush() }

func appendJSON(b []byte, col arrow.Array, i int) ([]byte, error) {
	if col.IsNull(i) {
		return append(b, "null"...), nil
	}
	switch a := col.(type) {
	case *array.String:
		return schema.AppendJSONText(b, a.Value(i)), nil
	case *array.Timestamp:
		return schema.AppendJSONTime(b, int64(a.Value(i))), nil
	case *array.Float64:
		return schema.AppendJSONFloat(b, a.Value(i)), nil
	}
	return appendCell(b, col, i)
}

// appendCell appends a value as plain text. A null is nothing.
func appendCell(b []byte, col arrow.Array, i int) ([]byte, error) {
	if col.IsNull(i) {
		return b, nil
	}
	switch a := col.(type) {
	case *array.String:
		return append(b, a.Value(i)...), nil
	case *array.Int64:
		return strconv.AppendInt(b, a.Value(i), 10), nil
	case *array.Int32:
		return strconv.AppendInt(b, int64(a.Value(i)), 10), nil
	case *array.Boolean:
		return strconv.AppendBool(b, a.Value(i)), nil
	case *array.Timestamp:
		return schema.AppendTime(b, int64(a.Value(i))), nil
	case *array.Float64:
		return schema.AppendFloat(b, a.Value(i)), nil
	}
	return b, fmt.Errorf("a column of type %s cannot be written", col.DataType())
}

// csvLines writes a header and a line a row. A null is an empty cell.
type csvLines struct {
	w     *csv.Writer
	cells []string
}

func newCSVLines(w io.Writer, sc *arrow.Schema) (*csvLines, error) {
	l := &csvLines{w: csv.NewWriter(w)}
	for _, f := range sc.Fields() {
		l.cells = append(l.cells, f.Name)
	}
	return l, l.w.Write(l.cells)
}

func (l *csvLines) write(rec arrow.RecordBatch) error {
	for i := range int(rec.NumRows()) {
		l.cells = l.cells[:0]
		for c := range int(rec.NumCols()) {
			text, err := appendCell(nil, rec.Column(c), i)
			if err != nil {
				return err
			}
			l.cells = append(l.cells, string(text))
		}
		if err := l.w.Write(l.cells); err != nil {
			return err
		}
	}
	return nil
}

func (l *csvLines) close() error {
	l.w.Flush()
	return l.w.Error()
}

// parquetFile writes a Parquet file.
type parquetFile struct{ pq *pqarrow.FileWriter }

// noClose keeps the Parquet writer from closing what it was lent.
type noClose struct{ io.Writer }

func newParquetFile(w io.Writer, sc *arrow.Schema) (*parquetFile, error) {
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy))
	pq, err := pqarrow.NewFileWriter(sc, noClose{w}, props, pqarrow.DefaultWriterProps())
	return &parquetFile{pq}, err
}

func (p *parquetFile) write(rec arrow.RecordBatch) error { return p.pq.WriteBuffered(rec) }
func (p *parquetFile) close() error                      { return p.pq.Close() }
