package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/apache/iceberg-go/catalog"

	"github.com/spillway-go/spillway/internal/fault"
)

// explain turns an error from below into one that says what is wrong and what to do about it. Faults, and the ends of
// contexts, pass as they are.
func (l *Lake) explain(thing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), says(err, "database or disk is full"):
		return fault.Wrap(err, thing, "there is no space left in "+l.warehouse,
			"free some or move the warehouse, then run again: nothing was committed")
	case says(err, "disk I/O error"):
		return fault.Wrap(err, thing, "the disk of "+l.warehouse+" fails, or is full", "see to the disk, then run again")
	case errors.Is(err, syscall.ENOTDIR):
		return fault.Wrap(err, thing, "a file stands where a folder should", "move it away, or choose another warehouse")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission), says(err, "readonly database"),
		says(err, "unable to open database"):
		return fault.Wrap(err, thing, "cannot be written in "+l.warehouse,
			"give this user the right to write there, or choose another warehouse")
	case says(err, "database is locked"), says(err, "SQLITE_BUSY"), says(err, "database table is locked"):
		return fault.Wrap(err, thing, "the catalog "+l.uri+" is locked by another process",
			"end the process that holds it, then run again")
	case says(err, "file is not a database"), says(err, "disk image is malformed"):
		return fault.Wrap(err, thing, "the catalog "+l.uri+" is no sound SQLite database",
			"restore it from a copy; the tables' files are untouched")
	case errors.Is(err, catalog.ErrNoSuchTable), errors.Is(err, catalog.ErrNoSuchNamespace):
		return fault.Wrap(err, thing, "is no longer in the lake", "create it again, or restore the catalog")
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(err, thing, "a file of the table is missing",
			"restore it, or read a snapshot that does not need it")
	}
	return fmt.Errorf("%s: %w", thing, err)
}

// says tells whether an error's text holds the words: SQLite's drivers do not agree on typed errors.
func says(err error, words string) bool { return strings.Contains(err.Error(), words) }

func notOurs(thing, want, got string) error {
	if got == "" {
		return fault.New(thing, "was made by someone else", "move it to another name: this one is spillway's")
	}
	return fault.New(thing, "holds "+got+", not "+want, "move it to another name")
}
