package kernel

import "unsafe"

// asBytes is the memory of the words as bytes.
func asBytes(w []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(w))), 8*len(w))
}

// asString is the memory of the bytes as a string, which lasts as long as they are left alone.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
