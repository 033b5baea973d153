package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func jsonLines(t testing.TB, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	lines, err := mustOpen(t, o).WriteJSONLines(&out)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); int64(n) != lines {
		t.Fatalf("%d lines written, %d reported", n, lines)
	}
	return out.Bytes()
}

// TestGolden checks invariant 1. A change of the hash changes every figure that the demo prints.
func TestGolden(t *testing.T) {
	o := Options{Seed: demoSeed, Partitions: 4}
	const want = "aabf3df4beccf44b02579833d272f22e489913995f8344b7e0a7db522851a4ad"
	first := jsonLines(t, o)
	hash := sha256.Sum256(first)
	if got := hex.EncodeToString(hash[:]); got != want {
		t.Errorf("the replay hashes to %s, want %s", got, want)
	}
	if !bytes.Equal(first, jsonLines(t, o)) {
		t.Error("a second replay differs")
	}
	o.Seed++
	if bytes.Equal(first, jsonLines(t, o)) {
		t.Error("another seed makes no difference")
	}
}

// TestLines checks each line against the record that it carries.
func TestLines(t *testing.T) {
	for _, partitions := range []int{0, 4} {
		o := Options{Seed: demoSeed, Partitions: partitions}
		lines := bytes.Split(bytes.TrimSuffix(jsonLines(t, o), []byte("\n")), []byte("\n"))
		want := slices.Collect(records(t, o))
		if len(lines) != len(want) {
			t.Fatalf("%d lines for %d records", len(lines), len(want))
		}
		for i, rec := range want {
			prefix := fmt.Sprintf(`{"arrival":"%s",`, rec.Arrival.Format("2006-01-02T15:04:05.000Z"))
			if partitions > 0 {
				prefix += fmt.Sprintf(`"partition":%d,`, rec.Partition)
			}
			if line := prefix + string(rec.Payload[1:]); string(lines[i]) != line {
				t.Fatalf("line %d is %s, want %s", i+1, lines[i], line)
			}
			if json.Valid(lines[i]) != (rec.Kind != Truncated) {
				t.Fatalf("line %d of kind %s: %s", i+1, rec.Kind, lines[i])
			}
			if arrival := rec.Arrival; arrival.Truncate(time.Millisecond) != arrival {
				t.Fatalf("line %d loses part of the arrival %s", i+1, arrival)
			}
		}
	}
}

// fullDisk takes some bytes and then fails.
type fullDisk struct{ room int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.room {
		return 0, errFull
	}
	d.room -= len(b)
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	lines, err := mustOpen(t, Options{Seed: demoSeed}).WriteJSONLines(&fullDisk{room: 200_000})
	if !errors.Is(err, errFull) || lines == 0 || lines > 200_000/100 {
		t.Errorf("%d lines and error %v", lines, err)
	}
}
