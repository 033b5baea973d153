package fault_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/spillway-go/spillway/internal/fault"
)

func TestErrorSaysPlaceThingFaultCauseAndRemedy(t *testing.T) {
	pos := fault.Pos{File: "fraud.go", Line: 12}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fault.New("topic", "is missing", "create it"), "topic: is missing; create it"},
		{fault.New("topic", "is missing", ""), "topic: is missing"},
		{fault.New("topic", "is missing", "create it").At(pos), "fraud.go:12: topic: is missing; create it"},
		{fault.Wrap(fs.ErrNotExist, "file", "cannot be read", "check it"), "file: cannot be read (file does not exist); check it"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	err := error(fault.Wrap(fs.ErrNotExist, "file", "cannot be read", ""))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the error beneath is lost")
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Thing != "file" {
		t.Error("the fault is lost")
	}
}

func TestListGivesAllErrors(t *testing.T) {
	var l fault.List
	l.Add(nil)
	if err := l.Err(); err != nil {
		t.Errorf("of no errors: %v", err)
	}
	l.Add(fs.ErrNotExist)
	l.Add(fs.ErrExist)
	if got, want := l.Err().Error(), "file does not exist\nfile already exists"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCallerIsThePlaceThatCalled(t *testing.T) {
	at := func() fault.Pos { return fault.Caller(1) }
	first, second := at(), at()
	if filepath.Base(first.File) != "fault_test.go" || first.Line == 0 || first != second {
		t.Errorf("two calls on one line are at %v and %v", first, second)
	}
	if third := at(); third.Line <= first.Line {
		t.Errorf("a call below %v is at %v", first, third)
	}
	if far := fault.Caller(1000); far.Known() || far.String() != "" {
		t.Errorf("a frame that is none is at %q", far)
	}
}

func TestPanickedIsThePlaceOfThePanic(t *testing.T) {
	var nothing map[string]int
	var want fault.Pos
	for name, raise := range map[string]func(){
		"panic":         func() { want = fault.Caller(0); panic("mine") },
		"runtime error": func() { want = fault.Caller(0); nothing["a"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("nothing was raised")
				}
				if at := fault.Panicked(); at != want {
					t.Errorf("it is at %v, want %v", at, want)
				}
			}()
			raise()
		})
	}
}

func TestPanickedWithoutAPanicIsUnknown(t *testing.T) {
	done := make(chan fault.Pos)
	go func() { done <- fault.Panicked() }()
	if at := <-done; at.Known() {
		t.Errorf("it is at %v", at)
	}
}
