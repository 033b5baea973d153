package schema

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// Of reads the columns of the struct that ptr points to. It returns every fault it finds, each placed at pos; the schema is
// nil when ptr points to no struct at all.
func Of(ptr any, pos fault.Pos) (*Schema, []*fault.Error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.Type().Elem().Kind() != reflect.Struct {
		return nil, []*fault.Error{fault.New(fmt.Sprintf("%T", ptr), "is not a pointer to a struct",
			"pass the address of a struct variable").At(pos)}
	}
	t := v.Type().Elem()
	s := &Schema{Name: t.Name(), size: t.Size(), keep: ptr}
	if s.Name == "" {
		s.Name = "struct{…}"
	}
	if v.IsNil() {
		return nil, []*fault.Error{fault.New("*"+s.Name, "is a nil pointer", "pass the address of a struct variable").At(pos)}
	}
	s.base = v.Pointer()
	r := reading{schema: s, byName: map[string]string{}}
	r.fields(t, s.Name, 0)
	if len(s.Fields) == 0 && len(r.faults) == 0 {
		r.fault(s.Name, "has no columns", "tag its fields, as in `spill:\"amount\"`")
	}
	for _, f := range r.faults {
		f.At(pos)
	}
	return s, r.faults
}

// reading is a schema while its struct is read.
type reading struct {
	schema *Schema
	byName map[string]string // the field of each column, by the name in lower case
	faults []*fault.Error
}

func (r *reading) fault(thing, what, remedy string) {
	r.faults = append(r.faults, fault.New(thing, what, remedy))
}

// fields reads the fields of a struct that lies offset bytes into the schema's; owner is what the user calls it.
func (r *reading) fields(t reflect.Type, owner string, offset uintptr) {
	for i := range t.NumField() {
		sf := t.Field(i)
		thing := owner + "." + sf.Name
		tag, ok := sf.Tag.Lookup("spill")
		said := len(r.faults)
		switch {
		case tag == "-":
		case !ok && misspelt(sf.Tag):
			r.fault(thing, fmt.Sprintf("its tag %s is not of the form that Go reads", sf.Tag),
				"write it with quotes and without spaces, as in `spill:\"amount\"`")
		case ok:
			r.field(sf, thing, tag, offset)
		case sf.Anonymous && sf.Type.Kind() == reflect.Struct:
			r.fields(sf.Type, thing, offset+sf.Offset)
		case sf.Anonymous && sf.Type.Kind() == reflect.Pointer && hasColumns(sf.Type.Elem()):
			r.fault(thing, "is embedded by a pointer and holds columns", "embed the struct itself")
		}
		if len(r.faults) > said {
			r.schema.broken = append(r.schema.broken, offset+sf.Offset)
		}
	}
}

// field reads one tagged field.
func (r *reading) field(sf reflect.StructField, thing, tag string, offset uintptr) {
	if !sf.IsExported() {
		r.fault(thing, "is tagged as a column but is not exported", "begin its name with a capital letter")
		return
	}
	name, role, _ := strings.Cut(tag, ",")
	f := Field{
		Name: name, GoType: sf.Type, GoName: sf.Name, offset: offset + sf.Offset, Min: math.MinInt64, Max: math.MaxInt64,
	}
	if err := checkName(thing, name); err != nil {
		r.faults = append(r.faults, err)
		return
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
		r.fault(thing, fmt.Sprintf("role %q is unknown", role), "use key, time or id, or none")
		return
	}
	if !f.setKind(sf.Type) {
		r.fault(thing, fmt.Sprintf("type %s cannot be a column", sf.Type),
			"use bool, int, int32, int64, float64, string or time.Time (in an output struct also a pointer or sql.Null of one)")
		return
	}
	// SQL, which knows the columns too, does not tell upper from lower case.
	if other, taken := r.byName[strings.ToLower(name)]; taken {
		r.fault(thing, fmt.Sprintf("column %q is also the field %s", name, other),
			"give each field a name of its own, not only in upper and lower case")
		return
	}
	r.byName[strings.ToLower(name)] = sf.Name
	r.schema.Fields = append(r.schema.Fields, f)
}

var wellFormed = regexp.MustCompile(`^ *[^\x00-\x1f :,"\x7f]+:"(\\.|[^"\\])*"`)

// misspelt tells whether the part of a tag that Go cannot read speaks of spill.
func misspelt(tag reflect.StructTag) bool {
	rest := string(tag)
	for {
		pair := wellFormed.FindString(rest)
		if pair == "" {
			return strings.Contains(rest, "spill")
		}
		rest = rest[len(pair):]
	}
}

func hasColumns(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if _, ok := t.Field(i).Tag.Lookup("spill"); ok {
			return true
		}
	}
	return false
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

var timeType = reflect.TypeFor[time.Time]()

// setKind finds the kind of a field's Go type and reports whether it has one.
func (f *Field) setKind(t reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Pointer:
		f.Nullable, t = true, t.Elem()
	case t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null["):
		f.Nullable, t = true, t.Field(0).Type // Null[T].V
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
