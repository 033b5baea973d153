package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/spillway-go/spillway/internal/fault"
)

// maxRecord is the longest record, in bytes: far more than brokers take, so that a file without newlines is an error and
// not a full memory.
const maxRecord = 16 << 20

// byteOrderMark is what some programs put before UTF-8.
var byteOrderMark = []byte("\ufeff")

// lines reads a text line by line.
type lines struct {
	*input
	number int64  // of the last line read, from 1
	long   []byte // a line that does not fit the input's buffer
}

// next is the next line without its newline, valid until the one after it is read. io.EOF is the end.
func (l *lines) next() ([]byte, error) {
	line, err := l.text.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = l.long[:0]
		for err == bufio.ErrBufferFull && len(l.long) <= maxRecord {
			l.long = append(l.long, line...)
			line, err = l.text.ReadSlice('\n')
		}
		l.long = append(l.long, line...)
		line = l.long
	}
	switch {
	case len(line) > maxRecord:
		return nil, l.tooLong(l.number + 1)
	case err == io.EOF && len(line) == 0:
		return nil, io.EOF
	case err != nil && err != io.EOF:
		return nil, unreadable(l.path, l.number, err)
	}
	if l.number++; l.number == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return bytes.TrimSuffix(line, []byte{'\n'}), nil
}

func (l *lines) tooLong(line int64) error {
	return fault.New("record", fmt.Sprintf("is longer than %d MiB", maxRecord>>20), "split it, or leave it out").
		At(fault.Pos{File: l.path, Line: int(line)})
}
