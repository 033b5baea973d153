package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/spillway-go/spillway/internal/fault"
)

// batchRows is how many rows are decoded at a time.
const batchRows = 4096

// parquetFile is a file of Parquet, read batch by batch. Each row becomes a JSON object of the columns.
type parquetFile struct {
	path    string
	size    int64 // bytes
	file    *file.Reader
	batches pqarrow.RecordReader // nil: no rows
	columns []parquetColumn
	routing [routingFields]int // the column of each routing field, or -1

	batch arrow.RecordBatch // the one in hand, owned by batches, or nil
	row   int               // the next of it
	read  int64             // rows
	rows  int64             // of the file
	value []byte            // the JSON of the row
	bad   int               // the first column of the last malformed row that is to blame
}

type parquetColumn struct {
	name   string
	typ    arrow.DataType
	prefix []byte // what stands before its value
}

// openParquet takes the file over, also when it fails.
func openParquet(path string, f *os.File, names [routingFields]string) (_ source, err error) {
	p := &parquetFile{path: path}
	defer func() {
		if err != nil {
			p.close()
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(path, 0, err)
	}
	p.size = info.Size()
	if err := guard(func() error { return p.open(f) }); err != nil {
		return nil, unreadable(path, 0, err)
	}
	return p, p.describe(names)
}

func (p *parquetFile) open(f *os.File) (err error) {
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true // pages, not whole column chunks, are in memory
	if p.file, err = file.NewParquetReader(f, file.WithReadProps(props)); err != nil {
		return err
	}
	p.rows = p.file.NumRows()
	// The Arrow schema that some writers put beside the file's own says nothing that matters here, and where it is damaged
	// the library takes any length in it for memory to be had.
	p.file.MetaData().FileMetaData.KeyValueMetadata = nil
	// Columns are read one after the other: goroutines of the library could panic where guard cannot see it.
	reader, err := pqarrow.NewFileReader(p.file, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	s, err := reader.Schema()
	if err != nil {
		return err
	}
	for _, f := range s.Fields() {
		p.columns = append(p.columns, parquetColumn{name: f.Name, typ: f.Type})
	}
	if p.rows > 0 {
		p.batches, err = reader.GetRecordReader(context.Background(), nil, nil)
	}
	return err
}

// describe holds the columns to what can be written and routed.
func (p *parquetFile) describe(names [routingFields]string) error {
	var faults fault.List
	var header []string
	for i := range p.columns {
		c := &p.columns[i]
		header = append(header, c.name)
		var err error
		if c.prefix, err = memberPrefix(p.path, i, c.name); err != nil {
			faults.Add(err)
		}
		if !writable(c.typ) {
			faults.Add(fault.New(p.path, fmt.Sprintf("has a column %q of the type %s, which cannot be sent", c.name, c.typ),
				"leave it out, or make it a number, text, boolean, date or timestamp"))
		}
	}
	var err error
	p.routing, err = routingColumns(p.path, header, names)
	faults.Add(err)
	return faults.Err()
}

func (p *parquetFile) next(r *record) error {
	if p.batch == nil || p.row == int(p.batch.NumRows()) {
		if err := p.nextBatch(); err != nil {
			return err
		}
	}
	*r = record{line: p.read + 1}
	p.value = p.value[:0]
	var starts [routingFields]int
	for i := range p.columns {
		p.value = append(p.value, p.columns[i].prefix...)
		for f, at := range p.routing {
			if at == i {
				starts[f] = len(p.value)
			}
		}
		var ok bool
		if p.value, ok = appendValue(p.value, p.batch.Column(i), p.row); !ok && !r.malformed {
			r.malformed, p.bad = true, i
		}
	}
	p.value = append(p.value, '}')
	r.value = p.value
	for f, at := range p.routing {
		if at >= 0 {
			r.fields[f] = valueToken(p.batch.Column(at), p.row, p.value[starts[f]:])
		}
	}
	p.row++
	p.read++
	return nil
}

func (p *parquetFile) nextBatch() error {
	p.batch = nil
	if p.batches == nil {
		return io.EOF
	}
	err := guard(func() error {
		if p.batches.Next() {
			p.batch, p.row = p.batches.RecordBatch(), 0
		}
		return p.batches.Err()
	})
	switch {
	case err != nil:
		p.batch = nil
		return unreadable(p.path, p.read, err)
	case p.batch != nil && p.batch.NumRows() > 0:
		return nil
	case p.read != p.rows:
		// The library takes a column that ends early for the end of the file.
		return unreadable(p.path, p.read, fmt.Errorf("%d rows are promised", p.rows))
	}
	return io.EOF
}

func (p *parquetFile) flaw() string {
	return fmt.Sprintf("column %q: cannot be written as JSON, because it is not UTF-8 or lies outside the years 0 to 9999",
		p.columns[p.bad].name)
}

func (p *parquetFile) consumed() int64 {
	if p.rows == 0 || p.read == p.rows {
		return p.size
	}
	return int64(float64(p.size) * float64(p.read) / float64(p.rows))
}

func (p *parquetFile) close() {
	// After a fault within, the library's own clean-up may fail as well, and there is nothing left to do about it.
	_ = guard(func() error {
		if p.batches != nil {
			p.batches.Release()
		}
		if p.file != nil {
			return p.file.Close()
		}
		return nil
	})
}

// guard turns a panic into an error. The Parquet library checks much of a damaged file by panicking.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if cause, ok := p.(error); ok {
				err = fmt.Errorf("damaged: %w", cause)
			} else {
				err = errors.New("damaged: " + fmt.Sprint(p))
			}
		}
	}()
	return f()
}
