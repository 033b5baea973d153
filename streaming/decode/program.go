package decode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// program is how to read the records of one writer's schema into the columns of one source.
type program struct {
	fields []*step  // one for each field of the record that takes any bytes, in the order of the schema
	names  []string // of those fields
	absent []int    // the columns that the record has no field for
}

// step is how to read one value, into a column or past it.
type step struct {
	op     op
	column int      // the index of the column, for the operations that fill one
	size   int      // opSkipFixed: bytes
	steps  []*step  // opUnion: the branches; opSkipRecord: the fields; opSkipBlocks: the item
	texts  []string // opEnum: the symbols; opRefuse: the type
}

// op is what a step does.
type op uint8

const (
	opNothing    op = iota // no bytes
	opNull                 // no bytes; the column is null
	opBool                 // boolean to Bool
	opLong                 // int or long to Int
	opFloat                // float to Float
	opDouble               // double to Float
	opRound                // int or long to Float
	opText                 // string or bytes to Text
	opEnum                 // enum to Text
	opMillis               // timestamp-millis to Time
	opMicros               // timestamp-micros to Time
	opNanos                // timestamp-nanos to Time
	opRefuse               // the branch of a union that the column does not take
	opUnion                // a branch, to the same column or to none
	opSkipLong             // int, long or enum
	opSkipFixed            // boolean, float, double or fixed
	opSkipBytes            // bytes or string
	opSkipRecord           // record
	opSkipBlocks           // array or map
)

// avroTypes is what each kind of column takes, as a fault names it.
var avroTypes = [...]string{
	schema.Bool:  "boolean",
	schema.Int:   "int or long",
	schema.Float: "double, float, int or long",
	schema.Text:  "string, bytes or enum",
	schema.Time:  "long with the logical type timestamp-millis, timestamp-micros or timestamp-nanos",
}

// compileAvro makes the program, or returns every fault of the writer's schema against the columns.
func compileAvro(writer *avro.SchemaNode, fields []schema.Field) (*program, error) {
	c := &compiler{named: map[string]*avro.SchemaNode{}, skips: map[string]*step{}}
	c.define(writer)
	var faults fault.List
	p := &program{}
	for i := range writer.Fields {
		f := &writer.Fields[i]
		if s := c.field(f, fields, writer.Namespace, &faults); s.op != opNothing {
			p.fields = append(p.fields, s)
			p.names = append(p.names, f.Name)
		}
	}
	for i := range fields {
		named := func(f avro.SchemaField) bool { return f.Name == fields[i].Name }
		if !slices.ContainsFunc(writer.Fields, named) {
			p.absent = append(p.absent, i)
		}
	}
	return p, faults.Err()
}

// compiler knows the named types of one writer's schema.
type compiler struct {
	named map[string]*avro.SchemaNode
	skips map[string]*step // the steps past named types; those of recursive types lead back into themselves
}

func (c *compiler) field(f *avro.SchemaField, fields []schema.Field, space string, faults *fault.List) *step {
	at := slices.IndexFunc(fields, func(column schema.Field) bool { return column.Name == f.Name })
	if at < 0 {
		return c.skip(&f.Type, space)
	}
	// Writers have been seen to put the logical type beside the field's type instead of into it; parsers read it there.
	logical, _ := f.Props["logicalType"].(string)
	s := c.fill(&fields[at], at, &f.Type, space, logical)
	if s.op == opRefuse {
		faults.Add(fault.New("column "+f.Name, fmt.Sprintf("is %s, but the Avro schema has %s", fields[at].Kind, s.texts[0]),
			"write it as "+avroTypes[fields[at].Kind]+", or change the type of the Go field"))
	}
	return s
}

// define collects the named types below a node.
func (c *compiler) define(n *avro.SchemaNode) {
	if n.Name != "" {
		c.named[fullName(n)] = n
	}
	for i := range n.Fields {
		c.define(&n.Fields[i].Type)
	}
	for i := range n.Branches {
		c.define(&n.Branches[i])
	}
	if n.Items != nil {
		c.define(n.Items)
	}
	if n.Values != nil {
		c.define(n.Values)
	}
}

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

// resolve follows a reference to a named type, from within a namespace.
func (c *compiler) resolve(n *avro.SchemaNode, space string) *avro.SchemaNode {
	if space != "" && !strings.Contains(n.Type, ".") {
		if def := c.named[space+"."+n.Type]; def != nil {
			return def
		}
	}
	if def := c.named[n.Type]; def != nil {
		return def
	}
	return n
}

