package decode

import (
	"context"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// JSON is the format of values that are one JSON object each; a column is the member of its name.
//
// The whole value is held to RFC 8259, members that are no columns included: one object and nothing behind it, valid
// UTF-8, no control characters in texts, no number that JSON cannot write, nesting of at most 1000. Of the columns:
//
//   - null, or no such member, is null. A member that stands twice is a flaw, since one of the two would be lost. Names
//     are compared exactly, after their escapes.
//   - Bool takes true and false.
//   - Int takes every number that is whole, so 12.0 and 1.2e1 but neither 12.5 nor "12", exactly and within the range of
//     the Go type.
//   - Float takes every number, correctly rounded, unless it is too great for a double; and, because JSON has no other
//     way to write them, the texts "NaN", "Infinity" and "-Infinity".
//   - Text takes texts. Half a surrogate pair (\ud800 alone) is no character and a flaw, never replaced; JSON's grammar
//     allows it, so in members that are no columns it is let pass.
//   - Time takes RFC 3339 texts of any precision, floored to the microsecond, and whole numbers, which are microseconds
//     since 1970-01-01T00:00Z. Seconds or milliseconds since then cannot be told from them: write texts. Times outside the
//     years 0 to 9999 and leap seconds are flaws.
func JSON() Format { return jsonFormat{} }

type jsonFormat struct{}

func (jsonFormat) decoder(s *schema.Schema) (decoder, error) {
	return &jsonDecoder{names: newNames(s.Fields), seen: make([]uint64, len(s.Fields))}, nil
}

// jsonDecoder reads one object from left to right. Its methods take a position within the value and return the one after
// what they have read, or -1 when they have left a flaw.
type jsonDecoder struct {
	flaw
	names   names
	record  uint64   // counts the records
	seen    []uint64 // the record that last had a member for the column
	scratch []byte   // a text whose escapes have been resolved
}

func (d *jsonDecoder) decode(_ context.Context, columns []column, row int, _, v []byte) ([]byte, error) {
	d.record++
	if cap(d.scratch) > hugeText {
		d.scratch = nil
	}
	i := space(v, 0)
	if i == len(v) || v[i] != '{' {
		d.notJSON(v, i, "an object")
		return d.text, nil
	}
	if i = d.object(columns, row, v, i+1); i < 0 {
		return d.text, nil
	}
	if i = space(v, i); i < len(v) {
		d.notJSON(v, i, "nothing after the object")
		return d.text, nil
	}
	for c := range columns {
		if d.seen[c] != d.record {
			columns[c].null(row)
		}
	}
	return nil, nil
}

// object reads the members behind the opening brace into the columns.
func (d *jsonDecoder) object(columns []column, row int, v []byte, i int) int {
	i = space(v, i)
	if i < len(v) && v[i] == '}' {
		return i + 1
	}
	for {
		name, next := d.name(v, i)
		if next < 0 {
			return -1
		}
		if c := d.names.find(name); c < 0 {
			i = d.skip(v, next, 1)
		} else if d.seen[c] != d.record {
			d.seen[c] = d.record
			i = d.member(&columns[c], row, v, next)
		} else {
			return d.twice(&columns[c])
		}
		if i < 0 {
			return -1
		}
		if i = space(v, i); i == len(v) || v[i] != ',' {
			break
		}
		i = space(v, i+1)
	}
	if i == len(v) || v[i] != '}' {
		return d.notJSON(v, i, "',' or '}'")
	}
	return i + 1
}

// name reads a member's name and the colon, and returns the position of the member's value.
func (d *jsonDecoder) name(v []byte, i int) (name []byte, next int) {
	if i == len(v) || v[i] != '"' {
		return nil, d.notJSON(v, i, "a member's name")
	}
	end, escaped := d.scanText(v, i+1)
	if end < 0 {
		return nil, -1
	}
	name = v[i+1 : end]
	if escaped {
		// A name with half a surrogate pair keeps its backslashes, which no column's name has.
		if resolved, ok := appendUnescaped(d.scratch[:0], name); ok {
			d.scratch, name = resolved, resolved
		}
	}
	if i = space(v, end+1); i == len(v) || v[i] != ':' {
		return nil, d.notJSON(v, i, "':'")
	}
	return name, space(v, i+1)
}
