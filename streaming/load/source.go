package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// knownFormats are the names that files may have, as an error says it.
const knownFormats = ".jsonl and .csv, also with .gz or .zst behind, and .parquet"

const (
	readBuffer = 256 << 10
	maxWindow  = 128 << 20 // bytes that decompressing zstd may look back, so that a file cannot ask for more memory
)

// source gives the records of one file in their order.
type source interface {
	// next reads the next record, whose bytes are valid until the one after it is read. io.EOF is the end.
	next(r *record) error
	// flaw says what was wrong with the last record that was malformed.
	flaw() string
	// consumed is how many bytes of the file have been read.
	consumed() int64
	close()
}

// record is one record of a file.
type record struct {
	value  []byte
	fields [routingFields]token
	line   int64 // where it begins, from 1; for Parquet, the number of the row
	// malformed tells that a value is not what its column, or JSON, wants.
	malformed bool
	// cut tells that the value could be read only up to a fault, so that routing fields may stand behind it unread.
	cut bool
}

// token is the value of one routing field.
type token struct {
	kind tokenKind
	text []byte // a text without its escapes; any other value as it stands
}

type tokenKind uint8

const (
	tokenAbsent tokenKind = iota // no such field, or none before the fault
	tokenNull
	tokenText
	tokenNumber
	tokenOther // true, false, an object or an array
	tokenCell  // a cell of a CSV file, which may be text or number
)

// open opens a file for reading, as far as its first record: a header or a footer has been read, and lacks nothing.
func open(path string, names [routingFields]string, s *schema.Schema) (source, error) {
	format, pack, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, unopened(path, err)
	}
	if format == ".parquet" {
		return openParquet(path, file, names)
	}
	in, err := unpack(path, file, pack)
	if err != nil {
		file.Close()
		return nil, err
	}
	if format == ".csv" {
		src, err := newCSV(in, names, s)
		if err != nil {
			in.close()
			return nil, err
		}
		return src, nil
	}
	return newJSONL(in, names), nil
}

// formatOf is a file's format and, if it is compressed, how, both as the ends of its name.
func formatOf(path string) (format, pack string, err error) {
	name := strings.ToLower(path)
	format = filepath.Ext(name)
	if format == ".gz" || format == ".zst" {
		pack = format
		format = filepath.Ext(strings.TrimSuffix(name, pack))
	}
	switch {
	case format == ".jsonl", format == ".csv", format == ".parquet" && pack == "":
		return format, pack, nil
	case format == ".parquet":
		return "", "", fault.New(path, "is Parquet that was compressed once more, which cannot be read in pieces",
			"decompress it; Parquet is compressed within")
	}
	return "", "", fault.New(path, "has a name that tells no known format", "known are "+knownFormats)
}

// sizes are the bytes of all files on disk. It finds files that are missing, or unlike what their names say, before
// anything is sent.
func sizes(c *Config) (total int64, err error) {
	var faults fault.List
	for _, path := range c.Files {
		src, err := open(path, c.names(), c.Schema)
		if err != nil {
			faults.Add(err)
			continue
		}
		src.close()
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	return total, faults.Err()
}

// input is the text of a file, decompressed.
type input struct {
	path   string
	file   *os.File
	read   int64 // of the file
	text   *bufio.Reader
	unzstd *zstd.Decoder
}

// Read reads the file and counts what it has read.
func (in *input) Read(p []byte) (int, error) {
	n, err := in.file.Read(p)
	in.read += int64(n)
	return n, err
}

func (in *input) consumed() int64 { return in.read }

func (in *input) close() {
	if in.unzstd != nil {
		in.unzstd.Close()
	}
	in.file.Close()
}

func unpack(path string, file *os.File, pack string) (*input, error) {
	in := &input{path: path, file: file}
	var plain io.Reader = in
	var err error
	switch pack {
	case ".gz":
		plain, err = gzip.NewReader(bufio.NewReaderSize(in, readBuffer))
	case ".zst":
		// Without concurrency nothing reads ahead, and all errors arrive in their place.
		in.unzstd, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		plain = in.unzstd
	}
	if err == nil {
		in.text = bufio.NewReaderSize(plain, readBuffer)
		_, err = in.text.Peek(1)
	}
	if err == nil || err == io.EOF && in.text != nil {
		return in, nil
	}
	return nil, unreadable(path, 0, err)
}

func unopened(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(path, "does not exist", "correct its name")
	}
	return fault.Wrap(err, path, "cannot be opened", "see its permissions")
}

// unreadable is the error for a file that cannot be read on behind the line.
func unreadable(path string, line int64, err error) error {
	what := "cannot be read"
	if line > 0 {
		what = fmt.Sprintf("cannot be read beyond line %d", line)
	}
	return fault.Wrap(err, path, what, "see that it is whole, and what its name says it is")
}
