// Package fault gives every error that a user can mend the same three parts: the thing that is wrong, what is wrong with
// it, and what to do about it.
package fault

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// Pos is the place in the user's source that an error speaks of. The zero Pos is unknown and prints nothing.
type Pos struct {
	File string
	Line int
}

// String gives the place as file:line, the form that editors follow.
func (p Pos) String() string {
	if p.Line == 0 {
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

// Error is one mistake that somebody outside the program can mend.
type Error struct {
	Pos    Pos    // Where the user wrote it; zero when it does not come from a definition.
	Thing  string // What is wrong, by the name that the user knows it by.
	Fault  string // What is wrong with it.
	Remedy string // What to do about it.
	Cause  error  // The error beneath, or nil.
}

// New makes an Error without a place or a cause.
func New(thing, fault, remedy string) *Error {
	return &Error{Thing: thing, Fault: fault, Remedy: remedy}
}

// Wrap makes an Error around the error that showed the fault.
func Wrap(cause error, thing, fault, remedy string) *Error {
	return &Error{Thing: thing, Fault: fault, Remedy: remedy, Cause: cause}
}

// At gives the error its place in the user's source.
func (e *Error) At(pos Pos) *Error {
	e.Pos = pos
	return e
}

// Error says the place, the thing, the fault, the error beneath and the remedy, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Pos.Line != 0 {
		b.WriteString(e.Pos.String())
		b.WriteString(": ")
	}
	b.WriteString(e.Thing)
	b.WriteString(": ")
	b.WriteString(e.Fault)
	if e.Cause != nil {
		b.WriteString(" (")
		b.WriteString(e.Cause.Error())
		b.WriteString(")")
	}
	if e.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// Unwrap gives the error beneath.
func (e *Error) Unwrap() error { return e.Cause }

// List collects errors so that a user sees all of them at once.
type List struct{ errs []error }

// Add keeps an error; nil is no error.
func (l *List) Add(err error) {
	if err != nil {
		l.errs = append(l.errs, err)
	}
}

// Err is nil, or all the errors joined, one a line.
func (l *List) Err() error { return errors.Join(l.errs...) }
