package real

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// patience is how long a server may take to start, or to end after SIGTERM. A quiet machine needs 3 s; the limit is for
// the one that runs everything at once.
const patience = 90 * time.Second

// process is one server that this package started.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // Closed when the process has ended and is reaped.
	err   error         // How it ended; to be read after ended is closed.
}

// launch starts a server whose output is appended to the log.
func launch(cmd *exec.Cmd, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = out, out
	endWithParent(cmd)
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// To Linux the parent is the thread that forked, not the process: it has to live as long as the child.
		runtime.LockOSThread()
		defer close(p.ended)
		defer out.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	return p, <-started
}

// pid is the process's number.
func (p *process) pid() int { return p.cmd.Process.Pid }

// await asks ready over and over until it answers nil, and fails when the process ends or patience does.
func (p *process) await(ready func() error) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(patience)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("the process ended: %v", p.err)
		case <-deadline:
			return fmt.Errorf("not ready after %v: %w", patience, err)
		case <-again.C:
		}
	}
}

// kill ends the process as a crash would, and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill() // The only error is that it has ended already.
	<-p.ended
}

// stop asks the process to end, insists when it does not, and waits until it is gone.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM) // The only error is that it has ended already.
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill()
	}
}

// freePorts are n ports of the loopback on which nobody listens. They are handed out together, so they differ.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// tail is the last lines of a log, for a failure's message.
func tail(log string) string {
	const lines = 60
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	all := bytes.SplitAfter(text, []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], nil))
}
