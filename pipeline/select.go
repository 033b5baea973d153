package pipeline

import (
	"fmt"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Assignment is one column of a Select.
type Assignment struct {
	field any
	value *expr.Node
	pos   fault.Pos
}

// Set gives the field of Select's struct its value.
func Set[T expr.Scalar](field *T, value expr.Expr[T]) Assignment {
	return Assignment{field: field, value: value.Node(), pos: fault.Caller(1)}
}

// Select names derived columns: the fields of the struct that row points to, each Set to an expression over the columns
// known so far. Those stay known. Key, time and id remain the source's.
func Select[T any](s *Stream, row *T, set ...Assignment) *Stream {
	pos := fault.Caller(1)
	s.mustRun(pos, "Select")
	return s.with(pos, row, set)
}

// with is the stream with the columns of another struct.
func (s *Stream) with(pos fault.Pos, row any, set []Assignment) *Stream {
	d := s.draft
	sch, faults := schema.Of(row, pos)
	d.add(faults...)
	c := *s
	c.rows = append(c.rows[:len(c.rows):len(c.rows)], rowStruct{schema: sch})
	if sch == nil {
		return &c
	}
	for _, known := range s.rows {
		if known.schema == nil {
			continue
		}
		if _, held := known.schema.Miss(row); held {
			d.fault(pos, sch.Name, "is a variable whose fields are columns already", "give Select a variable of its own")
			return s
		}
	}
	values := make([]*expr.Node, len(sch.Fields))
	done := make([]bool, len(sch.Fields))
	for _, a := range set {
		i := sch.Index(a.field)
		switch {
		case i < 0:
			d.missing(a.pos, sch, a.field, "Set", "Select")
		case done[i]:
			d.fault(a.pos, sch.Name+"."+sch.Fields[i].GoName, "is set twice", "keep one")
		default:
			values[i], done[i] = d.resolve(&c, a.value, a.pos), true
		}
	}
	for i, f := range sch.Fields {
		thing := sch.Name + "." + f.GoName
		switch {
		case f.Role != schema.Plain:
			d.fault(pos, thing, fmt.Sprintf("has the role %s in a Select", f.Role), "leave it out: key, time and id remain the source's")
		case f.Nullable:
			d.fault(pos, thing, fmt.Sprintf("type %s in a Select", f.GoType), "use the plain type: any column may be null as it is")
		case !done[i]:
			d.fault(pos, thing, "is never set", "add a Set for it, or remove its tag")
		}
		if other := s.named(f.Name); other != "" {
			d.fault(pos, thing, fmt.Sprintf("column %q is also %s", f.Name, other), "choose another name: both are known from here on")
		}
	}
	c.rows[len(c.rows)-1].values = values
	return &c
}

// named is the field of the known column of that name, or "".
func (s *Stream) named(column string) string {
	for _, row := range s.rows {
		if row.schema == nil {
			continue
		}
		if i := row.schema.ByName(column); i >= 0 {
			return row.schema.Name + "." + row.schema.Fields[i].GoName
		}
	}
	return ""
}

// missing says that a pointer given to the function what is no column of the struct given to the function to, unless it is
// one whose fault has been said.
func (d *Draft) missing(pos fault.Pos, s *schema.Schema, ptr any, what, to string) {
	field, held := s.Miss(ptr)
	switch {
	case !held:
		d.fault(pos, what, "its field is no column of "+s.Name,
			"pass the address of a tagged field of the variable that "+to+" was given")
	case field != "":
		d.add(noColumn(field).At(pos))
	}
}
