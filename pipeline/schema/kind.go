package schema

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// Kind is what a column or an expression holds.
type Kind uint8

// The kinds. A column of any kind may be null.
const (
	Invalid Kind = iota
	Bool
	Int   // a 64-bit signed integer
	Float // an IEEE 754 double; NaN is a value
	Text  // UTF-8 bytes
	Time  // microseconds since 1970-01-01T00:00Z
)

var kindNames = [...]string{Invalid: "invalid", Bool: "bool", Int: "int", Float: "float", Text: "text", Time: "time"}

// String is the name of the kind in plans, errors and Explain.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// TimestampType is the Arrow type of every time: microseconds, UTC.
var TimestampType = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// Arrow is the one Arrow type of the kind.
func (k Kind) Arrow() arrow.DataType {
	switch k {
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Int:
		return arrow.PrimitiveTypes.Int64
	case Float:
		return arrow.PrimitiveTypes.Float64
	case Text:
		return arrow.BinaryTypes.String
	case Time:
		return TimestampType
	}
	return arrow.Null
}

// Role is what a column is to its source, beside being a value.
type Role uint8

// The roles.
const (
	Plain     Role = iota
	Key            // the entity that features are about
	EventTime      // when the event happened
	ID             // names the event; a second event of the same key and id is a duplicate
)

var roleNames = [...]string{Plain: "", Key: "key", EventTime: "time", ID: "id"}

// String is the role as the tag writes it.
func (r Role) String() string { return roleNames[r] }
