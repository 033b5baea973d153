package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spillway-go/spillway/internal/fault"
)

// wantFault checks that the error is a fault of the ledger whose fault holds the text, and that it has a remedy.
func wantFault(t *testing.T, err error, path, text string) {
	t.Helper()
	var wrong *fault.Error
	if !errors.As(err, &wrong) {
		t.Fatalf("error %v is no fault, want %q", err, text)
	}
	if !strings.Contains(wrong.Thing, path) || !strings.Contains(wrong.Fault, text) || wrong.Remedy == "" {
		t.Errorf("error %v, want %q of %s and a remedy", err, text, path)
	}
}

func TestOpenRefusesWhatIsNoLedger(t *testing.T) {
	clock := newClock(t, "2026-11-21T02:00:00Z")
	// A whole ledger, to be spoilt.
	whole := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(context.Background(), whole, clock)
	check(t, err)
	for i := range 50 {
		mustStart(t, l, manual(fmt.Sprint("p", i)))
	}
	check(t, l.Close())
	ledger, err := os.ReadFile(whole)
	check(t, err)

	sqlFile := func(statements string) []byte {
		path := filepath.Join(t.TempDir(), "x.db")
		check(t, os.WriteFile(path, ledger, 0o600))
		db, err := sql.Open("sqlite", path)
		check(t, err)
		defer db.Close()
		_, err = db.Exec("PRAGMA journal_mode = DELETE;" + statements)
		check(t, err)
		check(t, db.Close())
		data, err := os.ReadFile(path)
		check(t, err)
		return data
	}
	for _, test := range []struct {
		name, fault string
		data        []byte
	}{
		{"text", "damaged", []byte(strings.Repeat("this is no database\n", 100))},
		{"cut", "damaged", ledger[:5000]},
		{"overwritten", "damaged", append(append([]byte{}, ledger[:100]...), make([]byte, len(ledger)-100)...)},
		{"newer", "newer spillway (it has schema 2, this one knows 1)", sqlFile("PRAGMA user_version = 2")},
		{"unknown", "unknown schema -1", sqlFile("PRAGMA user_version = -1")},
		{"other", "another program", sqlFile("PRAGMA application_id = 7")},
		{"foreign", "another program", sqlFile("PRAGMA application_id = 0; PRAGMA user_version = 0")},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			check(t, os.WriteFile(path, test.data, 0o600))
			l, err := Open(context.Background(), path, clock)
			if err == nil {
				l.Close()
			}
			wantFault(t, err, path, test.fault)
			after, err := os.ReadFile(path)
			check(t, err)
			if string(after) != string(test.data) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenWithoutFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "ledger.db")
	_, err := Open(context.Background(), path, SystemClock{})
	wantFault(t, err, path, "cannot be opened")
}

func TestOpenStrangePaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "a?mode=memory", "a#b", "100%.db", "%41", "ü&x=y.db"} {
		path := filepath.Join(dir, name)
		l := openLedger(t, path, SystemClock{})
		mustStart(t, l, manual("p"))
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestOpenTogether makes one new ledger from many sides at once.
func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			l, err := Open(context.Background(), path, SystemClock{})
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if _, err := l.Start(context.Background(), manual(fmt.Sprint("p", i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	runs, err := openLedger(t, path, SystemClock{}).List(context.Background(), "", 0)
	if err != nil || len(runs) != 8 {
		t.Errorf("%d runs, error %v", len(runs), err)
	}
}

// spoilWrites makes the ledger use one connection, and sets a pragma on it that makes writes fail.
func spoilWrites(t *testing.T, l *Ledger, pragma string) {
	t.Helper()
	l.db.SetMaxOpenConns(1)
	_, err := l.db.Exec("PRAGMA " + pragma)
	check(t, err)
}

func TestNoSpaceLeft(t *testing.T) {
	l := openLedger(t, "", newClock(t, "2026-11-21T02:00:00Z"))
	spoilWrites(t, l, "max_page_count = 1") // As many pages as there are.
	var err error
	var started int
	for ; err == nil && started < 1000; started++ {
		_, err = l.Start(context.Background(), manual(fmt.Sprint("p", started)))
	}
	wantFault(t, err, l.path, "no space")
	if runs, err := l.List(context.Background(), "", 0); err != nil || len(runs) != started-1 {
		t.Errorf("%d runs of %d that started, error %v", len(runs), started-1, err)
	}
}

func TestReadOnly(t *testing.T) {
	l := openLedger(t, "", newClock(t, "2026-11-21T02:00:00Z"))
	run := mustStart(t, l, manual("p"))
	spoilWrites(t, l, "query_only = 1")
	wantFault(t, l.Finish(context.Background(), run.ID, Result{}), l.path, "cannot be written")
	if got := mustGet(t, l, run.ID); got.State != Running {
		t.Errorf("state %s", got.State)
	}
}

func TestLockedByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, other := openLedger(t, path, SystemClock{}), openLedger(t, path, SystemClock{})
	spoilWrites(t, l, "busy_timeout = 1")
	tx, err := other.db.Begin()
	check(t, err)
	_, err = l.Start(context.Background(), manual("p"))
	wantFault(t, err, path, "locked by another process")
	check(t, tx.Rollback())
	mustStart(t, l, manual("p"))
}
