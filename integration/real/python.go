package real

import (
	"bytes"
	"os"
	"os/exec"
)

// Python is the path of an interpreter that has pyiceberg and pyarrow.
func Python(tb TB) string {
	tb.Helper()
	return installed(tb, "py", "bin", "python")
}

// RunPython runs a script with arguments in the test's folder and gives what it wrote to standard output. A script that
// fails ends the test with what it wrote to both outputs.
func RunPython(tb TB, script string, args ...string) string {
	tb.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(Python(tb), append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%s: %v\n%s%s", script, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}
