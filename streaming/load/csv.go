package load

import (
	"fmt"
	"io"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// csvFile is a file of CSV, whose first row names the columns. Each other row becomes a JSON object of the same columns.
type csvFile struct {
	rows
	columns []csvColumn
	routing [routingFields]int // the column of each routing field, or -1
	value   []byte             // the JSON of the row
	bad     int                // the first column of the last malformed row that is to blame
}

type csvColumn struct {
	name   string
	prefix []byte       // what stands before its value
	field  schema.Field // of a column that the schema does not have, a Text
}

func newCSV(in *input, names [routingFields]string, s *schema.Schema) (*csvFile, error) {
	c := &csvFile{rows: rows{lines: lines{input: in}}}
	if err := c.rows.next(); err == io.EOF {
		return nil, fault.New(in.path, "has no row that names the columns", "begin it with one")
	} else if err != nil {
		return nil, err
	}
	var header []string
	for i := range c.cells {
		header = append(header, string(c.cell(i)))
	}
	var err error
	if c.routing, err = routingColumns(in.path, header, names); err != nil {
		return nil, err
	}
	for i, name := range header {
		column := csvColumn{name: name, field: schema.Field{Kind: schema.Text}}
		if column.prefix, err = memberPrefix(in.path, i, name); err != nil {
			return nil, err
		}
		if s != nil {
			if f := s.ByName(name); f >= 0 {
				column.field = s.Fields[f]
			}
		}
		c.columns = append(c.columns, column)
	}
	return c, nil
}

func (c *csvFile) next(r *record) error {
	if err := c.rows.next(); err != nil {
		return err
	}
	if len(c.cells) != len(c.columns) {
		return c.broken(fmt.Sprintf("has %d cells, and the first row names %d columns", len(c.cells), len(c.columns)),
			"correct it; a cell with a comma needs quotes")
	}
	*r = record{line: c.begin}
	c.value = c.value[:0]
	for i := range c.columns {
		column := &c.columns[i]
		c.value = append(c.value, column.prefix...)
		var ok bool
		if c.value, ok = appendCell(c.value, c.cell(i), c.cells[i].quoted, &column.field); !ok && !r.malformed {
			r.malformed, c.bad = true, i
		}
	}
	c.value = append(c.value, '}')
	r.value = c.value
	for f, i := range c.routing {
		if i >= 0 {
			r.fields[f] = c.token(i)
		}
	}
	return nil
}

// token is a cell as a routing field.
func (c *csvFile) token(i int) token {
	if isNull(c.cell(i), c.cells[i].quoted, c.columns[i].field.Kind) {
		return token{kind: tokenNull}
	}
	return token{tokenCell, c.cell(i)}
}

func (c *csvFile) flaw() string {
	column := &c.columns[c.bad]
	switch column.field.Kind {
	case schema.Text:
		return fmt.Sprintf("column %q: is not UTF-8", column.name)
	case schema.Int:
		return fmt.Sprintf("column %q: %.40q is no int from %d to %d", column.name, c.cell(c.bad),
			column.field.Min, column.field.Max)
	}
	return fmt.Sprintf("column %q: %.40q is no %s", column.name, c.cell(c.bad), column.field.Kind)
}

// routingColumns finds the routing fields among the columns.
func routingColumns(path string, header []string, names [routingFields]string) (at [routingFields]int, err error) {
	var faults fault.List
	seen := make(map[string]int, len(header))
	for i, name := range header {
		if first, twice := seen[name]; twice {
			faults.Add(fault.New(path, fmt.Sprintf("has two columns %q, the %d. and the %d.", name, first+1, i+1),
				"give each a name of its own"))
		}
		seen[name] = i
	}
	for f, name := range names {
		at[f] = -1
		if name == "" {
			continue
		}
		if i, ok := seen[name]; ok {
			at[f] = i
			continue
		}
		faults.Add(fault.New(path, fmt.Sprintf("has no column %q, the %s field", name, fieldNames[f]),
			fmt.Sprintf("choose one of its columns: %.300q", header)))
	}
	return at, faults.Err()
}

// memberPrefix is what stands before the value of the column at position i: a brace or a comma, and the name.
func memberPrefix(path string, i int, name string) ([]byte, error) {
	prefix := []byte{','}
	if i == 0 {
		prefix[0] = '{'
	}
	prefix, ok := appendText(prefix, []byte(name))
	if !ok {
		return nil, fault.New(path, fmt.Sprintf("has a column %q, whose name is not UTF-8", name), "rename it")
	}
	return append(prefix, ':'), nil
}
