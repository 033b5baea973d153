package online

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillway-go/spillway/internal/fault"
)

// explain says what an error of the database means for whoever runs it. Errors that nobody can mend it leaves as they are.
func explain(path string, err error) error {
	thing := "online store " + path
	var explained *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &explained):
		return err
	case errors.Is(err, syscall.ENOSPC):
		return noSpace(path, err)
	case isLocked(err):
		return fault.Wrap(err, thing, "is in use by another process", "stop that one, or give this one another folder")
	case pebble.IsCorruptionError(err), errors.Is(err, errRecord):
		return fault.Wrap(err, thing, "is damaged",
			"remove the folder, and the store is built again from the topic and the newest run")
	case strings.Contains(err.Error(), "comparer name from file"):
		return fault.Wrap(err, thing, "is a database of another program", "choose another folder")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.Wrap(err, thing, "cannot be written", "give this user the right to write there, or choose another folder")
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fault.Wrap(err, thing, "is no folder", "choose another path")
	}
	return err
}

func noSpace(path string, cause error) error {
	return fault.Wrap(cause, "online store "+path, "has no space left on its disk",
		"free some; the stream then goes on where the store stands")
}

// isLocked tells whether the folder's lock is held: by another process, or through another handle of this one.
func isLocked(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && strings.Contains(err.Error(), "lock") ||
		strings.Contains(err.Error(), "lock held by current process")
}
