package online

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// The keys of the database. Every one but formKey begins with its kind and its space:
//
//	's' space                     the space's pipeline and plan
//	'f' space partition           a partition's frontier
//	'e' space length key 0 start  a slice
//	'e' space length key 1        an entity: its partition, emitting offset and newest event
//	'r' space                     the run that stands, and its generation
//	'v' space generation key      the values of a run
//
// An entity's slices come right before it, so one seek finds all that is live of a key, beginning with the slice wanted.
// Length is a varint; because of it no prefix (all up to the 0 or 1) is the beginning of another, as Pebble asks of a
// comparer with a Split. Numbers are big-endian and flipped in sign, so that they sort.
const (
	kindSpace    = 's'
	kindFrontier = 'f'
	kindEntity   = 'e'
	kindRun      = 'r'
	kindValue    = 'v'

	markSlice  = 0
	markEntity = 1

	spaceSize = 16
	headSize  = 1 + spaceSize // of a key: its kind and its space
)

// formKey holds the version of the form of keys and values. It comes before all other keys.
var formKey = []byte("\x00form")

const form = "spillway online store 2"

// prefix begins the keys of a space.
type prefix [spaceSize]byte

func prefixOf(s Space) (p prefix) {
	sum := sha256.Sum256([]byte(s.Pipeline + "\x00" + s.Plan))
	copy(p[:], sum[:])
	return p
}

func (p *prefix) key(dst []byte, kind byte) []byte { return append(append(dst, kind), p[:]...) }

// end is the first key behind those that begin with start.
func end(start []byte) []byte {
	e := append([]byte{}, start...)
	for i := len(e) - 1; i >= 0; i-- {
		if e[i]++; e[i] != 0 {
			return e[:i+1]
		}
	}
	return nil // not for a key that begins with a kind
}

func (p *prefix) frontier(dst []byte, partition int32) []byte {
	return binary.BigEndian.AppendUint32(p.key(dst, kindFrontier), uint32(partition)^1<<31)
}

// frontierPartition is the partition of a frontier's key.
func frontierPartition(key []byte) (int32, bool) {
	if len(key) != headSize+4 {
		return 0, false
	}
	return int32(binary.BigEndian.Uint32(key[headSize:]) ^ 1<<31), true
}

// entity is the prefix that a key's slices and its own record share.
func (p *prefix) entity(dst, key []byte) []byte {
	dst = binary.AppendUvarint(p.key(dst, kindEntity), uint64(len(key)))
	return append(dst, key...)
}

func (p *prefix) value(dst []byte, generation uint64, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(p.key(dst, kindValue), generation), key...)
}

func appendStart(dst []byte, start int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, markSlice), uint64(start)^1<<63)
}

// suffixStart is the start of the slice whose key has the suffix; false: it is that of the entity.
func suffixStart(suffix []byte) (int64, bool) {
	if len(suffix) != 9 || suffix[0] != markSlice {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(suffix[1:]) ^ 1<<63), true
}

// split is the length of the prefix by which Bloom filters look keys up: all of a key but what tells apart the records of
// one entity. It takes any bytes, for Pebble shortens keys in its indexes.
func split(key []byte) int {
	if len(key) <= headSize || key[0] != kindEntity {
		return len(key)
	}
	n, size := binary.Uvarint(key[headSize:])
	rest := len(key) - headSize - size
	if size <= 0 || uint64(max(0, rest)) < n {
		return len(key)
	}
	return headSize + size + int(n)
}

// comparer is Pebble's own but for the split. Its name is part of the form: a store opened with another is refused.
var comparer = func() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Name = "spillway.online.1"
	c.Split = split
	return &c
}()
