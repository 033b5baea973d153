package decode

import (
	"encoding/binary"
	"math"
)

// The functions below write Avro, for load generators and tests: a record is its fields one behind the other.

// AppendFrame appends the beginning of a value in Confluent framing, behind which the record follows.
func AppendFrame(dst []byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), id)
}

// AppendLong appends an int or a long, the index of an enum's symbol, or that of a union's branch, behind which its value
// follows.
func AppendLong(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

// AppendDouble appends a double.
func AppendDouble(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// AppendBool appends a boolean.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendText appends a string or bytes.
func AppendText[T ~string | ~[]byte](dst []byte, v T) []byte {
	return append(AppendLong(dst, int64(len(v))), v...)
}
