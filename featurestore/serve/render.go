package serve

import (
	"math"
	"strconv"
	"time"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// appendValue appends value i of the column.
func appendValue(dst []byte, c *kernel.Column, i int) []byte {
	if !c.Valid[i] {
		return append(dst, "null"...)
	}
	switch c.Kind {
	case schema.Bool:
		return strconv.AppendBool(dst, c.I[i] != 0)
	case schema.Int:
		return strconv.AppendInt(dst, c.I[i], 10)
	case schema.Float:
		return appendFloat(dst, c.F[i])
	case schema.Time:
		return appendTime(dst, c.I[i])
	}
	return appendText(dst, c.S.At(i))
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// timeLayout is RFC 3339 with microseconds.
const timeLayout = `"2006-01-02T15:04:05.000000Z"`

func appendTime(dst []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(dst, timeLayout)
}

// appendText appends the text as a JSON string.
func appendText[T []byte | string](dst []byte, text T) []byte {
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
