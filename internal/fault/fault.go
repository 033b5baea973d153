// Package fault gives every error that a user can mend the same three parts: the thing that is wrong, what is wrong with
// it, and what to do about it.
//
//	fault.New(`topic "payments"`, "does not exist on the broker", "create it, or correct its name")
//
// reads
//
//	topic "payments": does not exist on the broker; create it, or correct its name
//
// and, with At, begins with the file and line where the user wrote it. An error that no user can mend, one of our own or of
// the system beneath, is an ordinary error instead.
package fault

import (
	"errors"
	"strings"
)

// Error is one mistake that somebody outside the program can mend.
type Error struct {
	Pos    Pos    // where the user wrote it; zero when it does not come from a definition
	Thing  string // what is wrong, by the name that the user knows it by
	Fault  string // what is wrong with it
	Remedy string // what to do about it
	Cause  error  // the error beneath, or nil
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
	if e.Pos.Known() {
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
