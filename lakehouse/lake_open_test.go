package lakehouse

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
)

// isFault tells what is missing for the error to be a fault with the words.
func isFault(t *testing.T, err error, words string) {
	t.Helper()
	var known *fault.Error
	if !errors.As(err, &known) || !strings.Contains(err.Error(), words) || known.Thing == "" || known.Remedy == "" {
		t.Errorf("error %v, want a fault with %q and a remedy", err, words)
	}
}

func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"warehouse is a file", Config{Warehouse: write("file", "")}, "a file stands where"},
		{"warehouse lies in a file", Config{Warehouse: filepath.Join(write("file2", ""), "lake")}, "a file stands where"},
		{"warehouse is elsewhere", Config{Warehouse: "s3://bucket/lake"}, "is not a folder"},
		{"catalog is no database", Config{Warehouse: dir, URI: write("garbage.db", strings.Repeat("no database ", 999))}, "is no sound SQLite database"},
		{"catalog is of another kind", Config{Warehouse: dir, URI: "postgres://user:secret@host/db"}, `"postgres://" is of a kind that is not supported`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Open(context.Background(), c.cfg)
			if err == nil {
				l.Close()
			}
			isFault(t, err, c.want)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v tells a secret", err)
			}
		})
	}
}

func TestOpenUnwritable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), Config{Warehouse: filepath.Join(dir, "lake")})
	isFault(t, err, "cannot be written")
}

func TestOpenInFolderWithOddName(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "a b%20c ü?#")
	log := paymentLog(t, "payments")
	a := openArchive(t, openLake(t, dir), log)
	if _, err := a.Append(ctx, nil, Frontier{0: 1}, []arrow.RecordBatch{batchOf(log, record{card: "c"})}); err != nil {
		t.Fatal(err)
	}
	s := current(t, a.Table)
	if got := readBack(t, s, Everything); len(got) != 1 {
		t.Errorf("read back %v", got)
	}
	for _, f := range filesOf(t, s, Everything) {
		if !strings.HasPrefix(f.Path, dir) {
			t.Errorf("%s does not lie in %s", f.Path, dir)
		}
		readParquet(t, f.Path)
	}
}

func TestMissingTable(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	_, err := l.ReadArchive(ctx, "payments")
	isFault(t, err, "table raw.payments: is not in the lake")
	openArchive(t, l, paymentLog(t, "readings"))
	_, err = l.ReadArchive(ctx, "payments")
	isFault(t, err, "use one that there is: raw.readings")
	_, err = l.ReadFeatures(ctx, "card_activity", "truth")
	isFault(t, err, "table features.card_activity_truth: is not in the lake")
}

func TestLockedCatalog(t *testing.T) {
	defer func(d time.Duration) { busyTimeout = d }(busyTimeout)
	busyTimeout = time.Millisecond
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	other := openLake(t, l.warehouse)
	c, err := other.db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	rows := []arrow.RecordBatch{batchOf(log, record{card: "c"})}
	_, err = a.Append(ctx, nil, Frontier{0: 1}, rows)
	isFault(t, err, "is locked by another process")
	if _, err := c.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Append(ctx, nil, Frontier{0: 1}, rows); err != nil {
		t.Error(err)
	}
}

func TestCancelledAppendCommitsNothing(t *testing.T) {
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.Append(ctx, nil, Frontier{0: 1}, []arrow.RecordBatch{batchOf(log, record{card: "c"})}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if s := current(t, a.Table); s.ID != 0 {
		t.Errorf("snapshot %d", s.ID)
	}
}
