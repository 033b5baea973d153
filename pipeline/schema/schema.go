package schema

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
)

// Field is one column.
type Field struct {
	Name     string
	Kind     Kind
	Role     Role
	Nullable bool         // the Go field can hold null: a pointer or a sql.Null
	Min, Max int64        // the range of an Int column's Go type
	GoType   reflect.Type // the type of the Go field, for messages
	GoName   string       // the name of the Go field
	offset   uintptr      // within its struct
}

// Schema is the columns of one struct, in the order of its fields.
type Schema struct {
	Name   string // the name of the Go type
	Fields []Field
	base   uintptr
	size   uintptr
	keep   any // keeps the struct alive, so that its addresses stay its own
}

// Of reads the columns of the struct that ptr points to. It returns every fault it finds, each placed at pos.
func Of(ptr any, pos fault.Pos) (*Schema, []error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, []error{fault.New(fmt.Sprintf("%T", ptr), "is not a pointer to a struct",
			"pass the address of a struct variable").At(pos)}
	}
	t := v.Elem().Type()
	s := &Schema{Name: t.Name(), base: v.Pointer(), size: t.Size(), keep: ptr}
	if s.Name == "" {
		s.Name = t.String()
	}
	var errs []error
	seen := map[string]string{}
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, ok := sf.Tag.Lookup("spill")
		if !ok || tag == "-" {
			continue
		}
		f, err := field(s.Name, sf, tag)
		if err == nil && seen[f.Name] != "" {
			err = fault.New(s.Name+"."+sf.Name, fmt.Sprintf("column %q is also the field %s", f.Name, seen[f.Name]),
				"give each field a name of its own")
		}
		if err != nil {
			errs = append(errs, err.At(pos))
			continue
		}
		seen[f.Name] = sf.Name
		s.Fields = append(s.Fields, f)
	}
	if len(s.Fields) == 0 && len(errs) == 0 {
		errs = append(errs, fault.New(s.Name, "has no columns", "tag its fields, as in `spill:\"amount\"`").At(pos))
	}
	return s, errs
}

func field(owner string, sf reflect.StructField, tag string) (Field, *fault.Error) {
	thing := owner + "." + sf.Name
	if !sf.IsExported() {
		return Field{}, fault.New(thing, "is tagged as a column but is not exported", "begin its name with a capital letter")
	}
	name, role, _ := strings.Cut(tag, ",")
	f := Field{Name: name, GoType: sf.Type, GoName: sf.Name, offset: sf.Offset, Min: math.MinInt64, Max: math.MaxInt64}
	if err := checkName(thing, name); err != nil {
		return Field{}, err
	}
	switch role {
	case "":
	case "key":
		f.Role = Key
	case "time":
		f.Role = EventTime
	case "id":
		f.Role = ID
	default:
		return Field{}, fault.New(thing, fmt.Sprintf("role %q is unknown", role), "use key, time or id, or none")
	}
	if !f.setKind(sf.Type) {
		return Field{}, fault.New(thing, fmt.Sprintf("type %s cannot be a column", sf.Type),
			"use bool, int, int32, int64, float64, string or time.Time (in an output struct also a pointer or sql.Null of one)")
	}
	return f, nil
}

func checkName(thing, name string) *fault.Error {
	switch {
	case name == "":
		return fault.New(thing, "the tag names no column", "write the column's name first, as in `spill:\"amount\"`")
	case strings.HasPrefix(name, "_"):
		return fault.New(thing, fmt.Sprintf("column name %q begins with an underscore", name),
			"choose another: spillway's own columns begin so")
	}
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return fault.New(thing, fmt.Sprintf("column name %q holds %q", name, r), "use letters, digits and underscores")
		}
	}
	return nil
}

var (
	timeType = reflect.TypeFor[time.Time]()
	sqlNulls = map[reflect.Type]reflect.Type{
		reflect.TypeFor[sql.Null[bool]]():      reflect.TypeFor[bool](),
		reflect.TypeFor[sql.Null[int]]():       reflect.TypeFor[int](),
		reflect.TypeFor[sql.Null[int32]]():     reflect.TypeFor[int32](),
		reflect.TypeFor[sql.Null[int64]]():     reflect.TypeFor[int64](),
		reflect.TypeFor[sql.Null[float64]]():   reflect.TypeFor[float64](),
		reflect.TypeFor[sql.Null[string]]():    reflect.TypeFor[string](),
		reflect.TypeFor[sql.Null[time.Time]](): timeType,
	}
)

func (f *Field) setKind(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		f.Nullable, t = true, t.Elem()
	} else if inner, ok := sqlNulls[t]; ok {
		f.Nullable, t = true, inner
	}
	switch {
	case t == timeType:
		f.Kind = Time
	case t.Kind() == reflect.Bool:
		f.Kind = Bool
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		f.Kind = Int
	case t.Kind() == reflect.Int32:
		f.Kind, f.Min, f.Max = Int, math.MinInt32, math.MaxInt32
	case t.Kind() == reflect.Float64:
		f.Kind = Float
	case t.Kind() == reflect.String:
		f.Kind = Text
	}
	return f.Kind != Invalid
}

// Index is the column that the pointer ptr is the address of, or -1 when it points to no column of this struct.
func (s *Schema) Index(ptr any) int {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return -1
	}
	at := v.Pointer()
	if at < s.base || at >= s.base+s.size {
		return -1
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.offset == at-s.base && f.GoType == v.Type().Elem() {
			return i
		}
	}
	return -1
}

// Holds tells whether the pointer points into the struct at all, column or not.
func (s *Schema) Holds(ptr any) bool {
	v := reflect.ValueOf(ptr)
	return v.Kind() == reflect.Pointer && v.Pointer() >= s.base && v.Pointer() < s.base+s.size
}

// ByRole is the first column of the role, or -1.
func (s *Schema) ByRole(r Role) int {
	for i := range s.Fields {
		if s.Fields[i].Role == r {
			return i
		}
	}
	return -1
}

// ByName is the column of that name, or -1.
func (s *Schema) ByName(name string) int {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Arrow is the schema of the columns in Arrow. Every column may be null: absent fields are.
func (s *Schema) Arrow() *arrow.Schema {
	fields := make([]arrow.Field, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = arrow.Field{Name: f.Name, Type: f.Kind.Arrow(), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// Micros is the time in microseconds since 1970-01-01T00:00Z, floored.
func Micros(t time.Time) int64 {
	return t.Unix()*1_000_000 + int64(t.Nanosecond())/1_000
}
