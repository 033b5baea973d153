package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// Text writes the resolved tree in the canonical form that enters a plan's hash, with the columns' names. Trees over one
// source have one text exactly when they are the same.
func (n *Node) Text(names func(column int) string) string {
	var b strings.Builder
	n.text(&b, names)
	return b.String()
}

func (n *Node) text(b *strings.Builder, names func(int) string) {
	switch n.Op {
	case OpColumn:
		b.WriteString(columnText(names(n.Column)))
	case OpLiteral:
		b.WriteString(literalText(n.Lit, n.Kind))
	default:
		b.WriteByte('(')
		b.WriteString(n.Op.String())
		if n.Op == OpCall {
			b.WriteByte(' ')
			b.WriteString(strconv.Quote(n.Func.Name))
		}
		for _, a := range n.Args {
			b.WriteByte(' ')
			a.text(b, names)
		}
		b.WriteByte(')')
	}
}

// columnText is a column's name, marked where it could be taken for a constant.
func columnText(name string) string {
	switch {
	case name == "true" || name == "false" || name == "null" || name == "NaN", name[0] >= '0' && name[0] <= '9':
		return "`" + name + "`"
	}
	return name
}

// literalText is a constant, a float so that it cannot be taken for a whole number: 7/2 is 3, and 7.0/2.0 is 3.5.
func literalText(d Datum, kind schema.Kind) string {
	s := d.Text(kind)
	if kind == schema.Float && strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

// Text writes the value so that values of one kind differ in text exactly when they differ.
func (d Datum) Text(kind schema.Kind) string {
	switch {
	case d.Null:
		return "null"
	case kind == schema.Bool:
		return strconv.FormatBool(d.I != 0)
	case kind == schema.Int:
		return strconv.FormatInt(d.I, 10)
	case kind == schema.Float:
		return strconv.FormatFloat(d.F, 'g', -1, 64)
	case kind == schema.Text:
		return strconv.Quote(d.S)
	case kind == schema.Time:
		return strconv.FormatInt(d.I, 10) + "us"
	}
	return fmt.Sprintf("invalid(%v)", kind)
}
