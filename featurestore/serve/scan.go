package serve

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) from memory, without building anything but the strings that are asked for. Unlike
// encoding/json it refuses a surrogate that stands alone instead of putting another character in its place: a key must
// never change on its way in. The input must be valid UTF-8.
type scanner struct {
	b    []byte
	at   int
	text []byte // where strings with escapes are written
}

// deepest bounds how far values may nest.
const deepest = 100

// syntaxError is a place that is not JSON, or not the JSON wanted.
type syntaxError struct {
	at     int
	reason string
}

// Error implements error.
func (e *syntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.at, e.reason) }

func (s *scanner) fail(format string, args ...any) error {
	return &syntaxError{s.at, fmt.Sprintf(format, args...)}
}

// peek is the first byte of the next token, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take steps over the byte if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// end expects that nothing follows.
func (s *scanner) end() error {
	if s.peek() != 0 || s.at < len(s.b) {
		return s.fail("something follows the value")
	}
	return nil
}

// object reads an object, calling member behind each name.
func (s *scanner) object(what string, member func(name []byte) error) error {
	if !s.take('{') {
		return s.fail("%s is not an object", what)
	}
	if s.take('}') {
		return nil
	}
	for {
		name, err := s.string("the name of a member")
		if err != nil {
			return err
		}
		if !s.take(':') {
			return s.fail("a colon is missing")
		}
		if err := member(name); err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return s.fail("a comma or a closing brace is missing")
		}
	}
}

// array reads an array, calling element at each of its values.
func (s *scanner) array(what string, element func() error) error {
	if !s.take('[') {
		return s.fail("%s is not an array", what)
	}
	if s.take(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.fail("a comma or a closing bracket is missing")
		}
	}
}

// string reads a string. It lies in the input, or in s.text when it holds escapes.
func (s *scanner) string(what string) ([]byte, error) {
	if !s.take('"') {
		return nil, s.fail("%s is not a string", what)
	}
	start := s.at
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.b[start : s.at-1 : s.at-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return nil, s.fail("a control character in a string")
		}
	}
	return nil, s.fail("a string has no end")
}

// escaped reads on from the first escape of a string.
func (s *scanner) escaped(start int) ([]byte, error) {
	from := len(s.text)
	s.text = append(s.text, s.b[start:s.at]...)
	for s.at < len(s.b) {
		c := s.b[s.at]
		switch {
		case c == '"':
			s.at++
			return s.text[from:len(s.text):len(s.text)], nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
			continue
		case c < ' ':
			return nil, s.fail("a control character in a string")
		}
		s.text = append(s.text, c)
		s.at++
	}
	return nil, s.fail("a string has no end")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *scanner) escape() error {
	if s.at+1 >= len(s.b) {
		return s.fail("a string has no end")
	}
	c := s.b[s.at+1]
	if plain := escapes[c]; plain != 0 {
		s.text = append(s.text, plain)
		s.at += 2
		return nil
	}
	if c != 'u' {
		return s.fail("an escape that JSON does not have")
	}
	r, ok := s.hex(s.at + 2)
	if !ok {
		return s.fail("an escape without four hexadecimal digits")
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if s.at+7 < len(s.b) && s.b[s.at+6] == '\\' && s.b[s.at+7] == 'u' {
			low, ok = s.hex(s.at + 8)
		}
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return s.fail("a surrogate without its other half")
		}
		size = 12
	}
	s.text = utf8.AppendRune(s.text, r)
	s.at += size
	return nil
}

// hex reads four hexadecimal digits.
func (s *scanner) hex(at int) (r rune, ok bool) {
	if at+4 > len(s.b) {
		return 0, false
	}
	for _, c := range s.b[at : at+4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

// word steps over a literal if it comes next.
func (s *scanner) word(w string) bool {
	s.peek()
	if len(s.b)-s.at < len(w) || string(s.b[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// skip reads over any value.
func (s *scanner) skip(depth int) error {
	if depth > deepest {
		return s.fail("values nest more than %d deep", deepest)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object("", func([]byte) error { return s.skip(depth + 1) })
	case c == '[':
		return s.array("", func() error { return s.skip(depth + 1) })
	case c == '"':
		_, err := s.string("")
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	if s.word("true") || s.word("false") || s.word("null") {
		return nil
	}
	return s.fail("a value is missing")
}

// number reads over a number.
func (s *scanner) number() error {
	s.take('-')
	switch {
	case s.at < len(s.b) && s.b[s.at] == '0':
		s.at++
	case !s.digits():
		return s.fail("a number without digits")
	}
	if s.at < len(s.b) && s.b[s.at] == '.' {
		s.at++
		if !s.digits() {
			return s.fail("a number without digits behind its point")
		}
	}
	if s.at < len(s.b) && s.b[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.b) && (s.b[s.at] == '+' || s.b[s.at] == '-') {
			s.at++
		}
		if !s.digits() {
			return s.fail("a number without digits in its exponent")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
