package fault

import (
	"fmt"
	"runtime"
	"strings"
)

// Pos is the place in the user's source that an error speaks of. The zero Pos is unknown and prints nothing.
type Pos struct {
	File string
	Line int
}

// Known tells whether the place is known.
func (p Pos) Known() bool { return p.Line != 0 }

// String gives the place as file:line, the form that editors follow.
func (p Pos) String() string {
	if !p.Known() {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Caller is the place that called the function skip frames above the caller of Caller: 1 is the caller of the function
// that calls it.
func Caller(skip int) Pos {
	_, file, line, ok := runtime.Caller(skip + 1)
	if !ok {
		return Pos{}
	}
	return Pos{File: file, Line: line}
}

// Panicked is the place of the panic that the calling function, a deferred one, has just recovered from.
func Panicked() Pos {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	raised := false
	for {
		f, more := frames.Next()
		within := strings.HasPrefix(f.Function, "runtime.")
		// The frames run from the deferred function through the runtime's that raise a panic to the one that panicked.
		raised = raised || within
		if raised && !within {
			return Pos{File: f.File, Line: f.Line}
		}
		if !more {
			return Pos{}
		}
	}
}
