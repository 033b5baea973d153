package load

import (
	"bytes"
	"io"

	"github.com/spillway-go/spillway/internal/fault"
)

// rows reads CSV as RFC 4180 has it: cells between commas, and in quotes those that hold commas, quotes (doubled) or
// newlines. What stands in quotes is kept to the byte, carriage returns included.
type rows struct {
	lines
	cells []cell // of the row
	text  []byte // theirs, one behind the other
	begin int64  // the line that the row begins at
}

// cell is one cell of a row.
type cell struct {
	start, end int // within the row's text
	quoted     bool
}

func (r *rows) cell(i int) []byte { return r.text[r.cells[i].start:r.cells[i].end] }

// next reads a row; lines that are empty are none. io.EOF is the end.
func (r *rows) next() error {
	r.cells, r.text = r.cells[:0], r.text[:0]
	for {
		line, err := r.lines.next()
		if err != nil {
			return err
		}
		if r.begin = r.number; len(line) > 0 && string(line) != "\r" {
			return r.split(line)
		}
	}
}

// split reads the cells of the row that begins with the line.
func (r *rows) split(line []byte) error {
	for {
		c := cell{start: len(r.text), quoted: len(line) > 0 && line[0] == '"'}
		if c.quoted {
			var err error
			if line, err = r.quoted(line[1:]); err != nil {
				return err
			}
		} else {
			line = r.bare(line)
		}
		c.end = len(r.text)
		if !c.quoted && bytes.IndexByte(r.text[c.start:], '"') >= 0 {
			return r.broken("has a quote within a cell that does not begin with one",
				"put the cell in quotes, and double those within it")
		}
		r.cells = append(r.cells, c)
		switch {
		case len(line) == 0 || string(line) == "\r":
			return nil
		case line[0] != ',':
			return r.broken("goes on behind the closing quote of a cell", "double the quotes within a cell")
		}
		line = line[1:]
	}
}

// bare reads a cell without quotes and returns what is left of the line.
func (r *rows) bare(line []byte) []byte {
	end := bytes.IndexByte(line, ',')
	if end < 0 {
		end = len(bytes.TrimSuffix(line, []byte{'\r'}))
	}
	r.text = append(r.text, line[:end]...)
	return line[end:]
}

// quoted reads a cell from behind its opening quote, over as many lines as it takes, and returns what is left of the last.
func (r *rows) quoted(line []byte) ([]byte, error) {
	for {
		end := bytes.IndexByte(line, '"')
		if end < 0 {
			r.text = append(append(r.text, line...), '\n')
			if len(r.text) > maxRecord {
				return nil, r.tooLong(r.begin)
			}
			var err error
			if line, err = r.lines.next(); err == io.EOF {
				return nil, r.broken("has a cell whose quotes are never closed", "close them")
			} else if err != nil {
				return nil, err
			}
			continue
		}
		r.text = append(r.text, line[:end]...)
		if line = line[end+1:]; len(line) == 0 || line[0] != '"' {
			return line, nil
		}
		r.text = append(r.text, '"')
		line = line[1:]
	}
}

func (r *rows) broken(what, remedy string) error {
	return fault.New("row", what, remedy).At(fault.Pos{File: r.path, Line: int(r.begin)})
}
