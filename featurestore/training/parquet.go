package training

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// arrowColumn is a column of a Parquet file.
type arrowColumn struct {
	values arrow.Array
}

func readParquet(ctx context.Context, path string, o Options) (*Labels, error) {
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, explainFile(path, err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1 << 16, Parallel: true}, memory.DefaultAllocator)
	if err != nil {
		return nil, explainFile(path, err)
	}
	table, err := r.ReadTable(ctx)
	if err != nil {
		return nil, explainFile(path, err)
	}
	defer table.Release()
	l := &Labels{path: path}
	for i := range int(table.NumCols()) {
		c := table.Column(i)
		values, err := whole(c.Data())
		if err != nil {
			return nil, fmt.Errorf("labels %s, column %q: %w", path, c.Name(), err)
		}
		l.names = append(l.names, c.Name())
		l.cols = append(l.cols, &arrowColumn{values})
	}
	key, at, err := l.place(o)
	if err != nil {
		return nil, err
	}
	return l, l.indexArrow(o, l.cols[key].(*arrowColumn).values, l.cols[at].(*arrowColumn).values)
}

// whole is a column as one array.
func whole(c *arrow.Chunked) (arrow.Array, error) {
	if len(c.Chunks()) == 0 {
		return array.MakeArrayOfNull(memory.DefaultAllocator, c.DataType(), 0), nil
	}
	return array.Concatenate(c.Chunks(), memory.DefaultAllocator)
}

// indexArrow takes the keys and times from their columns. Rows count from 1.
func (l *Labels) indexArrow(o Options, keys, times arrow.Array) error {
	key, ok := textsOf(keys)
	if !ok {
		return fault.New("labels "+l.path, fmt.Sprintf("the key %q is of type %s", o.Key, keys.DataType()), "write it as strings")
	}
	at, ok := timesOf(times)
	if !ok {
		return fault.New("labels "+l.path, fmt.Sprintf("the time %q is of type %s", o.Time, times.DataType()),
			"write it as timestamps")
	}
	x := l.index()
	for i := range keys.Len() {
		where := func() string { return fmt.Sprintf("row %d", i+1) }
		switch {
		case keys.IsNull(i):
			return l.fail(where(), fmt.Sprintf("the key %q is null", o.Key), keyRemedy)
		case times.IsNull(i):
			return l.fail(where(), fmt.Sprintf("the time %q is null", o.Time), "remove the label, or give it a time")
		}
		micros, err := at(i)
		if err != nil {
			return l.fail(where(), fmt.Sprintf("the time %q is %s, %v", o.Time, times.ValueStr(i), err), "mend the time")
		}
		if err := x.add(key(i), micros); err != nil {
			return err
		}
	}
	return nil
}

// textsOf reads a column of texts, whatever its layout.
func textsOf(a arrow.Array) (func(i int) string, bool) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, true
	case *array.LargeString:
		return a.Value, true
	case *array.StringView:
		return a.Value, true
	case *array.Dictionary:
		values, ok := textsOf(a.Dictionary())
		return func(i int) string { return values(a.GetValueIndex(i)) }, ok
	}
	return nil, false
}

// timesOf reads a column of times, in µs.
func timesOf(a arrow.Array) (func(i int) (int64, error), bool) {
	if ts, ok := a.(*array.Timestamp); ok {
		unit := ts.DataType().(*arrow.TimestampType).Unit
		return func(i int) (int64, error) { return checkTime(ts.Value(i).ToTime(unit)) }, true
	}
	texts, ok := textsOf(a)
	return func(i int) (int64, error) { return parseTime(texts(i)) }, ok
}

func (c *arrowColumn) array() (arrow.Array, error) {
	c.values.Retain()
	return c.values, nil
}

func (c *arrowColumn) appendCSV(dst []byte, i int) []byte {
	if c.values.IsNull(i) {
		return dst
	}
	if text, ok := c.text(i); ok {
		return appendField(dst, text)
	}
	if f, ok := floatOf(c.values, i); ok {
		return schema.AppendFloat(dst, f)
	}
	return appendField(dst, c.values.ValueStr(i))
}

func (c *arrowColumn) appendJSON(dst []byte, i int) []byte {
	if c.values.IsNull(i) {
		return append(dst, "null"...)
	}
	if text, ok := c.text(i); ok {
		return schema.AppendJSONText(dst, text)
	}
	if f, ok := floatOf(c.values, i); ok {
		return schema.AppendJSONFloat(dst, f)
	}
	b, err := json.Marshal(c.values.GetOneForMarshal(i))
	if err != nil {
		return schema.AppendJSONText(dst, c.values.ValueStr(i))
	}
	return append(dst, b...)
}

// text is a value that is a text, or is written as one.
func (c *arrowColumn) text(i int) (string, bool) {
	if texts, ok := textsOf(c.values); ok {
		return texts(i), true
	}
	ts, ok := c.values.(*array.Timestamp)
	if !ok {
		return "", false
	}
	typ := ts.DataType().(*arrow.TimestampType)
	t := ts.Value(i).ToTime(typ.Unit)
	if typ.TimeZone == "" {
		return t.Format("2006-01-02T15:04:05.999999999"), true
	}
	return t.Format(time.RFC3339Nano), true
}

func floatOf(a arrow.Array, i int) (float64, bool) {
	f, ok := a.(*array.Float64)
	if !ok {
		return 0, false
	}
	return f.Value(i), true
}

// rowGroup is how many rows a row group of a training set has at most.
const rowGroup = 1 << 17

func (s *Set) writeParquet(out io.Writer) error {
	fields := make([]arrow.Field, 0, len(s.names))
	columns := make([]arrow.Column, 0, len(s.names))
	defer func() {
		for i := range columns {
			columns[i].Release()
		}
	}()
	for i, c := range s.cols {
		a, err := c.array()
		if err != nil {
			return err
		}
		fields = append(fields, arrow.Field{Name: s.names[i], Type: a.DataType(), Nullable: true})
		chunks := arrow.NewChunked(a.DataType(), []arrow.Array{a})
		columns = append(columns, *arrow.NewColumn(fields[i], chunks))
		chunks.Release()
		a.Release()
	}
	table := array.NewTable(arrow.NewSchema(fields, nil), columns, int64(s.Rows))
	defer table.Release()
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd))
	// The stored schema keeps types that Parquet itself does not have.
	return pqarrow.WriteTable(table, out, rowGroup, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
}
