package load

import (
	"strconv"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// timeLayout is RFC 3339 with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// writable tells whether values of the type can be written as JSON without losing anything.
func writable(t arrow.DataType) bool {
	switch t.(type) {
	case *arrow.BooleanType, *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float32Type, *arrow.Float64Type, *arrow.Decimal128Type, *arrow.Decimal256Type,
		*arrow.StringType, *arrow.BinaryType, *arrow.TimestampType, *arrow.Date32Type, *arrow.NullType:
		return true
	}
	return false
}

// appendValue appends one value as JSON: integers, decimals and floats as numbers (NaN and infinities as the texts that stand
// for them), timestamps as RFC 3339 floored to the microsecond, dates as texts. Timestamps without a zone are taken for
// UTC. It is false when the result is not what a reader can use.
func appendValue(dst []byte, a arrow.Array, row int) (_ []byte, ok bool) {
	if a.IsNull(row) {
		return append(dst, "null"...), true
	}
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(row)), true
	case *array.Int8:
		return strconv.AppendInt(dst, int64(a.Value(row)), 10), true
	case *array.Int16:
		return strconv.AppendInt(dst, int64(a.Value(row)), 10), true
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(row)), 10), true
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(row), 10), true
	case *array.Uint8:
		return strconv.AppendUint(dst, uint64(a.Value(row)), 10), true
	case *array.Uint16:
		return strconv.AppendUint(dst, uint64(a.Value(row)), 10), true
	case *array.Uint32:
		return strconv.AppendUint(dst, uint64(a.Value(row)), 10), true
	case *array.Uint64:
		return strconv.AppendUint(dst, a.Value(row), 10), true
	case *array.Float32:
		return appendDouble(dst, float64(a.Value(row))), true
	case *array.Float64:
		return appendDouble(dst, a.Value(row)), true
	case *array.Decimal128:
		return append(dst, a.Value(row).ToString(a.DataType().(arrow.DecimalType).GetScale())...), true
	case *array.Decimal256:
		return append(dst, a.Value(row).ToString(a.DataType().(arrow.DecimalType).GetScale())...), true
	case *array.Timestamp:
		return appendTime(dst, a.Value(row), a.DataType().(*arrow.TimestampType).Unit)
	case *array.Date32:
		at := a.Value(row).ToTime()
		return append(at.AppendFormat(append(dst, '"'), time.DateOnly), '"'), inYears(at)
	}
	return appendText(dst, bytesOf(a, row))
}

// appendTime floors a time to the microsecond.
func appendTime(dst []byte, v arrow.Timestamp, unit arrow.TimeUnit) ([]byte, bool) {
	var at time.Time
	switch unit {
	case arrow.Second:
		at = time.Unix(int64(v), 0)
	case arrow.Millisecond:
		at = time.UnixMilli(int64(v))
	case arrow.Microsecond:
		at = time.UnixMicro(int64(v))
	default:
		at = time.Unix(0, int64(v))
	}
	at = at.UTC()
	// Formatting cuts the digits behind microseconds off, which floors: they count forward, also before 1970.
	return append(at.AppendFormat(append(dst, '"'), timeLayout), '"'), inYears(at)
}

// bytesOf is a text, or bytes that are taken for one. It shows the array's memory and is never nil.
func bytesOf(a arrow.Array, row int) []byte {
	var text string
	switch a := a.(type) {
	case *array.String:
		text = a.Value(row)
	case *array.Binary:
		text = a.ValueString(row)
	}
	if text == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// valueToken is a value as a routing field. written begins with its JSON.
func valueToken(a arrow.Array, row int, written []byte) token {
	if a.IsNull(row) {
		return token{kind: tokenNull}
	}
	switch a.(type) {
	case *array.String, *array.Binary:
		return token{tokenText, bytesOf(a, row)}
	}
	var s scanner
	end, _ := s.value(written, 0, 1)
	return tokenOf(written[:end])
}
