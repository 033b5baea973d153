package load

import (
	"unicode/utf16"
	"unicode/utf8"
)

// plain tells which bytes a JSON text holds as they are and needs no second look at.
var plain = func() (table [256]bool) {
	for b := ' '; b < utf8.RuneSelf; b++ {
		table[b] = b != '"' && b != '\\'
	}
	return table
}()

// space is the position of the first byte from i on that is not white space.
func space(v []byte, i int) int {
	for i < len(v) && v[i] <= ' ' && (v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r') {
		i++
	}
	return i
}

// scanNumber reads the number that begins at i and returns the position after it, or that of the byte that does not fit.
func scanNumber(v []byte, i int) (end int, ok bool) {
	if i < len(v) && v[i] == '-' {
		i++
	}
	first := i
	if i = digits(v, i); i == first {
		return i, false
	}
	if v[first] == '0' && i > first+1 {
		return first + 1, false
	}
	if i < len(v) && v[i] == '.' {
		first = i + 1
		if i = digits(v, first); i == first {
			return i, false
		}
	}
	if i < len(v) && v[i]|0x20 == 'e' {
		i++
		if i < len(v) && (v[i] == '+' || v[i] == '-') {
			i++
		}
		first = i
		if i = digits(v, first); i == first {
			return i, false
		}
	}
	return i, true
}

// isNumber tells whether v is a number as JSON writes it, and nothing else.
func isNumber(v []byte) bool {
	end, ok := scanNumber(v, 0)
	return ok && end == len(v)
}

func digits(v []byte, i int) int {
	for i < len(v) && v[i]-'0' <= 9 {
		i++
	}
	return i
}

// escapes is what the letter behind a backslash stands for, and letters is the other way round.
var (
	escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
	letters = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}
)

// escapeLen is the length of the escape that v begins with, or 0 when it is none.
func escapeLen(v []byte) int {
	switch {
	case len(v) >= 2 && escapes[v[1]] != 0:
		return 2
	case hex4(v) >= 0:
		return len(`\u0000`)
	}
	return 0
}

// hex4 is the value of the escape \uXXXX that v begins with, or -1.
func hex4(v []byte) rune {
	if len(v) < 6 || v[0] != '\\' || v[1] != 'u' {
		return -1
	}
	var r rune
	for _, b := range v[2:6] {
		switch {
		case b-'0' <= 9:
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}

// appendUnescaped appends a text, whose syntax has been checked, with its escapes resolved. It is false when one of them
// is half a surrogate pair, which is no character.
func appendUnescaped(dst, text []byte) ([]byte, bool) {
	for i := 0; i < len(text); {
		switch {
		case text[i] != '\\':
			dst = append(dst, text[i])
			i++
		case text[i+1] != 'u':
			dst = append(dst, escapes[text[i+1]])
			i += 2
		default:
			r := hex4(text[i:])
			i += 6
			if utf16.IsSurrogate(r) {
				if r = utf16.DecodeRune(r, hex4(text[i:])); r == utf8.RuneError {
					return dst, false
				}
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, true
}

// appendText appends a text as JSON. Bytes that are not UTF-8 are appended as they are, so that nothing is lost; it is
// false then, because the result is not JSON.
func appendText(dst, text []byte) (_ []byte, ok bool) {
	ok = true
	dst = append(dst, '"')
	done := 0 // how much of text has been appended
	for i := 0; i < len(text); {
		b := text[i]
		if plain[b] {
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			ok = ok && (r != utf8.RuneError || n > 1)
			i += n
			continue
		}
		dst = append(dst, text[done:i]...)
		if letters[b] != 0 {
			dst = append(dst, '\\', letters[b])
		} else {
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		}
		i++
		done = i
	}
	return append(append(dst, text[done:]...), '"'), ok
}
