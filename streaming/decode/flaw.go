package decode

import (
	"encoding/hex"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// foundMax is how many bytes of a value a flaw shows at most.
const foundMax = 40

// flaw is why a record cannot be decoded, as the text for _fault. The methods that write it return -1, the position by
// which the readers say that there is one.
type flaw struct{ text []byte }

// misfit says that a value is not what its column wants.
func (f *flaw) misfit(c *column, found []byte, expected string) int {
	f.begin(c)
	f.text = append(f.text, "found "...)
	f.text = appendFound(f.text, found)
	f.text = append(f.text, ", expected "...)
	f.text = append(f.text, expected...)
	return -1
}

// outside says that a number is not between the limits of its column.
func (f *flaw) outside(c *column, found []byte, lowest, highest int64) int {
	f.misfit(c, found, "an integer from ")
	f.text = strconv.AppendInt(f.text, lowest, 10)
	f.text = append(f.text, " to "...)
	f.text = strconv.AppendInt(f.text, highest, 10)
	return -1
}

// twice says that a value names the column a second time.
func (f *flaw) twice(c *column) int {
	f.begin(c)
	f.text = append(f.text, "the member stands twice"...)
	return -1
}

func (f *flaw) begin(c *column) {
	f.text = append(f.text[:0], "column "...)
	f.text = append(f.text, c.field.Name...)
	f.text = append(f.text, ": "...)
}

// notJSON says that the value v breaks the syntax of JSON at byte i.
func (f *flaw) notJSON(v []byte, i int, expected string) int {
	f.text = append(f.text[:0], "JSON, byte "...)
	f.at(v, i, expected)
	if i < len(v) {
		f.text = appendFound(f.text, v[i:])
	}
	return -1
}

// notAvro says that the value v is not what the schema says of the field, from byte i on.
func (f *flaw) notAvro(v []byte, i int, field, expected string) int {
	f.text = append(f.text[:0], "Avro, field "...)
	f.text = append(f.text, field...)
	f.text = append(f.text, ", byte "...)
	f.at(v, i, expected)
	if i < len(v) {
		f.text = append(f.text, "0x"...)
		f.text = hex.AppendEncode(f.text, v[i:min(i+8, len(v))])
	}
	return -1
}

func (f *flaw) at(v []byte, i int, expected string) {
	f.text = strconv.AppendInt(f.text, int64(i), 10)
	f.text = append(f.text, ": expected "...)
	f.text = append(f.text, expected...)
	if i < len(v) {
		f.text = append(f.text, ", found "...)
	} else {
		f.text = append(f.text, ", but the value ends"...)
	}
}

// appendFound appends the beginning of a value. What is not UTF-8 or cannot be seen is escaped, because a flaw is a text.
func appendFound(dst, found []byte) []byte {
	whole := len(found) <= foundMax
	found = cut(found, foundMax)
	for len(found) > 0 {
		r, n := utf8.DecodeRune(found)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = hex.AppendEncode(append(dst, `\x`...), found[:1])
		case unicode.IsPrint(r):
			dst = append(dst, found[:n]...)
		default:
			dst = append(dst, `\u{`...)
			dst = append(strconv.AppendUint(dst, uint64(r), 16), '}')
		}
		found = found[n:]
	}
	if !whole {
		dst = append(dst, "…"...)
	}
	return dst
}

// cut shortens a text to at most n bytes without breaking a character.
func cut(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
