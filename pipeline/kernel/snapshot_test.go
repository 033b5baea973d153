package kernel_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// snapshotPlans hold state of every kind between them: logs, tiles, wide sums, trees, texts, ids, ticks and revisions.
func snapshotPlans() []fixture.Plan {
	return []fixture.Plan{
		{
			OutOfOrder: time.Second, Lateness: 20 * time.Second, Ahead: time.Hour, Every: 5 * time.Second,
			Features: []string{
				"distinct(s) last 30s tile 10s", "variance(x) last 30s tile 7s", "sum(x) else 0 last 30s tile 10s",
				"sum(n) last 7s", "sum(m) else -7 last 1s", "max(s) last 20s tile 2s", `last(s) else "-" last 10s tile 10s`,
				"slope(n, 1s) last 30s tile 10s", "min(u) last 30s tile 10s", "first(b) else true last 30s",
			},
		},
		{
			Lateness: time.Minute, Ahead: time.Hour, SkipNullKey: true, Where: "n >= 0",
			Features: []string{"stddev(x) last 20s", "share(b) last 60s tile 10s", "max(x) last 60s"},
		},
	}
}

// snapshot is the state of a task after a hostile log.
func snapshot(t testing.TB, text *fixture.Plan, seed uint64) (*kernel.Program, []byte) {
	t.Helper()
	defined, err := text.Pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := defined.Plan()
	if err != nil {
		t.Fatal(err)
	}
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	var own pipelinetest.Log
	for _, r := range hostile.Log(rand.New(rand.NewPCG(seed, 9)), text, hostile.Options{}) {
		if r.Partition == 0 {
			own = append(own, r)
		}
	}
	task := kernel.NewTask(prog, 0)
	if len(own) > 0 {
		batch := text.Bind(own).Batch(memory.DefaultAllocator, plan.Source.Schema)
		if err := task.Push(batch, own[len(own)-1].Offset+1, prog.NewRows()); err != nil {
			t.Fatal(err)
		}
	}
	return prog, task.AppendSnapshot(nil)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal gives a snapshot's bytes the checksum that they should have.
func seal(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
}

func TestSnapshotsAreStable(t *testing.T) {
	for i, text := range snapshotPlans() {
		for seed := range uint64(20) {
			prog, s := snapshot(t, &text, seed)
			task, err := kernel.RestoreTask(prog, s)
			if err != nil {
				t.Fatal(err)
			}
			if again := task.AppendSnapshot([]byte("before")); !bytes.Equal(again[len("before"):], s) {
				t.Errorf("plan %d, seed %d: a snapshot of what was restored is another", i, seed)
			}
		}
	}
}

// TestSpoiltSnapshots spoils a snapshot in every place: each is refused, by its checksum or before.
func TestSpoiltSnapshots(t *testing.T) {
	for _, text := range snapshotPlans() {
		prog, s := snapshot(t, &text, 3)
		for i := range s {
			spoilt := bytes.Clone(s)
			spoilt[i] ^= 1 << (i % 8)
			if _, err := kernel.RestoreTask(prog, spoilt); err == nil {
				t.Errorf("a snapshot whose byte %d of %d is wrong is restored", i, len(s))
			}
			if _, err := kernel.RestoreTask(prog, s[:i]); err == nil {
				t.Errorf("a snapshot cut after %d bytes of %d is restored", i, len(s))
			}
		}
		if _, err := kernel.RestoreTask(prog, append(bytes.Clone(s), 0)); err == nil {
			t.Error("a snapshot with a byte too many is restored")
		}
	}
}

func TestForeignSnapshots(t *testing.T) {
	plans := snapshotPlans()
	prog, s := snapshot(t, &plans[0], 1)
	other, _ := snapshot(t, &plans[1], 1)
	later := bytes.Clone(s[:len(s)-4])
	later[4] = 99
	for _, test := range []struct {
		prog *kernel.Program
		s    []byte
		want string
	}{
		{other, s, "a snapshot of plan "},
		{prog, seal(later), "a snapshot of version 99; this program reads 1"},
		{prog, nil, "not a snapshot"},
		{prog, []byte("SPKSxxxx"), "a snapshot whose checksum is wrong"},
		{prog, seal(s[:len(s)-5]), "a snapshot that does not hold what its version says"},
		{prog, seal(append(bytes.Clone(s[:len(s)-4]), 0)), "a snapshot that does not hold what its version says"},
	} {
		if _, err := kernel.RestoreTask(test.prog, test.s); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// FuzzRestore gives snapshots whose checksums are right and whose contents are not: they are refused, or hold some state,
// and nothing panics.
func FuzzRestore(f *testing.F) {
	var progs []*kernel.Program
	for i, text := range snapshotPlans() {
		for seed := range uint64(4) {
			prog, s := snapshot(f, &text, seed)
			f.Add(i, s[:len(s)-4])
			if seed == 0 {
				progs = append(progs, prog)
			}
		}
	}
	f.Fuzz(func(_ *testing.T, plan int, body []byte) {
		prog := progs[uint(plan)%uint(len(progs))]
		task, err := kernel.RestoreTask(prog, seal(body))
		if err != nil {
			return
		}
		task.AppendSnapshot(nil)
		_ = task.Ask([]byte("k"), 1_700_000_000_000_000, prog.NewRows())
	})
}
