package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested, the outermost included.
const maxDepth = 1000

// space is the position of the first byte from i on that is not white space.
func space(v []byte, i int) int {
	for i < len(v) && v[i] <= ' ' && (v[i] == ' ' || v[i] == '\n' || v[i] == '\t' || v[i] == '\r') {
		i++
	}
	return i
}

// skip reads a value of any type that no column wants, checking its syntax. depth counts the values around it.
func (d *jsonDecoder) skip(v []byte, i, depth int) int {
	if i == len(v) {
		return d.notJSON(v, i, "a value")
	}
	switch v[i] {
	case '"':
		if i, _ = d.scanText(v, i+1); i < 0 {
			return -1
		}
		return i + 1
	case '{':
		return d.skipObject(v, i, depth+1)
	case '[':
		return d.skipArray(v, i, depth+1)
	case 't':
		return d.literal(v, i, "true")
	case 'f':
		return d.literal(v, i, "false")
	case 'n':
		return d.literal(v, i, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, end, ok := scanNumber(v, i)
		if !ok {
			return d.notJSON(v, end, "a number")
		}
		return end
	}
	return d.notJSON(v, i, "a value")
}

func (d *jsonDecoder) skipObject(v []byte, i, depth int) int {
	if depth > maxDepth {
		return d.notJSON(v, i, "less nesting")
	}
	if i = space(v, i+1); i < len(v) && v[i] == '}' {
		return i + 1
	}
	for {
		if _, i = d.name(v, i); i < 0 {
			return -1
		}
		if i = d.skip(v, i, depth); i < 0 {
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

func (d *jsonDecoder) skipArray(v []byte, i, depth int) int {
	if depth > maxDepth {
		return d.notJSON(v, i, "less nesting")
	}
	if i = space(v, i+1); i < len(v) && v[i] == ']' {
		return i + 1
	}
	for {
		if i = d.skip(v, i, depth); i < 0 {
			return -1
		}
		if i = space(v, i); i == len(v) || v[i] != ',' {
			break
		}
		i = space(v, i+1)
	}
	if i == len(v) || v[i] != ']' {
		return d.notJSON(v, i, "',' or ']'")
	}
	return i + 1
}

// literal reads true, false or null.
func (d *jsonDecoder) literal(v []byte, i int, word string) int {
	for k := range len(word) {
		if i+k == len(v) || v[i+k] != word[k] {
			return d.notJSON(v, i+k, word)
		}
	}
	return i + len(word)
}

// scanText reads a text from behind its opening quote and returns the position of the closing one. escaped tells whether the
// bytes between are not yet the text itself.
func (d *jsonDecoder) scanText(v []byte, i int) (end int, escaped bool) {
	for {
		i = plain(v, i)
		if i == len(v) {
			return d.notJSON(v, i, "the end of the text"), escaped
		}
		switch b := v[i]; {
		case b == '"':
			return i, escaped
		case b == '\\':
			n := escapeLen(v[i:])
			if n == 0 {
				return d.notJSON(v, i, "an escape"), escaped
			}
			escaped = true
			i += n
		case b < ' ':
			return d.notJSON(v, i, "no control character"), escaped
		default:
			r, n := utf8.DecodeRune(v[i:])
			if r == utf8.RuneError && n == 1 {
				return d.notJSON(v, i, "UTF-8"), escaped
			}
			i += n
		}
	}
}

// plain is the position of the first byte from i on that a text cannot take as it is without a closer look: a quote, a
// backslash, a control character, or a byte beyond ASCII. It looks at eight bytes at a time: x-ones sets the high bit of
// a byte that is zero and was below 0x80; a borrow can set others too, but only behind the first, which alone counts.
func plain(v []byte, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for ; i+8 <= len(v); i += 8 {
		w := binary.LittleEndian.Uint64(v[i:])
		quote, slash := w^ones*'"', w^ones*'\\'
		special := (w | (w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
		if special != 0 {
			return i + bits.TrailingZeros64(special)>>3
		}
	}
	for ; i < len(v); i++ {
		if b := v[i]; b == '"' || b == '\\' || b < ' ' || b >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// escapeLen is the length of the escape that v begins with, or 0 when it is none.
func escapeLen(v []byte) int {
	if len(v) < 2 {
		return 0
	}
	if v[1] == 'u' {
		if hex4(v) < 0 {
			return 0
		}
		return len(`\u0000`)
	}
	if escapes[v[1]] == 0 {
		return 0
	}
	return 2
}

// escapes is what the letter behind a backslash stands for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

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
// is half a surrogate pair.
func appendUnescaped(dst, text []byte) ([]byte, bool) {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		if text[i+1] != 'u' {
			dst = append(dst, escapes[text[i+1]])
			i += 2
			continue
		}
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
	return dst, true
}
