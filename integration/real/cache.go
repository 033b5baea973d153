package real

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// installer is the script that fills the cache folder, seen from the repository's root.
const installer = "integration/real/install"

// installed gives the path of something in the cache folder, and ends the test if it is not there.
func installed(tb TB, elem ...string) string {
	tb.Helper()
	cache, err := cacheDir()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	path := filepath.Join(append([]string{cache}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%v; run %s", err, installer)
	}
	return path
}

// cacheDir is the absolute path of the folder that the installer fills.
func cacheDir() (string, error) {
	if dir := os.Getenv("SPILLWAY_REAL"); dir != "" {
		return filepath.Abs(dir)
	}
	// Tests run in their package's folder, which may belong to another module of the repository.
	for dir, err := os.Getwd(); ; dir = filepath.Dir(dir) {
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(filepath.Join(dir, installer)); err == nil {
			return filepath.Join(dir, ".real"), nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder above the test holds %s; set SPILLWAY_REAL to the cache folder", installer)
		}
	}
}

// logFile makes the log of a server, empty. Its name repeats from run to run, so that logs do not pile up, and differs
// between the servers of one test process.
func logFile(tb TB, server string, number int64) string {
	tb.Helper()
	cache, err := cacheDir()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	wd, err := os.Getwd()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	path := filepath.Join(cache, "log", fmt.Sprintf("%s-%s-%d.log", filepath.Base(wd), server, number))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatalf("%v", err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		tb.Fatalf("%v", err)
	}
	return path
}
