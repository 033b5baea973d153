package real

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFreePortsDiffer(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int]bool)
	for _, port := range ports {
		if port == 0 || seen[port] {
			t.Errorf("port %d of %v is no port or was handed out twice", port, ports)
		}
		seen[port] = true
	}
}

func TestTailIsTheEnd(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(strings.Repeat("before\n", 1000)+"the reason\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := tail(log)
	if !strings.HasSuffix(got, "the reason\n") || strings.Count(got, "\n") > 60 {
		t.Errorf("tail gave %d lines that end in %q", strings.Count(got, "\n"), got[max(0, len(got)-20):])
	}
}
