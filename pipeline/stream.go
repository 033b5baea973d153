package pipeline

import (
	"fmt"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Where keeps the events for which the predicate is true. What it removes asks nothing and counts nowhere, but still moves
// the watermark, and its ids are still remembered.
func (s *Stream) Where(p expr.Expr[bool]) *Stream {
	c := *s
	c.where = p.Node()
	if s.where != nil {
		c.where = &expr.Node{Op: expr.OpAnd, Kind: schema.Bool, Args: []*expr.Node{s.where, p.Node()}, Pos: p.Node().Pos}
	}
	return &c
}

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
	c := *s
	d := s.draft
	sch, errs := schema.Of(row, pos)
	for _, err := range errs {
		d.faults.Add(err)
	}
	if sch == nil {
		return &c
	}
	values := make([]*expr.Node, len(sch.Fields))
	for _, a := range set {
		i := sch.Index(a.field)
		switch {
		case i < 0:
			d.faults.Add(fault.New("Set in Select", fmt.Sprintf("sets something that is no column of %s", sch.Name),
				"pass the address of a tagged field of its struct").At(a.pos))
		case values[i] != nil:
			d.faults.Add(fault.New(sch.Name+"."+sch.Fields[i].GoName, "is set twice", "keep one").At(a.pos))
		default:
			values[i] = a.value
		}
	}
	for i, f := range sch.Fields {
		if f.Role != schema.Plain {
			d.faults.Add(fault.New(sch.Name+"."+f.GoName, fmt.Sprintf("has the role %s in a Select", f.Role),
				"leave it out: key, time and id remain the source's").At(pos))
		}
		if values[i] == nil && len(errs) == 0 {
			d.faults.Add(fault.New(sch.Name+"."+f.GoName, "is never set", "add a Set for it, or remove its tag").At(pos))
		}
	}
	c.rows = append(append([]*schema.Schema{}, s.rows...), sch)
	c.values = map[*schema.Schema][]*expr.Node{sch: values}
	for k, v := range s.values {
		c.values[k] = v
	}
	return &c
}

// resolve replaces the columns of the tree by the source's, those of a Select by their expressions.
func (s *Stream) resolve(n *expr.Node) (*expr.Node, error) {
	return n.Resolve(func(c *expr.Node) (*expr.Node, error) {
		for i, row := range s.rows {
			col := row.Index(c.Pointer)
			if col < 0 {
				if row.Holds(c.Pointer) {
					return nil, fault.New("column in "+row.Name, "its field has no spill tag", "tag it, as in `spill:\"amount\"`").At(c.Pos)
				}
				continue
			}
			if i > 0 {
				if v := s.values[row][col]; v != nil {
					return s.resolve(v)
				}
				return nil, fault.New(row.Name+"."+row.Fields[col].GoName, "is used but never set", "add a Set for it").At(c.Pos)
			}
			r := *c
			r.Column, r.Pointer = col, nil
			return &r, nil
		}
		name := "the source's struct"
		if len(s.rows) > 0 {
			name = s.rows[0].Name
		}
		return nil, fault.New("column", "points to no field of "+name,
			"use the address of a field of the variable that From (or Select) was given").At(c.Pos)
	})
}
