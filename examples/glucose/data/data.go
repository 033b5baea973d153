// Package data holds the glucose readings of the example, inside the program, so that it runs from any folder. README.md
// beside this file names their source and licence.
package data

import (
	"compress/gzip"
	_ "embed" // The readings are part of the binary.
	"io"
	"strings"
)

//go:embed glucose-hall2018.csv.gz
var readings string

// Open gives the readings as CSV with a header line: subject, at (RFC 3339), glucose_mg_dl, diagnosis. They are in order
// of time, so the people are interleaved. An error says that the file in the binary is damaged.
func Open() (io.ReadCloser, error) {
	return gzip.NewReader(strings.NewReader(readings))
}
