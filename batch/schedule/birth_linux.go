package schedule

import (
	"bytes"
	"fmt"
	"os"
)

// birth names the moment at which the process began: the boot of the machine and the clock ticks since then. It is "" if
// there is no such process (or no /proc to ask), and "ended" for one that ended and was not yet waited for.
func birth(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name of the program is in parentheses and may hold any byte; the state is the first field behind it and the
	// time of birth the twentieth.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	if state := fields[0][0]; state == 'Z' || state == 'X' {
		return "ended"
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s/%s", bytes.TrimSpace(boot), fields[19])
}
