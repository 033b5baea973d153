package training

import "github.com/apache/arrow-go/v18/arrow"

// column is one column of a training set, as it can be written in each format.
type column interface {
	// appendCSV appends the value of row i; a null is nothing.
	appendCSV(dst []byte, i int) []byte
	// appendJSON appends the value of row i as JSON.
	appendJSON(dst []byte, i int) []byte
	// array is the column for Parquet. The caller releases it.
	array() (arrow.Array, error)
}

// appendField appends a text as a CSV field: in quotes if it must be, or is empty and would else be null.
func appendField(dst []byte, text string) []byte {
	if !mustQuote(text) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func mustQuote(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case ',', '"', '\n', '\r':
			return true
		}
	}
	return text == ""
}
