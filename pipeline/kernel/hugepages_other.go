//go:build !linux

package kernel

import "unsafe"

// advise does nothing where there is no such advice.
func advise(unsafe.Pointer, uintptr) {}
