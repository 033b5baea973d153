package spillway

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// rowWriter writes records in one of the formats for files.
type rowWriter interface {
	write(arrow.RecordBatch) error
	close() error
}

func newRowWriter(format string, w io.Writer) (rowWriter, error) {
	switch format {
	case "jsonl":
		return &jsonLines{w: bufio.NewWriterSize(w, 1<<16)}, nil
	case "csv":
		return &csvLines{w: csv.NewWriter(w)}, nil
	case "parquet":
		return &parquetFile{w: w}, nil
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
			j.line = strconv.AppendQuote(j.line, rec.ColumnName(c))
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
	text, isText, err := cell(col, i)
	switch {
	case err != nil || col.IsNull(i):
		return append(b, "null"...), err
	case !isText:
		return append(b, text...), nil
	}
	quoted, err := json.Marshal(text)
	return append(b, quoted...), err
}

// cell is a value in words, and whether JSON writes it in quotes. A null is "".
func cell(col arrow.Array, i int) (text string, quoted bool, err error) {
	if col.IsNull(i) {
		return "", false, nil
	}
	switch a := col.(type) {
	case *array.String:
		return a.Value(i), true, nil
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), false, nil
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(i)), 10), false, nil
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), false, nil
	case *array.Timestamp:
		return time.UnixMicro(int64(a.Value(i))).UTC().Format("2006-01-02T15:04:05.000000Z"), true, nil
	case *array.Float64:
		return floatText(a.Value(i))
	}
	return "", false, fmt.Errorf("a column of type %s cannot be written", col.DataType())
}

func floatText(f float64) (string, bool, error) {
	switch {
	case f != f:
		return "NaN", true, nil
	case math.IsInf(f, 1):
		return "Infinity", true, nil
	case math.IsInf(f, -1):
		return "-Infinity", true, nil
	}
	return strconv.FormatFloat(f, 'g', -1, 64), false, nil
}

// csvLines writes a header and a line a row. A null is an empty cell.
type csvLines struct {
	w      *csv.Writer
	headed bool
	cells  []string
}

func (l *csvLines) write(rec arrow.RecordBatch) error {
	if !l.headed {
		l.headed = true
		for c := range int(rec.NumCols()) {
			l.cells = append(l.cells, rec.ColumnName(c))
		}
		if err := l.w.Write(l.cells); err != nil {
			return err
		}
	}
	for i := range int(rec.NumRows()) {
		l.cells = l.cells[:0]
		for c := range int(rec.NumCols()) {
			text, _, err := cell(rec.Column(c), i)
			if err != nil {
				return err
			}
			l.cells = append(l.cells, text)
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

// parquetFile writes a Parquet file with the columns of the first record.
type parquetFile struct {
	w  io.Writer
	pq *pqarrow.FileWriter
}

// noClose keeps the Parquet writer from closing what it was lent.
type noClose struct{ io.Writer }

func (p *parquetFile) write(rec arrow.RecordBatch) (err error) {
	if p.pq == nil {
		props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy))
		if p.pq, err = pqarrow.NewFileWriter(rec.Schema(), noClose{p.w}, props, pqarrow.DefaultWriterProps()); err != nil {
			return err
		}
	}
	return p.pq.WriteBuffered(rec)
}

func (p *parquetFile) close() error {
	if p.pq == nil {
		return nil // No row, no columns, no file.
	}
	return p.pq.Close()
}
