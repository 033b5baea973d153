package training

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// field is a field of a CSV record: an empty one without quotes is null.
type field struct {
	text   string
	quoted bool
}

func (f field) null() bool { return f.text == "" && !f.quoted }

// csvReader reads records as RFC 4180 has them. Unlike encoding/csv it tells an empty field from an empty text, and leaves
// line ends in quotes as they are.
type csvReader struct {
	in     *bufio.Reader
	line   int // of the next byte, from 1
	record []byte
	ends   []int
	quoted []bool
}

var (
	errQuote   = errors.New("a quote within a field that has none around it, or text behind the closing one")
	errUnended = errors.New("a quoted field has no end")

	errEncoding = errors.New("text that is not UTF-8")
)

// read reads the next record and the line that it begins on; io.EOF ends them. Lines that are empty are passed over where
// records have more than one field.
func (r *csvReader) read(fields []field, width int) ([]field, int, error) {
	for {
		line := r.line
		if err := r.scan(); err != nil {
			return fields, line, err
		}
		if !utf8.Valid(r.record) {
			return fields, line, errEncoding
		}
		if len(r.record) == 0 && len(r.ends) == 1 && !r.quoted[0] && width != 1 {
			continue
		}
		text, start := string(r.record), 0
		fields = fields[:0]
		for i, end := range r.ends {
			fields = append(fields, field{text[start:end], r.quoted[i]})
			start = end
		}
		return fields, line, nil
	}
}

// scan reads one record into record, ends and quoted.
func (r *csvReader) scan() error {
	r.record, r.ends, r.quoted = r.record[:0], r.ends[:0], r.quoted[:0]
	if _, err := r.in.Peek(1); err != nil {
		return err
	}
	for {
		more, err := r.field()
		if err != nil || !more {
			return err
		}
	}
}

// field reads one field, and tells whether another follows in the record.
func (r *csvReader) field() (more bool, err error) {
	b, err := r.next()
	quoted := err == nil && b == '"'
	if quoted {
		b, err = r.quotedField()
	} else {
		b, err = r.bareField(b, err)
	}
	if err != nil && err != io.EOF {
		return false, err
	}
	r.ends, r.quoted = append(r.ends, len(r.record)), append(r.quoted, quoted)
	return err == nil && b == ',', nil
}

// bareField reads on from the first byte of a field without quotes, and gives the byte behind the field.
func (r *csvReader) bareField(b byte, err error) (byte, error) {
	start := len(r.record)
	for ; err == nil && b != ',' && b != '\n'; b, err = r.next() {
		if b == '"' {
			return b, errQuote
		}
		r.record = append(r.record, b)
	}
	if n := len(r.record); err == nil && b == '\n' && n > start && r.record[n-1] == '\r' {
		r.record = r.record[:n-1]
	}
	return b, err
}

// quotedField reads on behind an opening quote, and gives the byte behind the field.
func (r *csvReader) quotedField() (byte, error) {
	for {
		b, err := r.next()
		if err == io.EOF {
			err = errUnended
		}
		if err != nil {
			return 0, err
		}
		if b == '"' {
			if b, err = r.next(); err != nil || b != '"' {
				return r.afterQuote(b, err)
			}
		}
		r.record = append(r.record, b)
	}
}

// afterQuote holds what follows a closing quote to the end of the field or of the line.
func (r *csvReader) afterQuote(b byte, err error) (byte, error) {
	if err == nil && b == '\r' {
		if b, err = r.next(); err == nil && b == ',' {
			return b, errQuote
		}
	}
	if err == nil && b != ',' && b != '\n' {
		return b, errQuote
	}
	return b, err
}

func (r *csvReader) next() (byte, error) {
	b, err := r.in.ReadByte()
	if b == '\n' && err == nil {
		r.line++
	}
	return b, err
}

// textColumn is a column of a CSV file.
type textColumn struct {
	name   string
	fields []field
}

func readCSV(ctx context.Context, path string, in io.Reader, o Options) (*Labels, error) {
	l := &Labels{path: path}
	r := &csvReader{in: bufio.NewReaderSize(in, 1<<16), line: 1}
	if bom, _ := r.in.Peek(3); string(bom) == "\ufeff" {
		r.in.Discard(3)
	}
	header, line, err := r.read(nil, 0)
	if err == io.EOF {
		return nil, fault.New("labels "+path, "are empty", "write the names of the columns into the first line")
	}
	if err != nil {
		return nil, l.unreadable(line, err)
	}
	columns := make([]*textColumn, len(header))
	for i, f := range header {
		l.names = append(l.names, f.text)
		columns[i] = &textColumn{name: f.text}
		l.cols = append(l.cols, columns[i])
	}
	key, at, err := l.place(o)
	if err != nil {
		return nil, err
	}
	x := l.index()
	fields := header
	for ctx.Err() == nil {
		fields, line, err = r.read(fields, len(columns))
		if err == io.EOF {
			return l, nil
		}
		if err == nil && len(fields) != len(columns) {
			err = fmt.Errorf("%d fields, and the first line names %d columns", len(fields), len(columns))
		}
		if err != nil {
			return nil, l.unreadable(line, err)
		}
		k, t := fields[key], fields[at]
		err = x.addText(fmt.Sprintf("line %d", line), o.Key, k.text, !k.null(), o.Time, t.text, !t.null())
		if err != nil {
			return nil, err
		}
		for i, f := range fields {
			columns[i].fields = append(columns[i].fields, f)
		}
	}
	return nil, ctx.Err()
}

func (l *Labels) unreadable(line int, err error) error {
	return fault.Wrap(err, fmt.Sprintf("labels %s, line %d", l.path, line), "cannot be read", "mend the line")
}

func (c *textColumn) appendCSV(dst []byte, i int) []byte {
	if c.fields[i].null() {
		return dst
	}
	return appendField(dst, c.fields[i].text)
}

func (c *textColumn) appendJSON(dst []byte, i int) []byte {
	if c.fields[i].null() {
		return append(dst, "null"...)
	}
	return schema.AppendJSONText(dst, c.fields[i].text)
}

func (c *textColumn) array() (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(len(c.fields))
	for _, f := range c.fields {
		if f.null() {
			b.AppendNull()
		} else {
			b.Append(f.text)
		}
	}
	return b.NewArray(), nil
}
