package schedule

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childLedger makes the test binary a runner of its own: it opens the ledger that the variable names, waits for a line on
// its standard input, starts a run, says what came of it, and stays until it is killed or its input ends.
const childLedger = "SPILLWAY_TEST_LEDGER"

func TestMain(m *testing.M) {
	if path := os.Getenv(childLedger); path != "" {
		childMain(path)
		return
	}
	os.Exit(m.Run())
}

func childMain(path string) {
	in := bufio.NewScanner(os.Stdin)
	l, err := Open(context.Background(), path, SystemClock{})
	fmt.Println("opened", err)
	for in.Scan() {
		run, err := l.Start(context.Background(), manual("p"))
		var running *RunningError
		switch {
		case err == nil:
			fmt.Println("started", run.ID)
		case errors.As(err, &running):
			fmt.Println("refused", running.Run.ID)
		default:
			fmt.Println("error", err)
		}
	}
}

// child is another process with the same ledger open.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   interface{ WriteString(string) (int, error) }
	out  *bufio.Reader
	once bool
}

// spawn starts a child; it is killed when the test ends.
func spawn(t *testing.T, path string) *child {
	t.Helper()
	exe, err := os.Executable()
	check(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childLedger+"="+path)
	cmd.Stderr = os.Stderr
	read, write, err := os.Pipe()
	check(t, err)
	t.Cleanup(func() { write.Close() })
	cmd.Stdin = read
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	check(t, read.Close())
	c := &child{t: t, cmd: cmd, in: write, out: bufio.NewReader(out)}
	t.Cleanup(c.kill)
	return c
}

// start asks the child to start a run; answer reads what it says.
func (c *child) start() {
	_, err := c.in.WriteString("\n")
	check(c.t, err)
}

func (c *child) answer() (what, rest string) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	check(c.t, err)
	what, rest, _ = strings.Cut(strings.TrimSpace(line), " ")
	return what, rest
}

// kill ends the child as kill -9 does, and waits for it.
func (c *child) kill() {
	if !c.once {
		c.once = true
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}

// TestProcessesStartTogether opens a new ledger from several processes at once, which all want the same turn.
func TestProcessesStartTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var children []*child
	for range 4 {
		children = append(children, spawn(t, path))
	}
	for _, c := range children {
		if what, err := c.answer(); what != "opened" || err != "<nil>" {
			t.Fatalf("%s %s", what, err)
		}
	}
	l := openLedger(t, path, SystemClock{})
	for range 5 {
		for _, c := range children {
			c.start()
		}
		var started []string
		refusedFor := map[string]bool{}
		for _, c := range children {
			switch what, rest := c.answer(); what {
			case "started":
				started = append(started, rest)
			case "refused":
				refusedFor[rest] = true
			default:
				t.Fatalf("%s %s", what, rest)
			}
		}
		if len(started) != 1 || len(refusedFor) != 1 || !refusedFor[started[0]] {
			t.Fatalf("started %v, refused for %v", started, refusedFor)
		}
		check(t, l.Finish(context.Background(), started[0], Result{}))
	}
}

func TestCrashedRunIsAbandoned(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	clock := newClock(t, "2126-01-01T00:00:00Z")
	l := openLedger(t, path, clock)
	c := spawn(t, path)
	c.answer()
	c.start()
	what, id := c.answer()
	if what != "started" {
		t.Fatalf("%s %s", what, id)
	}
	var running *RunningError
	if _, err := l.Start(ctx, manual("p")); !errors.As(err, &running) || running.Run.PID != c.cmd.Process.Pid {
		t.Fatalf("start beside a living runner: error %v", err)
	}
	c.kill()
	if got := mustGet(t, l, id); got.State != Running {
		t.Fatalf("after the crash: %+v", got)
	}
	next := mustStart(t, l, manual("p"))
	got := mustGet(t, l, id)
	if got.State != Abandoned || !got.Finished.Equal(clock.Now()) || got.Wall != 0 || !strings.Contains(got.Error, "died") {
		t.Errorf("the crashed run: %+v", got)
	}
	if got := mustGet(t, l, next.ID); got.State != Running {
		t.Errorf("the next run: %+v", got)
	}
}

func TestDeadBeside(t *testing.T) {
	self, err := thisRunner()
	check(t, err)
	gone := spawn(t, filepath.Join(t.TempDir(), "ledger.db"))
	alive := runner{pid: gone.cmd.Process.Pid, host: self.host}
	alive.born = birth(alive.pid)
	if alive.deadBeside(self) {
		t.Error("a living process counts as dead")
	}
	if (runner{pid: alive.pid, host: self.host}).deadBeside(self) {
		t.Error("a living process of unknown birth counts as dead")
	}
	gone.kill()
	if !alive.deadBeside(self) {
		t.Error("a killed process counts as alive")
	}
	if alive.host += "-other"; alive.deadBeside(self) {
		t.Error("a process of another host counts as dead")
	}
	if self.deadBeside(self) {
		t.Error("this process counts as dead")
	}
	if self.born == "" {
		t.Skip("this system does not tell when a process began")
	}
	if reused := (runner{pid: self.pid, born: "earlier", host: self.host}); !reused.deadBeside(self) {
		t.Error("a pid that another process took over counts as alive")
	}
}

// TestRunOnAnotherHost is not judged from here, but may be abandoned by hand.
func TestRunOnAnotherHost(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ledger.db")
	clock := newClock(t, "2026-11-21T02:00:00Z")
	far, l := openLedger(t, path, clock), openLedger(t, path, clock)
	far.self = runner{pid: 1 << 30, born: "there", host: "far away"}
	run := mustStart(t, far, manual("p"))
	clock.set(clock.Now().Add(1000 * time.Hour))
	var running *RunningError
	if _, err := l.Start(ctx, manual("p")); !errors.As(err, &running) || running.Run.Host != "far away" {
		t.Fatalf("start: error %v", err)
	}
	check(t, l.Abandon(ctx, run.ID, "its host was scrapped"))
	mustStart(t, l, manual("p"))
	if err := far.Finish(ctx, run.ID, Result{}); !errors.Is(err, ErrEnded) {
		t.Errorf("the abandoned runner's finish: error %v", err)
	}
}
