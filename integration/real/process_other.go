//go:build !linux

package real

import "os/exec"

// endWithParent does nothing: only Linux ends a child with its parent.
func endWithParent(*exec.Cmd) {}

// listens cannot be asked here and says yes; whose server answers is then known from the answer alone.
func listens(pid, port int) bool { return true }
