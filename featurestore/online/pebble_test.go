package online_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/online/onlinetest"
	"github.com/spillway-go/spillway/internal/fault"
)

func TestPebble(t *testing.T) {
	onlinetest.Run(t, func(t *testing.T) func() online.Store {
		path := t.TempDir()
		return func() online.Store { return openStore(t, path) }
	})
}

func openStore(t *testing.T, path string) *online.Pebble {
	t.Helper()
	store, err := online.OpenPebble(path, online.PebbleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// TestOpenFaults opens folders that are no good; each error says what the matter is and what to do.
func TestOpenFaults(t *testing.T) {
	held := t.TempDir()
	openStore(t, held)

	damaged := t.TempDir()
	ruin(t, damaged)

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}

	foreign := t.TempDir()
	db, err := pebble.Open(foreign, &pebble.Options{Logger: online.Quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	newer := t.TempDir()
	if err := online.WriteForm(newer, "spillway online store 9"); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct{ name, path, want string }{
		{"held by this process", held, "is in use by another process"},
		{"damaged", damaged, "is damaged"},
		{"a file", file, "is no folder"},
		{"below a file", filepath.Join(file, "store"), "is no folder"},
		{"another program's", foreign, "is a database of another program"},
		{"a newer spillway's", newer, `is of the form "spillway online store 9"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := online.OpenPebble(c.path, online.PebbleOptions{})
			var explained *fault.Error
			if !errors.As(err, &explained) {
				t.Fatalf("got %v, want a fault", err)
			}
			if !strings.HasPrefix(explained.Fault, c.want) || explained.Remedy == "" || !strings.Contains(explained.Thing, c.path) {
				t.Errorf("got %v, want the fault %q", err, c.want)
			}
		})
	}
}

// ruin makes a store and overwrites its tables and logs with zeros.
func ruin(t *testing.T, path string) {
	t.Helper()
	store := openStore(t, path)
	if _, err := store.Apply(t.Context(), testSpace, testWrite(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(path, "MANIFEST*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no manifest: %v", err)
	}
	for _, m := range manifests {
		info, err := os.Stat(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m, bytes.Repeat([]byte{0xa5}, int(info.Size())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLockedByAnotherProcess lets a copy of the test hold the store.
func TestLockedByAnotherProcess(t *testing.T) {
	if path := os.Getenv("ONLINE_TEST_HOLD"); path != "" {
		openStore(t, path)
		fmt.Println("held")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	path := t.TempDir()
	holder := exec.Command(os.Args[0], "-test.run=^TestLockedByAnotherProcess$")
	holder.Env = append(os.Environ(), "ONLINE_TEST_HOLD="+path)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "held\n" {
		t.Errorf("the holder says %q: %v", line, err)
	}
	_, err = online.OpenPebble(path, online.PebbleOptions{})
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Fault != "is in use by another process" {
		t.Errorf("got %v", err)
	}
	stdin.Close()
	if err := holder.Wait(); err != nil {
		t.Error(err)
	}
}

var testSpace = online.Space{Pipeline: "p", Plan: "00"}

// testWrite is a write of one key, with a slice at each of the starts.
func testWrite(next int64, starts ...int64) *online.Write {
	k := online.KeyWrite{Key: []byte("k"), Newest: starts[len(starts)-1]}
	for _, s := range starts {
		k.Slices = append(k.Slices, online.Slice{Start: s, Rows: []byte("rows")})
	}
	f := online.Frontier{Next: next, Watermark: next, Oldest: online.NoTime}
	return &online.Write{Frontier: f, Keys: []online.KeyWrite{k}}
}

// TestNoSpace fills the disk: writes are refused and change nothing, reads go on, and so do writes once there is room.
func TestNoSpace(t *testing.T) {
	disk := vfs.NewMem()
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	store, err := online.OpenPebble("store", online.PebbleOptions{}.On(disk))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Apply(t.Context(), testSpace, testWrite(1, 0)); err != nil {
		t.Fatal(err)
	}
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	for range 2 {
		_, err = store.Apply(t.Context(), testSpace, testWrite(2, 0, 1))
		var explained *fault.Error
		if !errors.As(err, &explained) || explained.Fault != "has no space left on its disk" {
			t.Fatalf("got %v", err)
		}
	}
	if got := slicesOf(t, store); got != 1 {
		t.Errorf("%d slices after a write that failed, want 1", got)
	}
	disk.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	if applied, err := store.Apply(t.Context(), testSpace, testWrite(2, 0, 1)); err != nil || !applied {
		t.Fatalf("with room again: %v, %v", applied, err)
	}
	if got := slicesOf(t, store); got != 2 {
		t.Errorf("%d slices, want 2", got)
	}
}

func slicesOf(t *testing.T, store online.Store) (n int) {
	t.Helper()
	q := online.Query{Keys: [][]byte{[]byte("k")}, From: -1 << 60, To: 1 << 60, Live: true}
	err := store.Read(t.Context(), testSpace, &q, func(_ int, e *online.Entry) error {
		n = len(e.Slices)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCrash cuts the power at random: the store then stands at a frontier that it had, with the slices of that frontier.
func TestCrash(t *testing.T) {
	behind := 0 // crashes that lost writes
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		disk := vfs.NewCrashableMem()
		store, err := online.OpenPebble("store", online.PebbleOptions{}.On(disk))
		if err != nil {
			t.Fatal(err)
		}
		writes := int64(1 + random.IntN(60))
		for n := int64(1); n <= writes; n++ {
			w := testWrite(n, 0, n)
			w.Keys[0].Slices[0].Rows = bytes.Repeat([]byte{byte(n)}, 20<<10)
			if _, err := store.Apply(t.Context(), testSpace, w); err != nil {
				t.Fatal(err)
			}
		}
		after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		store, err = online.OpenPebble("store", online.PebbleOptions{}.On(after))
		if err != nil {
			t.Fatal(err)
		}
		q := online.Query{Keys: [][]byte{[]byte("k")}, From: -1 << 60, To: 1 << 60, Live: true}
		err = store.Read(t.Context(), testSpace, &q, func(_ int, e *online.Entry) error {
			next := e.Frontier.Next
			if next < writes {
				behind++
			}
			if e.Seen && (len(e.Slices) != int(next)+1 || e.Slices[0].Rows[0] != byte(next) || e.Newest != next) {
				t.Errorf("seed %d: %d slices, the first by %d, at frontier %d", seed, len(e.Slices), e.Slices[0].Rows[0], next)
			}
			return nil
		})
		if err := errors.Join(err, store.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if behind == 0 {
		t.Error("no crash lost a write: the test shows nothing")
	}
}

// TestSweep goes on for a hundred times the reach with ever new keys; the store keeps only what can still be read.
func TestSweep(t *testing.T) {
	store := openStore(t, t.TempDir())
	const reach, perWrite = 10, 20
	for n := int64(1); n <= 1000; n++ {
		w := &online.Write{Frontier: online.Frontier{Next: n, Watermark: n, Oldest: n - reach}}
		for i := range perWrite {
			k := online.KeyWrite{Key: fmt.Appendf(nil, "%d-%d", n, i), Newest: n, Slices: []online.Slice{{Start: n, Rows: []byte("rows")}}}
			w.Keys = append(w.Keys, k)
		}
		if _, err := store.Apply(t.Context(), testSpace, w); err != nil {
			t.Fatal(err)
		}
	}
	slices, keys, err := store.Count(testSpace)
	if err != nil {
		t.Fatal(err)
	}
	if keys != 1000*perWrite {
		t.Errorf("%d keys, want all %d", keys, 1000*perWrite)
	}
	if most := 1000 * perWrite / 2; slices > most || slices < reach*perWrite {
		t.Errorf("%d slices, want %d to %d", slices, reach*perWrite, most)
	}
}
