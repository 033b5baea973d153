//go:build integration

package real_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/integration/real"
)

func TestPythonReadsIceberg(t *testing.T) {
	got := real.RunPython(t, "testdata/versions.py", "pyiceberg", "pyarrow")
	if !strings.HasPrefix(got, "pyiceberg 0.12.0\npyarrow ") {
		t.Errorf("the script said %q", got)
	}
}

func TestChromiumRunsScripts(t *testing.T) {
	const page = `data:text/html,<p id=p></p><script>document.getElementById("p").textContent = 6*7</script>`
	cmd := exec.Command(real.Chromium(t), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--dump-dom", page)
	got, err := cmd.Output()
	if err != nil || !strings.Contains(string(got), `<p id="p">42</p>`) {
		t.Errorf("Chromium gave %q, %v", got, err)
	}
}
