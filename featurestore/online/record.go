package online

import (
	"encoding/binary"
	"errors"
)

// The values of the database, all varints but where said:
//
//	frontier  next, watermark, oldest
//	slice     emitting offset, then the rows as the kernel wrote them
//	entity    partition, emitting offset, newest
//	run       generation, as-of, published, snapshot, then the id as it is
var errRecord = errors.New("a record is not of its form")

func (f *Frontier) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, f.Next)
	dst = binary.AppendVarint(dst, f.Watermark)
	return binary.AppendVarint(dst, f.Oldest)
}

func (f *Frontier) decode(b []byte) error {
	d := reader{b: b}
	f.Next, f.Watermark, f.Oldest = d.varint(), d.varint(), d.varint()
	return d.end()
}

// entity is what is kept of a key beside its slices.
type entity struct {
	partition int32
	offset    int64
	newest    int64
}

func (e *entity) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, int64(e.partition))
	dst = binary.AppendVarint(dst, e.offset)
	return binary.AppendVarint(dst, e.newest)
}

func (e *entity) decode(b []byte) error {
	d := reader{b: b}
	e.partition, e.offset, e.newest = int32(d.varint()), d.varint(), d.varint()
	return d.end()
}

func (s *Slice) append(dst []byte) []byte {
	return append(binary.AppendVarint(dst, s.Offset), s.Rows...)
}

func (s *Slice) decode(b []byte) error {
	d := reader{b: b}
	s.Offset = d.varint()
	s.Rows = d.b
	return d.err
}

func (r *Run) append(dst []byte, generation uint64) []byte {
	dst = binary.AppendUvarint(dst, generation)
	dst = binary.AppendVarint(dst, r.AsOf)
	dst = binary.AppendVarint(dst, r.Published)
	dst = binary.AppendVarint(dst, r.Snapshot)
	return append(dst, r.ID...)
}

func (r *Run) decode(b []byte) (generation uint64, err error) {
	d := reader{b: b}
	generation = d.uvarint()
	r.AsOf, r.Published, r.Snapshot = d.varint(), d.varint(), d.varint()
	r.ID = string(d.b)
	return generation, d.err
}

// reader takes numbers off the front of bytes. After an error it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.take(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.take(n)
	return v
}

func (r *reader) take(n int) {
	if n <= 0 {
		r.b, r.err = nil, errRecord
		return
	}
	r.b = r.b[n:]
}

func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return errRecord
	}
	return r.err
}
