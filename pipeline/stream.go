package pipeline

import (
	"reflect"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Stream is the events of a source, or what Where and Select make of them.
type Stream struct {
	draft *Draft
	where *expr.Node // over the source's columns; nil: every event
	rows  []rowStruct
}

// rowStruct is a struct whose fields stand for columns: the source's, or one of a Select.
type rowStruct struct {
	schema *schema.Schema // nil when the user's struct is none
	values []*expr.Node   // of a Select: what each column is, over the source's; nil where that has a fault, all nil while it is made
}

// Where keeps the events for which the predicate is true. What it removes asks nothing and counts nowhere, but still moves
// the watermark, and its ids are still remembered. Where after Where keeps what passes both.
func (s *Stream) Where(p expr.Expr[bool]) *Stream {
	pos := fault.Caller(1)
	s.mustRun(pos, "Where")
	c := *s
	c.where = s.draft.resolve(s, p.Node(), pos)
	if s.where != nil && c.where != nil {
		c.where = &expr.Node{Op: expr.OpAnd, Kind: schema.Bool, Args: []*expr.Node{s.where, c.where}, Pos: pos}
	}
	return &c
}

// column gives what a column of the user's structs is in terms of the source's. It gives neither a node nor a fault for
// one whose fault is known already.
func (s *Stream) column(c *expr.Node) (*expr.Node, *fault.Error) {
	for i, row := range s.rows {
		if row.schema == nil {
			return nil, nil // There is no telling whose column it is.
		}
		switch at := row.schema.Index(c.Pointer); {
		case at < 0:
		case i == 0:
			r := *c
			r.Column, r.Pointer = at, nil
			return &r, nil
		case row.values == nil:
			return nil, fault.New(row.schema.Name+"."+row.schema.Fields[at].GoName, "is used by the Select that sets it",
				"use what it is made of, or a second Select")
		default:
			return row.value(at), nil
		}
		if field, held := row.schema.Miss(c.Pointer); held {
			if field == "" {
				return nil, nil
			}
			return nil, noColumn(field)
		}
	}
	if reflect.ValueOf(c.Pointer).IsNil() {
		return nil, fault.New("column", "is a nil pointer", "use the address of a tagged field")
	}
	return nil, fault.New("column", "points to no field of "+s.rows[0].schema.Name,
		"use the address of a field of the variable that From (or Select) was given")
}

// value is what a column of a Select is, by its name; nil where that has a fault.
func (r *rowStruct) value(column int) *expr.Node {
	if r.values[column] == nil {
		return nil
	}
	v := *r.values[column]
	v.Name = r.schema.Fields[column].Name
	return &v
}

func noColumn(field string) *fault.Error {
	return fault.New(field, "is no column", "tag it, as in `spill:\"amount\"`, in the struct itself or in one embedded there")
}

func (s *Stream) mustRun(pos fault.Pos, thing string) {
	var d *Draft
	if s != nil {
		d = s.draft
	}
	d.mustRun(pos, thing, "its stream is nil", "pass what From, Where or Select gave")
}
