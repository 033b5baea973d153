package real

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCacheDir(t *testing.T) {
	t.Setenv("SPILLWAY_REAL", "")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cacheDir(); got != filepath.Join(root, ".real") || err != nil {
		t.Errorf("from a package's folder: %q, %v", got, err)
	}
	t.Setenv("SPILLWAY_REAL", "elsewhere")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cacheDir(); got != filepath.Join(here, "elsewhere") || err != nil {
		t.Errorf("from the environment: %q, %v", got, err)
	}
	t.Setenv("SPILLWAY_REAL", "")
	t.Chdir(t.TempDir())
	if got, err := cacheDir(); err == nil {
		t.Errorf("outside the repository: %q", got)
	}
}

func TestWhatIsNotInstalledEndsTheTest(t *testing.T) {
	t.Setenv("SPILLWAY_REAL", t.TempDir())
	code := Main(func(tb TB) int {
		t.Errorf("Python is %q in an empty cache", Python(tb))
		return 0
	})
	if code != 1 {
		t.Errorf("code %d, want 1", code)
	}
}
