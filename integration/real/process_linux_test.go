package real

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// launchIdle starts a process that does nothing until it is killed.
func launchIdle(t *testing.T, held ...*os.File) *process {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tail", "-f", "/dev/null")
	cmd.ExtraFiles = held
	p, err := launch(cmd, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func TestListensIsOfThatProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if !listens(os.Getpid(), port) {
		t.Errorf("we listen on %d, and it is not seen", port)
	}
	other := launchIdle(t)
	if listens(other.pid(), port) {
		t.Errorf("process %d is said to listen on our port", other.pid())
	}
	l.Close()
	if listens(os.Getpid(), port) {
		t.Errorf("we are said to listen on %d after closing it", port)
	}
}

func TestListensOnIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	defer l.Close()
	if port := l.Addr().(*net.TCPAddr).Port; !listens(os.Getpid(), port) {
		t.Errorf("we listen on %d, and it is not seen", port)
	}
}

func TestAwaitSeesTheEnd(t *testing.T) {
	p := launchIdle(t)
	asked := 0
	err := p.await(func() error {
		if asked++; asked == 2 {
			p.kill()
		}
		return errors.New("not yet")
	})
	if err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("await gave %v, want how the process ended", err)
	}
}

func TestStopIsHeard(t *testing.T) {
	p := launchIdle(t)
	p.stop()
	if got := fmt.Sprint(p.err); got != "signal: terminated" {
		t.Errorf("the process ended with %q", got)
	}
	p.stop() // What has ended stays so.
}

// TestServerEndsWithTheTestProcess kills a second process of this test, which has started a server. The server holds
// the write end of a pipe; the pipe's end comes when nobody does.
func TestServerEndsWithTheTestProcess(t *testing.T) {
	const role = "SPILLWAY_TEST_PARENT"
	if os.Getenv(role) != "" {
		launchIdle(t, os.NewFile(3, "pipe"))
		fmt.Println("started")
		select {}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	parent := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	parent.Env = append(os.Environ(), role+"=1")
	parent.ExtraFiles = []*os.File{w}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "started\n" {
		t.Fatalf("the second process said %q, %v", line, err)
	}
	parent.Process.Kill()
	parent.Wait()
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
}
