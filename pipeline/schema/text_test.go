package schema_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// TestTimes compares AppendTime with package time over all days of a cycle of the calendar, and at random.
func TestTimes(t *testing.T) {
	check := func(us int64) {
		want := time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z")
		if got := string(schema.AppendTime(nil, us)); got != want {
			t.Fatalf("%d µs is %s, want %s", us, got, want)
		}
	}
	earliest := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	latest := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro()
	const cycle = 146_097 // The calendar repeats after so many days.
	for day := range int64(cycle) {
		check(day*24*60*60*1_000_000 - 1)
	}
	for _, us := range []int64{earliest - 1, earliest, latest, latest + 1, math.MinInt64, math.MaxInt64} {
		check(us)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		check(earliest + r.Int64N(latest-earliest+1))
		check(int64(r.Uint64()))
	}
}

// TestJSON reads back what was written.
func TestJSON(t *testing.T) {
	for _, text := range []string{"", "plain", `"`, `\`, "\x00\x1f\x7f\n\t\r\b", "日本 e\u0301😀\u2028", "</script>"} {
		var got string
		if err := json.Unmarshal(schema.AppendJSONText(nil, text), &got); err != nil || got != text {
			t.Errorf("%q is read back as %q, %v", text, got, err)
		}
		if s := string(schema.AppendJSONText([]byte("x"), []byte(text))); s != "x"+string(schema.AppendJSONText(nil, text)) {
			t.Errorf("%q as bytes is %s", text, s)
		}
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 0.1, 1e21, 5e-324, math.MaxFloat64, -1e16} {
		got, err := strconv.ParseFloat(string(schema.AppendJSONFloat(nil, f)), 64)
		if err != nil || math.Float64bits(got) != math.Float64bits(f) {
			t.Errorf("%v is read back as %v, %v", f, got, err)
		}
	}
	for f, want := range map[float64]string{math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`} {
		if got := string(schema.AppendJSONFloat(nil, f)); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
	if got := string(schema.AppendJSONFloat(nil, math.NaN())); got != `"NaN"` {
		t.Errorf("NaN is %s", got)
	}
	if got := string(schema.AppendJSONTime(nil, -1)); got != `"1969-12-31T23:59:59.999999Z"` {
		t.Errorf("-1 µs is %s", got)
	}
}
