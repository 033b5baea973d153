package load

import "unicode/utf8"

// maxDepth is how deep values may be nested, the outermost included. The stream's decoder has the same limit.
const maxDepth = 1000

// scanner reads a line as one JSON object, holds all of it to RFC 8259 as the stream does, and picks the routing fields
// out. It is not the stream's decoder, because that forgets what stood before a fault, and routing needs it.
//
// Its methods take a position and return the one after what they have read, or -1 when they have met a fault.
type scanner struct {
	names  [routingFields]string
	fields [routingFields]token
	texts  []byte // those of the fields and names whose escapes had to be resolved

	// The fault.
	at       int
	expected string
}

// object reads the line and tells whether it is one valid object. fields holds the routing fields, or those before the
// fault, until the next call. Where a field stands twice, the first counts.
func (s *scanner) object(v []byte) bool {
	s.fields = [routingFields]token{}
	s.texts = s.texts[:0]
	i := space(v, 0)
	if i == len(v) || v[i] != '{' {
		s.fault(i, "an object")
		return false
	}
	if i = s.members(v, i, 1); i < 0 {
		return false
	}
	if i = space(v, i); i < len(v) {
		s.fault(i, "nothing behind the object")
		return false
	}
	return true
}

func (s *scanner) fault(at int, expected string) int {
	s.at, s.expected = at, expected
	return -1
}

// members reads an object from its brace on. depth counts it and the values around it.
func (s *scanner) members(v []byte, i, depth int) int {
	if depth > maxDepth {
		return s.fault(i, "less nesting")
	}
	if i = space(v, i+1); i < len(v) && v[i] == '}' {
		return i + 1
	}
	for {
		if i == len(v) || v[i] != '"' {
			return s.fault(i, "a member's name")
		}
		end, escaped := s.text(v, i+1)
		if end < 0 {
			return -1
		}
		name := v[i+1 : end]
		if i = space(v, end+1); i == len(v) || v[i] != ':' {
			return s.fault(i, "':'")
		}
		i = space(v, i+1)
		if depth == 1 {
			i = s.member(v, i, name, escaped)
		} else {
			i, _ = s.value(v, i, depth)
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
		return s.fault(i, "',' or '}'")
	}
	return i + 1
}

// member reads the value of a member of the outermost object and keeps it if it is a routing field.
func (s *scanner) member(v []byte, i int, name []byte, nameEscaped bool) int {
	end, escaped := s.value(v, i, 1)
	if end < 0 {
		return -1
	}
	if nameEscaped {
		// A name with half a surrogate pair keeps its backslashes, and so is none of the fields.
		if resolved, ok := s.unescape(name); ok {
			name = resolved
		}
	}
	for f := range s.names {
		if s.names[f] == "" || s.names[f] != string(name) || s.fields[f].kind != tokenAbsent {
			continue
		}
		t := tokenOf(v[i:end])
		if t.kind != tokenText && !whole(v, end) {
			continue // where a line was cut off within a number, the rest may be missing
		}
		if escaped {
			var ok bool
			if t.text, ok = s.unescape(t.text); !ok {
				return s.fault(i, "a text without half a surrogate pair")
			}
		}
		s.fields[f] = t
	}
	return end
}

// whole tells whether a value that ends at i is followed by what must follow one.
func whole(v []byte, i int) bool {
	i = space(v, i)
	return i < len(v) && (v[i] == ',' || v[i] == '}')
}

// tokenOf is a value whose syntax has been checked; the escapes of a text are not yet resolved.
func tokenOf(v []byte) token {
	switch v[0] {
	case '"':
		return token{tokenText, v[1 : len(v)-1]}
	case 'n':
		return token{tokenNull, v}
	case 't', 'f', '{', '[':
		return token{tokenOther, v}
	}
	return token{tokenNumber, v}
}

// unescape resolves the escapes of a text.
func (s *scanner) unescape(text []byte) ([]byte, bool) {
	begin := len(s.texts)
	var ok bool
	s.texts, ok = appendUnescaped(s.texts, text)
	return s.texts[begin:len(s.texts):len(s.texts)], ok
}

// value reads a value of any type. escaped tells whether it is a text with escapes.
func (s *scanner) value(v []byte, i, depth int) (end int, escaped bool) {
	if i == len(v) {
		return s.fault(i, "a value"), false
	}
	switch v[i] {
	case '"':
		if end, escaped = s.text(v, i+1); end >= 0 {
			end++
		}
		return end, escaped
	case '{':
		return s.members(v, i, depth+1), false
	case '[':
		return s.array(v, i, depth+1), false
	case 't':
		return s.literal(v, i, "true"), false
	case 'f':
		return s.literal(v, i, "false"), false
	case 'n':
		return s.literal(v, i, "null"), false
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		end, ok := scanNumber(v, i)
		if !ok {
			return s.fault(end, "a number"), false
		}
		return end, false
	}
	return s.fault(i, "a value"), false
}

func (s *scanner) array(v []byte, i, depth int) int {
	if depth > maxDepth {
		return s.fault(i, "less nesting")
	}
	if i = space(v, i+1); i < len(v) && v[i] == ']' {
		return i + 1
	}
	for {
		if i, _ = s.value(v, i, depth); i < 0 {
			return -1
		}
		if i = space(v, i); i == len(v) || v[i] != ',' {
			break
		}
		i = space(v, i+1)
	}
	if i == len(v) || v[i] != ']' {
		return s.fault(i, "',' or ']'")
	}
	return i + 1
}

func (s *scanner) literal(v []byte, i int, word string) int {
	if len(v)-i < len(word) || string(v[i:i+len(word)]) != word {
		return s.fault(i, word)
	}
	return i + len(word)
}

// text reads a text from behind its opening quote and returns the position of the closing one.
func (s *scanner) text(v []byte, i int) (end int, escaped bool) {
	for {
		for i < len(v) && plain[v[i]] {
			i++
		}
		if i == len(v) {
			return s.fault(i, "the end of the text"), escaped
		}
		switch b := v[i]; {
		case b == '"':
			return i, escaped
		case b == '\\':
			n := escapeLen(v[i:])
			if n == 0 {
				return s.fault(i, "an escape"), escaped
			}
			escaped = true
			i += n
		case b < ' ':
			return s.fault(i, "no control character"), escaped
		default:
			r, n := utf8.DecodeRune(v[i:])
			if r == utf8.RuneError && n == 1 {
				return s.fault(i, "UTF-8"), escaped
			}
			i += n
		}
	}
}
