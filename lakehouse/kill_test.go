package lakehouse

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// killDir tells the test's own binary, run again, to append to the lake there until it is killed.
const killDir = "LAKEHOUSE_TEST_KILL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		appendForever(dir)
	}
	os.Exit(m.Run())
}

// nthRecord is the one record of an offset, so that any process can go on where another was killed.
func nthRecord(o int64) record {
	return record{offset: o, card: string(rune('a' + o%7)), at: (o%3 - 1) * microsPerDay, amount: float64(o)}
}

func appendForever(dir string) {
	ctx := context.Background()
	die := func(err error) {
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
	}
	log := paymentLog(&testing.T{}, "payments")
	l, err := Open(ctx, Config{Warehouse: dir})
	die(err)
	a, err := l.Archive(ctx, log)
	die(err)
	for {
		from, err := a.Frontier(ctx)
		die(err)
		records := []record{nthRecord(from[0]), nthRecord(from[0] + 1), nthRecord(from[0] + 2)}
		_, err = a.Append(ctx, from, Frontier{0: from[0] + 3}, []arrow.RecordBatch{batchOf(log, records...)})
		die(err)
		os.Stdout.WriteString("appended\n")
	}
}

// TestKill kills a process that appends, at moments of no choice of its own, and lets the next go on.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	log := paymentLog(t, "payments")
	for range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("the process ended before its first append")
		}
		<-time.After(rand.N(60 * time.Millisecond)) // somewhere within the next appends
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		a := openArchive(t, openLake(t, dir), log)
		f, err := a.Frontier(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var want []record
		for o := range f[0] {
			want = append(want, nthRecord(o))
		}
		checkHolds(t, a, want)
	}
}
