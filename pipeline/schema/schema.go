package schema

import (
	"reflect"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
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
	broken []uintptr // the offsets of the fields that would be columns but for a fault
	keep   any       // the user's pointer: it keeps the struct alive, so that its addresses stay its own
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

// Miss tells why Index does not know the pointer ptr: it points outside of the struct (held is false), to a field that has
// a fault, which Of has given (field is ""), or to a field that is no column.
func (s *Schema) Miss(ptr any) (field string, held bool) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Pointer() < s.base || v.Pointer() >= s.base+s.size {
		return "", false
	}
	at := v.Pointer() - s.base
	if slices.Contains(s.broken, at) {
		return "", true
	}
	return goName(reflect.TypeOf(s.keep).Elem(), s.Name, at), true
}

// goName is what the user calls the field at the offset in a struct that is called owner.
func goName(t reflect.Type, owner string, offset uintptr) string {
	for i := range t.NumField() {
		sf := t.Field(i)
		if offset < sf.Offset || offset >= sf.Offset+sf.Type.Size() {
			continue
		}
		name := owner + "." + sf.Name
		if sf.Type.Kind() == reflect.Struct && sf.Type != timeType {
			return goName(sf.Type, name, offset-sf.Offset)
		}
		return name
	}
	return owner
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
