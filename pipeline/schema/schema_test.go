package schema_test

import (
	"database/sql"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

type celsius float64

type stamped struct {
	ID string    `spill:"id,id"`
	At time.Time `spill:"at,time"`
}

type reading struct {
	stamped
	Sensor  string  `spill:"sensor,key"`
	Temp    celsius `spill:"temp"`
	Level   int32   `spill:"level"`
	Count   int     `spill:"count"`
	Ticks   int64   `spill:"ticks"`
	On      bool    `spill:"on"`
	Skipped string  `spill:"-"`
	Plain   string
	Inner   struct {
		Name string `spill:"name"`
	}
	Pair [2]int64
}

type answer struct {
	Key   string              `spill:"key,key"`
	Float *float64            `spill:"float"`
	Small *int32              `spill:"small"`
	Temp  sql.Null[celsius]   `spill:"temp"`
	Time  sql.Null[time.Time] `spill:"time"`
	Text  *string             `spill:"text"`
}

func of(t *testing.T, ptr any) *schema.Schema {
	t.Helper()
	s, faults := schema.Of(ptr, fault.Pos{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return s
}

func TestColumns(t *testing.T) {
	s := of(t, &reading{})
	want := []struct {
		name, goName string
		kind         schema.Kind
		role         schema.Role
		min, max     int64
	}{
		{"id", "ID", schema.Text, schema.ID, math.MinInt64, math.MaxInt64},
		{"at", "At", schema.Time, schema.EventTime, math.MinInt64, math.MaxInt64},
		{"sensor", "Sensor", schema.Text, schema.Key, math.MinInt64, math.MaxInt64},
		{"temp", "Temp", schema.Float, schema.Plain, math.MinInt64, math.MaxInt64},
		{"level", "Level", schema.Int, schema.Plain, math.MinInt32, math.MaxInt32},
		{"count", "Count", schema.Int, schema.Plain, math.MinInt64, math.MaxInt64},
		{"ticks", "Ticks", schema.Int, schema.Plain, math.MinInt64, math.MaxInt64},
		{"on", "On", schema.Bool, schema.Plain, math.MinInt64, math.MaxInt64},
	}
	if s.Name != "reading" || len(s.Fields) != len(want) {
		t.Fatalf("%s has the fields %v", s.Name, s.Fields)
	}
	for i, w := range want {
		f := s.Fields[i]
		if f.Name != w.name || f.GoName != w.goName || f.Kind != w.kind || f.Role != w.role || f.Nullable ||
			f.Min != w.min || f.Max != w.max {
			t.Errorf("field %d is %+v", i, f)
		}
	}
}

func TestNullableColumns(t *testing.T) {
	s := of(t, &answer{})
	kinds := []schema.Kind{schema.Text, schema.Float, schema.Int, schema.Float, schema.Time, schema.Text}
	for i, f := range s.Fields {
		if f.Kind != kinds[i] || f.Nullable != (i > 0) {
			t.Errorf("field %d is %+v", i, f)
		}
	}
	if small := s.Fields[2]; small.Min != math.MinInt32 || small.Max != math.MaxInt32 {
		t.Errorf("an int32 holds %d to %d", small.Min, small.Max)
	}
}

func TestPointersAreColumns(t *testing.T) {
	var r, other reading
	s := of(t, &r)
	for i, ptr := range []any{&r.ID, &r.At, &r.Sensor, &r.Temp, &r.Level, &r.Count, &r.Ticks, &r.On} {
		if got := s.Index(ptr); got != i {
			t.Errorf("field %d is found as %d", i, got)
		}
	}
	// The address of a struct is also that of its first field, and here of the first field of that.
	for _, ptr := range []any{&r, &r.stamped, &other.ID, (*float64)(&r.Temp), (*string)(nil), nil, r.Level, &r.Plain} {
		if got := s.Index(ptr); got != -1 {
			t.Errorf("a %T that is no column is found as %d", ptr, got)
		}
	}
}

func TestMissSaysWhatAPointerIs(t *testing.T) {
	var r, other reading
	s := of(t, &r)
	for _, c := range []struct {
		ptr  any
		want string
		held bool
	}{
		{&r.Plain, "reading.Plain", true},
		{&r.Skipped, "reading.Skipped", true},
		{&r.Inner.Name, "reading.Inner.Name", true},
		{&r.Pair[1], "reading.Pair", true},
		{&other.Plain, "", false},
		{(*string)(nil), "", false},
		{nil, "", false},
		{7, "", false},
	} {
		if field, held := s.Miss(c.ptr); field != c.want || held != c.held {
			t.Errorf("%T: %q, %v; want %q, %v", c.ptr, field, held, c.want, c.held)
		}
	}
	var faulty struct {
		Good int64 `spill:"good"`
		Bad  uint8 `spill:"bad"`
	}
	s, _ = schema.Of(&faulty, fault.Pos{})
	if field, held := s.Miss(&faulty.Bad); field != "" || !held {
		t.Errorf("a field with a fault: %q, %v", field, held)
	}
}

func TestRolesAndNames(t *testing.T) {
	s := of(t, &reading{})
	if s.ByRole(schema.Key) != 2 || s.ByRole(schema.EventTime) != 1 || s.ByRole(schema.ID) != 0 {
		t.Error("a role is of another column")
	}
	if s.ByName("level") != 4 || s.ByName("Level") != -1 {
		t.Error("a name is of another column")
	}
	if of(t, &answer{}).ByRole(schema.ID) != -1 {
		t.Error("a struct without an id has one")
	}
	for role, want := range map[schema.Role]string{schema.Plain: "", schema.Key: "key", schema.EventTime: "time", schema.ID: "id"} {
		if role.String() != want {
			t.Errorf("role %d is %q", role, role)
		}
	}
}

func TestKinds(t *testing.T) {
	for kind, want := range map[schema.Kind]string{
		schema.Invalid: "invalid null", schema.Bool: "bool bool", schema.Int: "int int64", schema.Float: "float float64",
		schema.Text: "text utf8", schema.Time: "time timestamp[us, tz=UTC]", 77: "kind(77) null",
	} {
		if got := kind.String() + " " + kind.Arrow().String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestArrow(t *testing.T) {
	s := of(t, &stampedKey{})
	if got := s.Arrow(); got.NumFields() != 3 || !got.Field(0).Nullable || got.Field(1).Type != schema.TimestampType {
		t.Errorf("%v", got)
	}
	log := s.Log()
	if log.NumFields() != 8 {
		t.Fatalf("%v", log)
	}
	for i, f := range []arrow.Field{
		{Name: schema.PartitionColumn, Type: arrow.PrimitiveTypes.Int32},
		{Name: schema.OffsetColumn, Type: arrow.PrimitiveTypes.Int64},
		{Name: schema.StampColumn, Type: schema.TimestampType},
		{Name: schema.FaultColumn, Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: schema.RawColumn, Type: arrow.BinaryTypes.Binary, Nullable: true},
	} {
		if !log.Field(3 + i).Equal(f) {
			t.Errorf("column %d is %v", 3+i, log.Field(3+i))
		}
	}
}

type stampedKey struct {
	stamped
	Key string `spill:"key,key"`
}

func TestMicrosFloors(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want int64
	}{
		{time.Unix(0, 0), 0},
		{time.Unix(1, 1_999), 1_000_001},
		{time.Unix(0, -1), -1},
		{time.Unix(-1, 1), -1_000_000},
		{time.Time{}, -62135596800_000_000},
		{time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), 1767225600_000_000},
	} {
		if got := schema.Micros(c.t); got != c.want {
			t.Errorf("%v is %d µs, want %d", c.t, got, c.want)
		}
	}
}

// Tags that vet would not let stand in this file.
func TestFaultsOfTags(t *testing.T) {
	for tag, want := range map[reflect.StructTag]string{
		`spill:"a"`:                 "",
		`json:"spill" spill:"a"`:    "",
		`json:"spill"`:              "has no columns",
		`spill: "a"`:                "not of the form that Go reads",
		`spill:a`:                   "not of the form that Go reads",
		`spill:"a`:                  "not of the form that Go reads",
		`json:"x",spill:"a"`:        "not of the form that Go reads",
		`json: "spillage"`:          "not of the form that Go reads",
		`json:"a\"b" spill:"a,key"`: "",
		`spill:"a,"`:                "",
		`spill:",key"`:              "names no column",
		`spill:"a,KEY"`:             `role "KEY" is unknown`,
		`spill:" a"`:                "holds ' '",
		`spill:"a.b"`:               "holds '.'",
		`spill:"_a"`:                "begins with an underscore",
	} {
		row := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: tag}}))
		_, faults := schema.Of(row.Interface(), fault.Pos{File: "row.go", Line: 3})
		switch {
		case want == "" && len(faults) > 0:
			t.Errorf("`%s`: %v", tag, faults)
		case want != "" && (len(faults) != 1 || !strings.Contains(faults[0].Error(), want)):
			t.Errorf("`%s`: %v, want one that says %s", tag, faults, want)
		case want != "" && !strings.HasPrefix(faults[0].Error(), "row.go:3: "):
			t.Errorf("`%s`: %v is not placed", tag, faults[0])
		}
	}
}

