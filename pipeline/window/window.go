package window

import (
	"math"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// Day and Week are spans of time, not calendar units: 24 and 168 hours.
const (
	Day  = 24 * time.Hour
	Week = 7 * Day
)

// longest bounds a window so that no sum over times can overflow.
const longest = 3660 * Day

// Window is one look back in time. Last and Tile make it.
type Window struct {
	Length time.Duration // d of Last(d)
	Tail   time.Duration // the tile that the window's lower bound is floored to; 0 is none
	Pos    fault.Pos     // of Tile, or else of Last
	made   bool          // by Last: the zero Window is none, and Last(0) is a mistake of its own
	tiled  bool          // by Tile
}

// Last is the window of the last d before the ask.
//
//go:noinline
func Last(d time.Duration) Window {
	// Inlined into the initialisation of a package's variable, this function would not learn where it was called.
	return Window{Length: d, Pos: fault.Caller(1), made: true}
}

// Tile floors the window's lower bound to a multiple of t since 1970-01-01T00:00Z, so that the window covers at least its
// length and its old events can be kept as one sum a tile. It is part of the feature's meaning, the same in every engine.
//
//go:noinline
func (w Window) Tile(t time.Duration) Window {
	w.Tail, w.tiled, w.Pos = t, true, fault.Caller(1)
	return w
}

// Check returns what is wrong with the window, or nil.
func (w Window) Check() *fault.Error {
	thing := "window " + w.String()
	switch {
	case w.Length <= 0:
		return fault.New(thing, "has no length", "use a length above zero (a product of durations may have overflowed)").At(w.Pos)
	case w.Length > longest:
		return fault.New(thing, "is longer than 3660 days", "use a shorter one").At(w.Pos)
	case w.Length%time.Microsecond != 0:
		return fault.New(thing, "is finer than a microsecond", "use a multiple of time.Microsecond").At(w.Pos)
	case w.Tail < 0 || w.tiled && w.Tail == 0:
		return fault.New(thing, "has a tile of no length", "use a tile above zero, or none").At(w.Pos)
	case w.Tail%time.Microsecond != 0:
		return fault.New(thing, "has a tile finer than a microsecond", "use a multiple of time.Microsecond").At(w.Pos)
	case w.Tail > w.Length:
		return fault.New(thing, "has a tile longer than itself", "use a tile of at most the length").At(w.Pos)
	}
	return nil
}

// String is the window in words, as in "last 14d by tiles of 1h".
func (w Window) String() string {
	s := "last " + Format(w.Length)
	if w.tiled || w.Tail != 0 {
		s += " by tiles of " + Format(w.Tail)
	}
	return s
}

// Micros is the window's length in microseconds.
func (w Window) Micros() int64 { return w.Length.Microseconds() }

// TileMicros is the tile in microseconds, or 0.
func (w Window) TileMicros() int64 { return w.Tail.Microseconds() }

// Start is the lower bound, included, of the window asked at t; all in microseconds. A bound before the least int64 is
// that: no event lies before it.
func (w Window) Start(t int64) int64 {
	start := t - w.Micros()
	if start > t {
		return math.MinInt64
	}
	if tile := w.TileMicros(); tile > 0 {
		start = Floor(start, tile)
	}
	return start
}
