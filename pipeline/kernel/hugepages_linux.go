package kernel

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of a huge page where the kernel has them for anonymous memory: on amd64, and on arm64 with small
// pages. Where it is another, the advice covers less or nothing.
const hugePage = 2 << 20

// advise asks for huge pages behind a block that has not been written yet. State is read at random: with small pages, each
// read also waits for the page table. It is advice only, so what becomes of it does not matter.
func advise(p unsafe.Pointer, bytes uintptr) {
	skip := -uintptr(p) % hugePage
	if bytes < skip+hugePage {
		return
	}
	n := (bytes - skip) / hugePage * hugePage
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), n), syscall.MADV_HUGEPAGE)
}
