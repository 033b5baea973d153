package real

import (
	"fmt"
	"os"
	"runtime"
)

// TB is what this package asks of a test. *testing.T and *testing.B have it, and Main makes one for TestMain.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// Main runs a TestMain that shares components between its tests, and gives its exit code. What run starts with the TB
// lives until run returns; a Fatalf of that TB ends run with code 1, a Skipf with code 0.
func Main(run func(TB) int) int {
	s := &session{code: 1}
	done := make(chan struct{})
	// Fatalf has to end run from within, as in package testing: by ending its goroutine.
	go func() {
		defer close(done)
		defer s.cleanup()
		s.code = run(s)
	}()
	<-done
	return s.code
}

// session is the TB of a TestMain.
type session struct {
	code     int
	cleanups []func()
}

func (s *session) Helper() {}

func (s *session) Logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (s *session) Fatalf(format string, args ...any) {
	s.Logf(format, args...)
	s.code = 1
	runtime.Goexit()
}

func (s *session) Skipf(format string, args ...any) {
	s.Logf("SKIP: "+format, args...)
	s.code = 0
	runtime.Goexit()
}

func (s *session) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *session) TempDir() string {
	dir, err := os.MkdirTemp("", "spillway-real-")
	if err != nil {
		s.Fatalf("temporary folder: %v", err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// cleanup undoes in the reverse order, so that a server stops before its folder goes.
func (s *session) cleanup() {
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		undo := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		undo()
	}
}
