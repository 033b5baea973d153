package schedule

import (
	"errors"
	"os"
	"syscall"
)

// runner is the process that runs a run. A pid alone does not name a process for long: in a container every start is
// pid 1. So the moment of its birth goes with it, where the system tells.
type runner struct {
	pid  int
	born string // Changes when the pid is given to another process; "" if the system does not tell.
	host string
}

// thisRunner is the present process.
func thisRunner() (runner, error) {
	host, err := os.Hostname()
	if err != nil {
		return runner{}, err
	}
	pid := os.Getpid()
	return runner{pid: pid, born: birth(pid), host: host}, nil
}

// deadBeside says whether r certainly runs no more, as a process on the host of self can know it.
func (r runner) deadBeside(self runner) bool {
	if r.host != self.host {
		return false
	}
	if now := birth(r.pid); now != "" && r.born != "" {
		return now != r.born
	}
	p, err := os.FindProcess(r.pid)
	if err != nil {
		return true
	}
	defer p.Release()
	return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
