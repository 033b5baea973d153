package real

import (
	"os"
	"os/exec"
)

// Chromium is the path of a Chromium or Chrome. Without one the test is skipped, or failed when the environment has
// CI=true: there nobody reads what was skipped.
func Chromium(tb TB) string {
	tb.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	stop := tb.Skipf
	if os.Getenv("CI") == "true" {
		stop = tb.Fatalf
	}
	stop("no Chromium on the PATH; install it (Debian: apt-get install chromium)")
	return ""
}
