package training

import (
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// column is one column of a training set, as it can be written in each format.
type column interface {
	// appendCSV appends the value of row i; a null is nothing.
	appendCSV(dst []byte, i int) []byte
	// appendJSON appends the value of row i as JSON.
	appendJSON(dst []byte, i int) []byte
	// array is the column for Parquet. The caller releases it.
	array() (arrow.Array, error)
}

// appendField appends a text as a CSV field: in quotes if it must be, or is empty and would else be null.
func appendField(dst []byte, text string) []byte {
	if !mustQuote(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func mustQuote(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case ',', '"', '\n', '\r':
			return true
		}
	}
	return text == ""
}

// appendString appends a text as a JSON string.
func appendString(dst []byte, text string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(text) {
		b := text[i]
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// appendFloat appends the shortest text that reads back to the same bits; special says that it has no such text in JSON.
func appendFloat(dst []byte, f float64) (text []byte, special bool) {
	switch {
	case f != f:
		return append(dst, "NaN"...), true
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), false
}

func appendJSONFloat(dst []byte, f float64) []byte {
	n := len(dst)
	text, special := appendFloat(append(dst, '"'), f)
	if special {
		return append(text, '"')
	}
	copy(text[n:], text[n+1:])
	return text[:len(text)-1]
}

// timeLayout is how times are written.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func appendTime(dst []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(dst, timeLayout)
}
