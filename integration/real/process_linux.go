package real

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// endWithParent has the kernel kill the command when the thread that started it ends.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// listens says whether the process itself listens on the TCP port.
func listens(pid, port int) bool {
	proc := fmt.Sprintf("/proc/%d", pid)
	inodes := make(map[string]bool)
	for _, table := range []string{"tcp", "tcp6"} {
		listeners(filepath.Join(proc, "net", table), port, inodes)
	}
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return false // It has ended.
	}
	for _, file := range files {
		target, err := os.Readlink(filepath.Join(proc, "fd", file.Name()))
		if err != nil {
			continue // It was closed meanwhile.
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok && inodes[strings.TrimSuffix(inode, "]")] {
			return true
		}
	}
	return false
}

// listeners adds the inodes of the sockets that listen on the port, by one of the kernel's tables (proc_net(5): the
// local address is the second column, the state the fourth, the inode the tenth).
func listeners(table string, port int, inodes map[string]bool) {
	const listening = "0A"
	file, err := os.Open(table)
	if err != nil {
		return // A machine without IPv6 has no tcp6.
	}
	defer file.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for rows := bufio.NewScanner(file); rows.Scan(); {
		column := strings.Fields(rows.Text())
		if len(column) > 9 && strings.HasSuffix(column[1], suffix) && column[3] == listening {
			inodes[column[9]] = true
		}
	}
}
