package load

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// isNull tells whether a cell is null: it is empty, and not a text in quotes, which is "".
func isNull(cell []byte, quoted bool, kind schema.Kind) bool {
	return len(cell) == 0 && !(quoted && kind == schema.Text)
}

// appendCell appends a cell as the JSON value of its column. One that is not of the column's kind is appended as a text, so
// that whoever reads the record sees what the file had; it is false then.
func appendCell(dst, cell []byte, quoted bool, f *schema.Field) (_ []byte, ok bool) {
	if isNull(cell, quoted, f.Kind) {
		return append(dst, "null"...), true
	}
	switch f.Kind {
	case schema.Bool:
		dst, ok = appendBool(dst, cell)
	case schema.Int:
		dst, ok = appendInt(dst, cell, f.Min, f.Max)
	case schema.Float:
		dst, ok = appendFloat(dst, cell)
	case schema.Time:
		if _, ok = parseWhole(cell); ok {
			dst, ok = appendInt(dst, cell, minTime, maxTime)
		} else if _, ok = parseTime(cell); ok {
			dst, _ = appendText(dst, cell)
		}
	default:
		return appendText(dst, cell)
	}
	if !ok {
		dst, _ = appendText(dst, cell)
	}
	return dst, ok
}

// appendBool takes what strconv.ParseBool takes: true, True, TRUE, t, T, 1 and their opposites.
func appendBool(dst, cell []byte) ([]byte, bool) {
	b, err := strconv.ParseBool(string(cell))
	if err != nil {
		return dst, false
	}
	return strconv.AppendBool(dst, b), true
}

// appendInt takes whole numbers between the limits, also with leading zeros, and as programs write them that know only
// floats: 93.0, 1e+05.
func appendInt(dst, cell []byte, lowest, highest int64) ([]byte, bool) {
	n, ok := parseWhole(cell)
	if !ok || n < lowest || n > highest {
		return dst, false
	}
	return strconv.AppendInt(dst, n, 10), true
}

// parseInt is strconv.ParseInt in base 10, without an error to be allocated where most cells are something else.
func parseInt(text []byte) (n int64, ok bool) {
	i, negative := 0, false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		i, negative = 1, text[0] == '-'
	}
	if i == len(text) {
		return 0, false
	}
	for ; i < len(text); i++ {
		d := int64(text[i]) - '0'
		// Below zero there is room for one more than above it.
		if d < 0 || d > 9 || n < (math.MinInt64+d)/10 {
			return 0, false
		}
		n = n*10 - d
	}
	if negative {
		return n, true
	}
	return -n, n != math.MinInt64
}

// parseWhole reads a whole number, exactly, also one that is written as a float.
func parseWhole(text []byte) (int64, bool) {
	if n, ok := parseInt(text); ok {
		return n, true
	}
	if !isNumber(text) {
		return 0, false
	}
	var exp int64
	if e := bytes.IndexAny(text, "eE"); e >= 0 {
		var ok bool
		if exp, ok = parseInt(text[e+1:]); !ok || exp < math.MinInt32 || exp > math.MaxInt32 {
			return 0, false
		}
		text = text[:e]
	}
	left, right, _ := bytes.Cut(text, []byte{'.'})
	right = bytes.TrimRight(right, "0")
	n, ok := parseInt(append(bytes.Clone(left), right...))
	if !ok || n == 0 {
		return 0, ok
	}
	exp -= int64(len(right))
	for ; exp < 0; exp++ {
		if n%10 != 0 {
			return 0, false
		}
		n /= 10
	}
	for ; exp > 0; exp-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}

// appendFloat takes numbers. Those that JSON can write keep their digits; NaN and infinities become the texts that stand
// for them.
func appendFloat(dst, cell []byte) ([]byte, bool) {
	f, err := strconv.ParseFloat(string(cell), 64)
	switch {
	case err != nil:
		return dst, false
	case isNumber(cell):
		return append(dst, cell...), true
	case math.IsNaN(f) || math.IsInf(f, 0):
		return appendDouble(dst, f), true
	case bytes.ContainsAny(cell, "xX_"): // Go's own forms
		return dst, false
	}
	return appendDouble(dst, f), true
}

// appendDouble appends a double as the stream reads it back.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// The times that RFC 3339 can write in UTC, in microseconds since 1970.
const (
	minTime = -62_167_219_200_000_000 // 0000-01-01T00:00:00Z
	maxTime = 253_402_300_799_999_999 // 9999-12-31T23:59:59.999999Z
)

// parseTime reads an RFC 3339 time.
func parseTime(text []byte) (t time.Time, ok bool) {
	err := t.UnmarshalText(text)
	if err != nil {
		// The letters, which are T and Z, may be small in RFC 3339 but not in package time.
		err = t.UnmarshalText(bytes.ToUpper(text))
	}
	return t, err == nil && inYears(t)
}

// inYears tells whether RFC 3339 can write the time in UTC.
func inYears(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 0 && year <= 9999
}
