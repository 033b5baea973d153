package schedule

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestZombieIsDead has a killed process whose parent has not waited for it, as happens in a container without an init.
func TestZombieIsDead(t *testing.T) {
	self, err := thisRunner()
	check(t, err)
	c := spawn(t, filepath.Join(t.TempDir(), "ledger.db"))
	pid := c.cmd.Process.Pid
	zombie := runner{pid: pid, born: birth(pid), host: self.host}
	check(t, c.cmd.Process.Kill())
	const pPID, wExited, wNoWait = 1, 0x4, 0x1000000
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), 0, wExited|wNoWait, 0, 0)
		if errno == 0 {
			break
		}
		if errno != syscall.EINTR {
			t.Fatal(errno)
		}
	}
	if got := birth(pid); got != "ended" {
		t.Errorf("birth of a zombie: %q", got)
	}
	if !zombie.deadBeside(self) {
		t.Error("a zombie counts as alive")
	}
}
