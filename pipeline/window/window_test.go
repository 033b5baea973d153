package window_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline/window"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		w    window.Window
		want string // in the fault; "" is none
	}{
		{window.Last(time.Microsecond), ""},
		{window.Last(3660 * window.Day), ""},
		{window.Last(time.Hour).Tile(time.Hour), ""},
		{window.Last(time.Hour).Tile(7 * time.Minute), ""},
		{window.Last(0), "has no length"},
		{window.Last(-time.Hour), "has no length"},
		{window.Last(math.MinInt64), "has no length"},
		{window.Last(3660*window.Day + 1), "longer than 3660 days"},
		{window.Last(math.MaxInt64), "longer than 3660 days"},
		{window.Last(1001 * time.Nanosecond), "finer than a microsecond"},
		{window.Last(time.Hour).Tile(0), "tile of no length"},
		{window.Last(time.Hour).Tile(-time.Minute), "tile of no length"},
		{window.Last(time.Hour).Tile(time.Minute + 1), "tile finer than a microsecond"},
		{window.Last(time.Hour).Tile(time.Hour + time.Microsecond), "longer than itself"},
	} {
		err := c.w.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%v: %v", c.w, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Fault, c.want)):
			t.Errorf("%v: %v, want one that %s", c.w, err, c.want)
		case err != nil && !strings.HasSuffix(err.Pos.File, "window_test.go"):
			t.Errorf("%v: at %v", c.w, err.Pos)
		}
	}
}

func TestStart(t *testing.T) {
	const h = 3_600_000_000
	hour, tiled := window.Last(time.Hour), window.Last(90*time.Minute).Tile(time.Hour)
	for _, c := range []struct {
		w           window.Window
		t, want     int64
		description string
	}{
		{hour, 5 * h, 4 * h, "closed below"},
		{hour, 0, -h, "before 1970"},
		{tiled, 5 * h, 3 * h, "3.5 h, floored"},
		{tiled, 5*h + h/2, 4 * h, "exactly a tile's bound"},
		{tiled, h, -h, "−0.5 h, floored away from zero"},
		{hour, math.MinInt64 + 5, math.MinInt64, "no bound lies before the least"},
		{tiled, math.MinInt64 + 3*h/2 + 10, math.MinInt64, "nor when floored"},
	} {
		if got := c.w.Start(c.t); got != c.want {
			t.Errorf("%v asked at %d: %d, want %d: %s", c.w, c.t, got, c.want, c.description)
		}
	}
}

func TestMicros(t *testing.T) {
	w := window.Last(window.Week).Tile(time.Millisecond)
	if w.Micros() != 7*24*3600*1_000_000 || w.TileMicros() != 1000 || window.Last(time.Hour).TileMicros() != 0 {
		t.Errorf("%d and %d µs", w.Micros(), w.TileMicros())
	}
}

func TestFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                               "0s",
		time.Microsecond:                "1µs",
		1500 * time.Millisecond:         "1.5s",
		time.Minute:                     "1m",
		90 * time.Second:                "1m30s",
		time.Hour:                       "1h",
		10 * time.Hour:                  "10h",
		time.Hour + time.Second:         "1h0m1s",
		90 * time.Minute:                "1h30m",
		window.Day:                      "1d",
		36 * time.Hour:                  "1d12h",
		window.Week:                     "7d",
		window.Day + time.Nanosecond:    "1d1ns",
		-90 * time.Minute:               "-1h30m",
		-48 * time.Hour:                 "-48h",
		2*window.Day + 20*time.Minute:   "2d20m",
		100 * time.Minute:               "1h40m",
		20 * time.Second:                "20s",
		30*time.Minute + 10*time.Second: "30m10s",
	} {
		if got := window.Format(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
	if got := window.Last(14 * window.Day).Tile(time.Hour).String(); got != "last 14d by tiles of 1h" {
		t.Errorf("a window is written %q", got)
	}
	if got := window.Last(0).Tile(0).String(); got != "last 0s by tiles of 0s" {
		t.Errorf("a window is written %q", got)
	}
}

// FuzzFloor holds Floor and Ceil against integers that cannot overflow.
func FuzzFloor(f *testing.F) {
	for _, t := range []int64{0, 1, -1, 59, 60, -60, -61, math.MaxInt64, math.MinInt64, math.MinInt64 + 1} {
		for _, step := range []int64{1, 2, 7, 60, 3_600_000_000, math.MaxInt64} {
			f.Add(t, step)
		}
	}
	f.Fuzz(func(t *testing.T, at, step int64) {
		if step <= 0 {
			t.Skip("no step")
		}
		// big.Int.Div floors when the divisor is positive.
		floor := new(big.Int).Div(big.NewInt(at), big.NewInt(step))
		floor.Mul(floor, big.NewInt(step))
		ceil := new(big.Int).Set(floor)
		if floor.Cmp(big.NewInt(at)) != 0 {
			ceil.Add(ceil, big.NewInt(step))
		}
		if got, want := window.Floor(at, step), clamp(floor); got != want {
			t.Errorf("Floor(%d, %d) = %d, want %d", at, step, got, want)
		}
		if got, want := window.Ceil(at, step), clamp(ceil); got != want {
			t.Errorf("Ceil(%d, %d) = %d, want %d", at, step, got, want)
		}
	})
}

// FuzzStart holds a window's lower bound against integers that cannot overflow, and against what the contract says of it:
// the window covers at least its length, and at most a tile more.
func FuzzStart(f *testing.F) {
	f.Add(int64(0), int64(time.Hour), int64(0))
	f.Add(int64(-1), int64(14*window.Day), int64(time.Hour))
	f.Add(int64(math.MinInt64), int64(3660*window.Day), int64(7*time.Microsecond))
	f.Fuzz(func(t *testing.T, at, length, tile int64) {
		w := window.Last(time.Duration(length))
		if tile != 0 {
			w = w.Tile(time.Duration(tile))
		}
		if w.Check() != nil {
			t.Skip("no window")
		}
		want := new(big.Int).Sub(big.NewInt(at), big.NewInt(w.Micros()))
		if tile := big.NewInt(w.TileMicros()); tile.Sign() > 0 {
			want.Div(want, tile).Mul(want, tile)
		}
		got := w.Start(at)
		if got != clamp(want) {
			t.Errorf("%v asked at %d begins at %d, want %v", w, at, got, want)
		}
		if got != math.MinInt64 && (at-got < w.Micros() || at-got >= w.Micros()+max(1, w.TileMicros())) {
			t.Errorf("%v asked at %d covers %d µs", w, at, at-got)
		}
	})
}

func clamp(x *big.Int) int64 {
	switch {
	case x.IsInt64():
		return x.Int64()
	case x.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}
