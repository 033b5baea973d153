package training

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/klauspost/compress/zstd"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// format is how a file is read and written.
type format struct {
	kind string // csv, jsonl or parquet
	pack string // gz, zst or none
}

// formatOf tells the format from the name of the file.
func formatOf(path string) (f format, err error) {
	name := strings.ToLower(filepath.Base(path))
	for _, pack := range []string{"gz", "zst"} {
		if rest, ok := strings.CutSuffix(name, "."+pack); ok {
			name, f.pack = rest, pack
		}
	}
	f.kind = strings.TrimPrefix(filepath.Ext(name), ".")
	if f.kind == "csv" || f.kind == "jsonl" || f.kind == "parquet" && f.pack == "" {
		return f, nil
	}
	return f, fault.New("file "+path, "has a name that tells no format",
		"let it end in .csv, .jsonl or .parquet, the first two also with .gz or .zst behind it")
}

// CheckName tells, before any work is done, whether a file of that name can be written: its name must tell a format.
func CheckName(path string) error {
	_, err := formatOf(path)
	return err
}

func (f format) read(ctx context.Context, path string, o Options) (*Labels, error) {
	if f.kind == "parquet" {
		return readParquet(ctx, path, o)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, explainFile(path, err)
	}
	defer file.Close()
	in, err := f.unpack(file)
	if err != nil {
		return nil, explainFile(path, err)
	}
	defer in.Close()
	read := readCSV
	if f.kind == "jsonl" {
		read = readJSONL
	}
	return read(ctx, path, in, o)
}

func (f format) unpack(in io.Reader) (io.ReadCloser, error) {
	switch f.pack {
	case "gz":
		return gzip.NewReader(in)
	case "zst":
		d, err := zstd.NewReader(in)
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

// WriteFile writes the training set, in the format of the file's name (see ReadLabels). The file is there when it is
// complete, and not before; one of that name is replaced.
func (s *Set) WriteFile(path string) (err error) {
	form, err := formatOf(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return explainFile(path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if err := errors.Join(s.write(tmp, form), tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return explainFile(path, err)
	}
	return explainFile(path, os.Rename(tmp.Name(), path))
}

func (s *Set) write(file io.Writer, form format) error {
	if form.kind == "parquet" {
		return s.writeParquet(struct{ io.Writer }{file}) // which would close the file
	}
	packed, err := form.packer(file)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(packed, 1<<16)
	line := s.appendObject
	if form.kind == "csv" {
		line = s.appendRecord
		out.Write(s.appendHeader(nil))
	}
	var buf []byte
	for i := range s.Rows {
		buf = line(buf[:0], i)
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
	return errors.Join(out.Flush(), packed.Close())
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func (f format) packer(out io.Writer) (io.WriteCloser, error) {
	switch f.pack {
	case "gz":
		return gzip.NewWriter(out), nil
	case "zst":
		return zstd.NewWriter(out)
	}
	return nopCloser{out}, nil
}

func (s *Set) appendHeader(dst []byte) []byte {
	for c, name := range s.names {
		if c > 0 {
			dst = append(dst, ',')
		}
		dst = appendField(dst, name)
	}
	return append(dst, '\n')
}

func (s *Set) appendRecord(dst []byte, i int) []byte {
	for c := range s.cols {
		if c > 0 {
			dst = append(dst, ',')
		}
		dst = s.cols[c].appendCSV(dst, i)
	}
	return append(dst, '\n')
}

func (s *Set) appendObject(dst []byte, i int) []byte {
	for c := range s.cols {
		sep := byte(',')
		if c == 0 {
			sep = '{'
		}
		dst = append(schema.AppendJSONText(append(dst, sep), s.names[c]), ':')
		dst = s.cols[c].appendJSON(dst, i)
	}
	return append(dst, '}', '\n')
}

// explainFile says what an error of a file means.
func explainFile(path string, err error) error {
	thing := "file " + path
	var explained *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &explained):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(err, thing, "is not there", "check its name, and that of its folder")
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(err, thing, "may not be opened", "give this user the right to")
	case errors.Is(err, syscall.ENOSPC):
		return fault.Wrap(err, thing, "does not fit: there is no space left on its disk", "free some, or write to another")
	}
	return fault.Wrap(err, thing, "cannot be read or written", fmt.Sprintf("check that it is what its name says, %s", filepath.Ext(path)))
}
