package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/spillway-go/spillway/internal/fault"
)

// explain makes an error of DuckDB's message: a fault where somebody can mend it. A query that its context ended has the
// context's error.
func (d *DB) explain(ctx context.Context, kind bindings.ErrorType, message string) error {
	first, _, _ := strings.Cut(message, "\n")
	err := errors.New(first)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.Contains(message, "No space left"), strings.Contains(message, "max_temp_directory_size"):
		return fault.Wrap(err, "temporary folder "+d.cfg.Temp, "is full", "make room, or name a folder on a larger disk")
	case kind == bindings.ErrorTypeOutOfMemory && d.cfg.Temp == "":
		return fault.Wrap(err, "query", fmt.Sprintf("needs more than its %d MiB", d.cfg.Memory>>20), "name a temporary folder, or raise the memory limit")
	case kind == bindings.ErrorTypeOutOfMemory:
		return fault.Wrap(err, "query", fmt.Sprintf("needs more than its %d MiB", d.cfg.Memory>>20), "raise the memory limit, or use fewer threads")
	case kind == bindings.ErrorTypeErrorIO, strings.HasPrefix(message, "IO Error"):
		return fault.Wrap(err, "file of the table", "cannot be read", "see that nobody removes or changes the files of a snapshot that is being read")
	}
	return fmt.Errorf("duckdb: %s", strings.TrimSpace(message))
}