// fill is the step that reads a value of the type into the column, or opRefuse.
func (c *compiler) fill(f *schema.Field, at int, n *avro.SchemaNode, space, logical string) *step {
	n = c.resolve(n, space)
	if n.LogicalType != "" {
		logical = n.LogicalType
	}
	if n.Type == "union" {
		return c.fillUnion(f, at, n, space, logical)
	}
	s := &step{op: fillOp(f.Kind, n.Type, logical), column: at}
	switch s.op {
	case opRefuse:
		s.texts = []string{typeText(n, logical)}
	case opEnum:
		s.texts = n.Symbols
		if slices.ContainsFunc(n.Symbols, func(symbol string) bool { return len(symbol) > maxSymbol }) {
			s.op, s.texts = opRefuse, []string{typeText(n, logical) + " with a symbol of more than 512 bytes"}
		}
	}
	return s
}

// fillOp is the operation that reads an Avro type into a column of the kind.
func fillOp(kind schema.Kind, typ, logical string) op {
	switch {
	case typ == "null":
		return opNull
	case kind == schema.Bool && typ == "boolean":
		return opBool
	case kind == schema.Int && (typ == "int" || typ == "long"):
		return opLong
	case kind == schema.Float && typ == "float":
		return opFloat
	case kind == schema.Float && typ == "double":
		return opDouble
	case kind == schema.Float && (typ == "int" || typ == "long"):
		return opRound
	case kind == schema.Text && (typ == "string" || typ == "bytes" && logical == ""):
		return opText
	case kind == schema.Text && typ == "enum":
		return opEnum
	case kind == schema.Time && typ == "long" && logical == "timestamp-millis":
		return opMillis
	case kind == schema.Time && typ == "long" && logical == "timestamp-micros":
		return opMicros
	case kind == schema.Time && typ == "long" && logical == "timestamp-nanos":
		return opNanos
	}
	return opRefuse
}

func (c *compiler) fillUnion(f *schema.Field, at int, n *avro.SchemaNode, space, logical string) *step {
	s := &step{op: opUnion, column: at}
	takes, refuses := false, false
	var types []string
	for i := range n.Branches {
		b := c.fill(f, at, &n.Branches[i], space, logical)
		s.steps = append(s.steps, b)
		takes = takes || b.op != opNull && b.op != opRefuse
		refuses = refuses || b.op == opRefuse
		types = append(types, typeText(c.resolve(&n.Branches[i], space), logical))
	}
	if refuses && !takes {
		return &step{op: opRefuse, column: at, texts: []string{"a union of " + strings.Join(types, ", ")}}
	}
	return s
}

// typeText is a type as a fault names it.
func typeText(n *avro.SchemaNode, logical string) string {
	if n.LogicalType != "" {
		logical = n.LogicalType
	}
	switch {
	case n.Name != "":
		return n.Type + " " + fullName(n)
	case logical != "" && n.Type != "null":
		return n.Type + " (" + logical + ")"
	}
	return n.Type
}

// skip is the step past a value of the type. Types that take no bytes are opNothing and are left out of records, so that
// the work on a value is bounded by its bytes, however many empty types a schema piles up.
func (c *compiler) skip(n *avro.SchemaNode, space string) *step {
	n = c.resolve(n, space)
	if n.Name == "" {
		s := &step{}
		c.skipInto(s, n, space)
		return s
	}
	name := fullName(n)
	s := c.skips[name]
	if s == nil {
		s = &step{op: opSkipRecord}
		c.skips[name] = s
		c.skipInto(s, n, n.Namespace)
	}
	return s
}

func (c *compiler) skipInto(s *step, n *avro.SchemaNode, space string) {
	switch n.Type {
	case "null":
		s.op = opNothing
	case "int", "long", "enum":
		s.op = opSkipLong
	case "boolean":
		s.op, s.size = opSkipFixed, 1
	case "float":
		s.op, s.size = opSkipFixed, 4
	case "double":
		s.op, s.size = opSkipFixed, 8
	case "bytes", "string":
		s.op = opSkipBytes
	case "fixed":
		if s.op, s.size = opSkipFixed, n.Size; n.Size == 0 {
			s.op = opNothing
		}
	case "array":
		s.op, s.steps = opSkipBlocks, []*step{c.skip(n.Items, space)}
	case "map":
		pair := &step{op: opSkipRecord, steps: []*step{{op: opSkipBytes}, c.skip(n.Values, space)}}
		s.op, s.steps = opSkipBlocks, []*step{pair}
	case "union":
		s.op = opUnion
		for i := range n.Branches {
			s.steps = append(s.steps, c.skip(&n.Branches[i], space))
		}
	default: // record and error
		for i := range n.Fields {
			if f := c.skip(&n.Fields[i].Type, space); f.op != opNothing {
				s.steps = append(s.steps, f)
			}
		}
		if s.op = opSkipRecord; len(s.steps) == 0 {
			s.op = opNothing
		}
	}
}
