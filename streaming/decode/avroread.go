package decode

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// avroReader runs programs. Its methods take a position within the value and return the one after what they have read,
// or -1 when they have left a flaw.
type avroReader struct {
	flaw
	program *program
	field   int // of the program, being read
	columns []column
	row     int
	value   []byte
	number  []byte // as a flaw shows it
}

// read decodes the record that begins at byte i into the columns, and returns its flaw, if it has one.
func (r *avroReader) read(p *program, columns []column, row int, value []byte, i int) []byte {
	r.program, r.columns, r.row, r.value = p, columns, row, value
	for k, s := range p.fields {
		r.field = k
		if i = r.run(s, i, 1); i < 0 {
			return r.text
		}
	}
	if i < len(value) {
		r.text = strconv.AppendInt(append(r.text[:0], "Avro, byte "...), int64(i), 10)
		r.text = strconv.AppendInt(append(r.text, ": the record ends, found "...), int64(len(value)-i), 10)
		return append(r.text, " more bytes"...)
	}
	for _, c := range p.absent {
		columns[c].null(row)
	}
	return nil
}

// run does one step. depth counts the values around this one.
func (r *avroReader) run(s *step, i, depth int) int {
	v := r.value
	switch s.op {
	case opNothing:
		return i
	case opNull:
		r.columns[s.column].null(r.row)
		return i
	case opBool:
		if i == len(v) || v[i] > 1 {
			return r.broken(i, "a boolean")
		}
		r.columns[s.column].setBool(r.row, v[i] == 1)
		return i + 1
	case opLong, opRound, opMillis, opMicros, opNanos:
		return r.integer(s, i)
	case opFloat:
		if len(v)-i < 4 {
			return r.broken(len(v), "a float")
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(v[i:]))
		r.columns[s.column].setWord(r.row, math.Float64bits(float64(f)))
		return i + 4
	case opDouble:
		if len(v)-i < 8 {
			return r.broken(len(v), "a double")
		}
		r.columns[s.column].setWord(r.row, binary.LittleEndian.Uint64(v[i:]))
		return i + 8
	case opText:
		start, end := r.bytes(i)
		if end < 0 {
			return -1
		}
		c := &r.columns[s.column]
		if !utf8.Valid(v[start:end]) {
			return r.misfit(c, v[start:end], "UTF-8")
		}
		c.setText(r.row, v[start:end])
		return end
	case opEnum:
		n, end := readLong(v, i)
		if end < 0 || uint64(n) >= uint64(len(s.texts)) {
			return r.broken(i, "the index of a symbol")
		}
		r.columns[s.column].setSymbol(r.row, s.texts[n])
		return end
	case opUnion:
		n, end := readLong(v, i)
		if end < 0 || uint64(n) >= uint64(len(s.steps)) {
			return r.broken(i, "the index of a branch")
		}
		return r.run(s.steps[n], end, depth+1)
	case opRefuse:
		c := &r.columns[s.column]
		return r.misfit(c, []byte(s.texts[0]), avroTypes[c.field.Kind])
	}
	return r.skip(s, i, depth)
}

// integer reads an int or a long into its column.
func (r *avroReader) integer(s *step, i int) int {
	n, end := readLong(r.value, i)
	if end < 0 {
		return r.broken(i, "an int or a long")
	}
	c := &r.columns[s.column]
	lowest, highest, scale := c.lowest, c.highest, int64(1)
	switch s.op {
	case opRound:
		c.setWord(r.row, math.Float64bits(float64(n)))
		return end
	case opNanos: // every long is within the years 0 to 9999
		c.setWord(r.row, uint64(floorDiv(n, 1000)))
		return end
	case opMillis:
		lowest, highest, scale = lowest/1000, highest/1000, 1000
	}
	if n < lowest || n > highest {
		r.number = strconv.AppendInt(r.number[:0], n, 10)
		return r.outside(c, r.number, lowest, highest)
	}
	c.setWord(r.row, uint64(n*scale))
	return end
}

func floorDiv(n, by int64) int64 {
	q := n / by
	if n%by < 0 {
		q--
	}
	return q
}

// skip does a step that fills no column.
func (r *avroReader) skip(s *step, i, depth int) int {
	if depth > maxDepth {
		return r.broken(i, "less nesting")
	}
	switch s.op {
	case opSkipLong:
		_, end := readLong(r.value, i)
		if end < 0 {
			return r.broken(i, "an int or a long")
		}
		return end
	case opSkipFixed:
		if len(r.value)-i < s.size {
			return r.broken(len(r.value), "a value of fixed length")
		}
		return i + s.size
	case opSkipBytes:
		_, end := r.bytes(i)
		return end
	case opSkipBlocks:
		return r.skipBlocks(s.steps[0], i, depth)
	}
	for _, f := range s.steps { // opSkipRecord
		if i = r.run(f, i, depth+1); i < 0 {
			return -1
		}
	}
	return i
}

// skipBlocks skips the blocks of an array or a map, up to the empty one that ends them. A negative count says that the
// block's size in bytes follows.
func (r *avroReader) skipBlocks(item *step, i, depth int) int {
	for {
		count, end := readLong(r.value, i)
		if end < 0 {
			return r.broken(i, "the count of a block")
		}
		i = end
		switch {
		case count == 0:
			return i
		case count < 0:
			if _, i = r.bytes(i); i < 0 {
				return -1
			}
		case item.op != opNothing:
			for ; count > 0; count-- {
				if i = r.run(item, i, depth+1); i < 0 {
					return -1
				}
			}
		}
	}
}

// bytes reads a length and returns where so many bytes begin and end.
func (r *avroReader) bytes(i int) (start, end int) {
	n, start := readLong(r.value, i)
	if start < 0 || n < 0 {
		return 0, r.broken(i, "a length")
	}
	if n > int64(len(r.value)-start) {
		return 0, r.broken(len(r.value), "as many bytes as their length says")
	}
	return start, start + int(n)
}

// broken leaves the flaw that the value is not what the schema says, and returns -1.
func (r *avroReader) broken(i int, expected string) int {
	return r.notAvro(r.value, i, r.program.names[r.field], expected)
}

// readLong reads a zigzag number of at most 64 bits. The position after it is -1 when there is none.
func readLong(v []byte, i int) (n int64, end int) {
	if i < len(v) && v[i] < 0x80 {
		return int64(v[i]>>1) ^ -int64(v[i]&1), i + 1
	}
	return readLonger(v, i)
}

func readLonger(v []byte, i int) (n int64, end int) {
	n, size := binary.Varint(v[i:])
	if size <= 0 {
		return 0, -1
	}
	return n, i + size
}
