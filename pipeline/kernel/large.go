package kernel

import "unsafe"

// large makes a slice that is read at random, in huge pages once it is long enough for them. T holds no pointers.
func large[T any](n int) []T {
	s := make([]T, n)
	advise(unsafe.Pointer(unsafe.SliceData(s)), uintptr(n)*unsafe.Sizeof(*new(T)))
	return s
}

// room gives the slice with room for n more, in memory of large.
func room[T any](s []T, n int) []T {
	if len(s)+n <= cap(s) {
		return s
	}
	return append(large[T](max(2*cap(s), len(s)+n, 64))[:0], s...)
}
