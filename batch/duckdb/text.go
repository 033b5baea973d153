package duckdb

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// Name quotes an identifier. Every identifier is quoted: at, for one, is a keyword.
func Name(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Text is a text as a literal.
func Text(text string) string {
	if strings.ContainsRune(text, 0) {
		// A literal ends at a zero byte, even between quotes.
		return "(" + strings.ReplaceAll("'"+strings.ReplaceAll(text, "'", "''")+"'", "\x00", "' || chr(0) || '") + ")"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// Time is a time of the years 1 to 9999, in microseconds since 1970, as a literal.
func Time(micros int64) string {
	return "TIMESTAMPTZ '" + time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.000000") + "+00'"
}

// Column is a column of Parquet files, found by its field id.
type Column struct {
	ID   int
	Name string
	Type arrow.DataType
}

// Parquet is a table of the files' rows with the columns given, to stand behind FROM. A column that a file lacks is null
// in its rows. The files must carry field ids: one without reads as all nulls.
func Parquet(files []string, columns []Column) (string, error) {
	if len(files) == 0 {
		return none(columns)
	}
	var b strings.Builder
	b.WriteString("read_parquet([")
	for i, f := range files {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Text(literalPath(f)))
	}
	b.WriteString("], schema = MAP {")
	for i, c := range columns {
		typ, err := sqlType(c.Type)
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d: {name: %s, type: '%s', default_value: NULL}", c.ID, Text(c.Name), typ)
	}
	b.WriteString("})")
	return b.String(), nil
}

// literalPath keeps DuckDB from reading a path as a pattern.
func literalPath(path string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(path)
}

// none is a table without rows.
func none(columns []Column) (string, error) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		typ, err := sqlType(c.Type)
		if err != nil {
			return "", err
		}
		parts[i] = fmt.Sprintf("NULL::%s AS %s", typ, Name(c.Name))
	}
	return "(SELECT " + strings.Join(parts, ", ") + " WHERE false)", nil
}

// sqlType is the type of a column that has an Arrow type of package schema.
func sqlType(t arrow.DataType) (string, error) {
	switch t.ID() {
	case arrow.BOOL:
		return "BOOLEAN", nil
	case arrow.INT32:
		return "INTEGER", nil
	case arrow.INT64:
		return "BIGINT", nil
	case arrow.FLOAT64:
		return "DOUBLE", nil
	case arrow.STRING, arrow.LARGE_STRING:
		return "VARCHAR", nil
	case arrow.BINARY, arrow.LARGE_BINARY:
		return "BLOB", nil
	case arrow.TIMESTAMP:
		return "TIMESTAMPTZ", nil
	}
	return "", fmt.Errorf("duckdb: no type for Arrow's %s", t)
}