func TestWhatIsNoStruct(t *testing.T) {
	var none *reading
	for _, ptr := range []any{nil, none, reading{}, new(int), 5, "x", new(*reading), map[string]int{}} {
		s, faults := schema.Of(ptr, fault.Pos{})
		if s != nil || len(faults) != 1 {
			t.Errorf("%T: %v, %v", ptr, s, faults)
		}
	}
	s, faults := schema.Of(&struct{}{}, fault.Pos{})
	if s == nil || len(faults) != 1 || s.Name != "struct{…}" {
		t.Errorf("an empty struct: %v, %v", s, faults)
	}
	if _, held := s.Miss(&struct{}{}); held {
		t.Error("an empty struct holds something")
	}
}

type pointer struct{ *stamped }

type harmless struct {
	*strings.Builder
	*Degrees
	A string `spill:"a"`
}

type Degrees = celsius

func TestEmbedding(t *testing.T) {
	_, faults := schema.Of(&pointer{}, fault.Pos{})
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "embedded by a pointer") {
		t.Errorf("an embedded pointer: %v", faults)
	}
	if s := of(t, &harmless{}); len(s.Fields) != 1 {
		t.Errorf("embedded pointers without columns: %v", s.Fields)
	}
	twice := struct {
		stamped
		stampedKey
	}{}
	if _, faults := schema.Of(&twice, fault.Pos{}); len(faults) != 2 {
		t.Errorf("one struct embedded twice: %v", faults)
	}
}

