package schema

import (
	"math"
	"strconv"
	"time"
)

// How values are written wherever spillway writes them as text: one value has one text in every topic, file and answer.

// AppendFloat appends the shortest text that reads back to the same bits, or NaN, Infinity or -Infinity.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// AppendJSONFloat appends the float as a JSON number. NaN and the infinities, which JSON cannot write, become texts.
func AppendJSONFloat(dst []byte, f float64) []byte {
	if f-f == 0 {
		return AppendFloat(dst, f)
	}
	return append(AppendFloat(append(dst, '"'), f), '"')
}

// AppendJSONTime appends the time as a JSON string; see AppendTime.
func AppendJSONTime(dst []byte, us int64) []byte {
	return append(AppendTime(append(dst, '"'), us), '"')
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

// AppendTime appends a time in microseconds as RFC 3339 in UTC with six digits of a second: 2026-01-01T00:00:00.000000Z.
// It is several times as fast as package time's own, since every row of a stream holds a time.
func AppendTime(dst []byte, us int64) []byte {
	days := us / microsPerDay
	rest := us - days*microsPerDay
	if rest < 0 {
		days, rest = days-1, rest+microsPerDay
	}
	year, month, day := time.Unix(days*24*60*60, 0).UTC().Date()
	if year < 0 || year > 9999 {
		// RFC 3339 has no such year. No event has one either, and what it is then called only has to be told apart.
		return time.UnixMicro(us).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	}
	dst = appendPadded(dst, int64(year), 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, int64(month), 2)
	dst = append(dst, '-')
	dst = appendPadded(dst, int64(day), 2)
	dst = append(dst, 'T')
	dst = appendPadded(dst, rest/3_600_000_000, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, rest/60_000_000%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, rest/1_000_000%60, 2)
	dst = append(dst, '.')
	dst = appendPadded(dst, rest%1_000_000, 6)
	return append(dst, 'Z')
}

// appendPadded appends v, which has at most so many digits, with zeros before it.
func appendPadded(dst []byte, v int64, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; v > 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// AppendJSONText appends the text, which is UTF-8, as a JSON string.
func AppendJSONText[T []byte | string](dst []byte, text T) []byte {
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
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
