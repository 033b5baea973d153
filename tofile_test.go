package spillway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestToFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.csv")
	r := &rooms{}
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	if err := r.toFile(path, hello); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	if err := r.toFile(path, func(w io.Writer) error { return errors.Join(hello(w), failed) }); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "hello" {
		t.Errorf("what was there has become %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files are left: %v", left)
	}
	err := r.toFile(filepath.Join(dir, "no", "rows.csv"), hello)
	if err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("in no folder: %v", err)
	}
}

// TestToFullDisk writes to a disk that is full. The device is named by a link, lest a mistake should remove it.
func TestToFullDisk(t *testing.T) {
	link := filepath.Join(t.TempDir(), "full")
	if _, err := os.Stat("/dev/full"); err != nil || os.Symlink("/dev/full", link) != nil {
		t.Skip("there is no /dev/full")
	}
	err := (&rooms{}).toFile(link, func(w io.Writer) error {
		_, err := fmt.Fprint(w, "hello")
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "finds no space left") || !strings.Contains(err.Error(), "free some, or name a file elsewhere") {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(link); err != nil {
		t.Errorf("the device is gone: %v", err)
	}
}
