package spillway

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/spillway-go/spillway/internal/fault"
)

// toFile gives write a file, or standard output for "" and "-". A file appears under its name when it is whole: until then
// what stood there before stays.
func (r *rooms) toFile(path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return write(r.out)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return toDevice(path, write)
	}
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return fault.Wrap(err, path, "cannot be made", "name a file in a folder that can be written")
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		_ = os.Remove(part)
		return noRoom(path, err)
	}
	return nil
}

// toDevice writes into what is no file, such as a pipe, which is not to be replaced by one.
func toDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fault.Wrap(err, path, "cannot be written", "name a file, or leave it away for standard output")
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return noRoom(path, err)
}

// noRoom makes a fault of an error that says that a disk is full.
func noRoom(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.Wrap(err, path, "finds no space left", "free some, or name a file elsewhere")
	}
	return err
}
