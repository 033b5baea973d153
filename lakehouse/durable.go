package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	iceio "github.com/apache/iceberg-go/io"
)

// storage is what the lake needs of the place where files lie.
type storage interface {
	iceio.ReadFileIO
	iceio.WriteFileIO
}

// durable is iceberg-go's local file system with what that leaves out: a file that was closed is on the disk, and so is
// its name. Without it a power cut can leave a catalog that names files which are empty or not there.
type durable struct{ iceio.LocalFS }

// Create makes the file and the folders above it.
func (durable) Create(name string) (iceio.FileWriter, error) {
	path, err := localPath(name)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &durableFile{f}, nil
}

// WriteFile makes a file with the content.
func (d durable) WriteFile(name string, content []byte) error {
	f, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// Remove removes the file. One that is gone already is no error: two writers clean up after the same old commit.
func (d durable) Remove(name string) error {
	if err := d.LocalFS.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

type durableFile struct{ *os.File }

// Close writes the file and its name to the disk.
func (f *durableFile) Close() error {
	err := f.Sync()
	if e := f.File.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = syncFolder(filepath.Dir(f.Name()))
	}
	return err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// makeFolder makes the folder and those above it, each of them on the disk.
func makeFolder(path string) error {
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent == path {
		return os.Mkdir(path, 0o755)
	}
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

var registerDurable sync.Once

// keepFilesDurable puts durable in the place of iceberg-go's local file system for this process. A catalog writes its
// metadata files through the registry of schemes and lets no caller choose, so there is no narrower place for it.
func keepFilesDurable() {
	registerDurable.Do(func() {
		factory := func(context.Context, *url.URL, map[string]string) (iceio.IO, error) { return durable{}, nil }
		for _, scheme := range []string{"file", ""} {
			iceio.Unregister(scheme)
			iceio.Register(scheme, factory)
		}
	})
}

// fileURL is the location of a local path as Iceberg writes it.
func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// localPath is the path on this machine that a location names.
func localPath(location string) (string, error) {
	u, err := url.Parse(location)
	switch {
	case err != nil:
		return "", fmt.Errorf("location %q is no URL: %w", location, err)
	case u.Scheme == "":
		return location, nil
	case u.Scheme != "file" || (u.Host != "" && u.Host != "localhost"):
		return "", fmt.Errorf("location %q is not on this machine", location)
	}
	return filepath.FromSlash(u.Path), nil
}
