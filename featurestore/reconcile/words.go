package reconcile

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// group writes a number with its digits in threes.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes a number and what it counts.
func plural(n int64, one, more string) string { return group(n) + " " + noun(n, one, more) }

// noun is the word for so many.
func noun(n int64, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// percent writes a share so that none but 0 reads as 0 %, and none but 1 as 100 %.
func percent(share float64) string {
	switch {
	case share <= 0:
		return "0 %"
	case share < 0.0001:
		return "under 0.01 %"
	case share >= 1:
		return "100 %"
	}
	s := strconv.FormatFloat(min(share*100, 99.99), 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}

// shorten makes a text of unknown origin printable, at most n characters long. Characters that do not show or that steer a
// terminal or the direction of writing are written as escapes.
func shorten(s string, n int) string {
	var b strings.Builder
	count := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		if r == utf8.RuneError && size == 1 {
			piece = `\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:]
		} else if !unicode.IsPrint(r) {
			piece = strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		}
		length := utf8.RuneCountInString(piece)
		if count+length > n || count+length == n && i+size < len(s) {
			b.WriteString("…")
			return b.String()
		}
		b.WriteString(piece)
		count += length
		i += size
	}
	return b.String()
}