// FuzzTags reads structs of any fields with any tags. Whatever they are, there is a fault or the columns hold.
func FuzzTags(f *testing.F) {
	f.Add(`spill:"id,id"`, `spill:"at,time"`, `spill:"x"`, uint64(0x503))
	f.Add(`spill:"a"`, `spill:"A"`, `spill:"-"`, uint64(0x111))
	f.Add(`spill: "a"`, "", `spill:"_x,key"`, uint64(0xabc))
	f.Add(`json:"x" spill:"é"`, `spill:",id"`, `spill:"a,b,c"`, uint64(0x777))
	types := []reflect.Type{
		reflect.TypeFor[string](), reflect.TypeFor[bool](), reflect.TypeFor[int32](), reflect.TypeFor[time.Time](),
		reflect.TypeFor[*float64](), reflect.TypeFor[struct{}](), reflect.TypeFor[uint8](), reflect.TypeFor[sql.Null[int64]](),
		reflect.TypeFor[[0]int64](), reflect.TypeFor[celsius](), reflect.TypeFor[int](), reflect.TypeFor[any](),
		reflect.TypeFor[stamped](), reflect.TypeFor[**string](), reflect.TypeFor[chan int](), reflect.TypeFor[float64](),
	}
	f.Fuzz(func(t *testing.T, a, b, c string, kinds uint64) {
		var fields []reflect.StructField
		for i, tag := range []string{a, b, c} {
			typ := types[kinds>>(4*i)&15]
			fields = append(fields, reflect.StructField{Name: string(rune('A' + i)), Type: typ, Tag: reflect.StructTag(tag)})
		}
		row := reflect.New(reflect.StructOf(fields))
		s, faults := schema.Of(row.Interface(), fault.Pos{File: "row.go", Line: 1})
		if s == nil {
			t.Fatal("a struct has no schema")
		}
		if len(s.Fields) == 0 && len(faults) == 0 {
			t.Error("there is neither a column nor a fault")
		}
		for _, f := range faults {
			if f.Thing == "" || f.Fault == "" || f.Remedy == "" || !f.Pos.Known() {
				t.Errorf("a fault without all its parts: %+v", f)
			}
		}
		names := map[string]bool{}
		for i, f := range s.Fields {
			if f.Kind == schema.Invalid || f.Name == "" || f.Name[0] == '_' || names[strings.ToLower(f.Name)] {
				t.Errorf("column %d is %+v", i, f)
			}
			names[strings.ToLower(f.Name)] = true
			if at := s.Index(row.Elem().FieldByName(f.GoName).Addr().Interface()); at != i {
				t.Errorf("column %d is found as %d", i, at)
			}
		}
		if s.Arrow().NumFields() != len(s.Fields) {
			t.Error("Arrow has other columns")
		}
	})
}
