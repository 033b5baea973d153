package duckdb

import (
	"context"
	"fmt"
	"os"
	"strconv"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/spillway-go/spillway/internal/fault"
)

// DefaultMemory is the memory limit where none is given.
const DefaultMemory = 2 << 30

// Config says what a database may use.
type Config struct {
	Memory  int64  // bytes that queries may hold; 0 is DefaultMemory
	Threads int    // 0 is one for each processor
	Temp    string // the folder that queries spill to, which must exist; "": they fail at the memory limit
	// InOrder makes results come in the order of a file's rows, if nothing says otherwise. Queries then take one thread.
	InOrder bool
}

// DB is a database in memory. Its methods may be called from several goroutines.
type DB struct {
	db  bindings.Database
	cfg Config
}

// Open makes an empty database. The errors are faults: a setting that DuckDB refuses, a temporary folder that is missing.
func Open(cfg Config) (*DB, error) {
	if cfg.Memory == 0 {
		cfg.Memory = DefaultMemory
	}
	if cfg.Temp != "" {
		if info, err := os.Stat(cfg.Temp); err != nil || !info.IsDir() {
			return nil, fault.Wrap(err, "temporary folder "+cfg.Temp, "is not there", "make it, or name another")
		}
	}
	settings := [][2]string{
		{"memory_limit", strconv.FormatInt(cfg.Memory, 10) + "B"},
		{"temp_directory", cfg.Temp},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		// The order of rows means nothing as a rule, and keeping it costs memory.
		{"preserve_insertion_order", strconv.FormatBool(cfg.InOrder)},
	}
	if cfg.InOrder {
		cfg.Threads = 1
	}
	if cfg.Threads > 0 {
		settings = append(settings, [2]string{"threads", strconv.Itoa(cfg.Threads)})
	}
	var config bindings.Config
	defer bindings.DestroyConfig(&config)
	if bindings.CreateConfig(&config) != bindings.StateSuccess {
		return nil, fmt.Errorf("duckdb: no memory for a configuration")
	}
	for _, s := range settings {
		if bindings.SetConfig(config, s[0], s[1]) != bindings.StateSuccess {
			return nil, fault.New("DuckDB", fmt.Sprintf("refuses the setting %s=%q", s[0], s[1]), "choose another value")
		}
	}
	d := &DB{cfg: cfg}
	var message string
	if bindings.OpenExt(":memory:", &d.db, config, &message) != bindings.StateSuccess {
		return nil, fault.New("DuckDB", "cannot start: "+message, "choose other settings of memory, threads or temporary folder")
	}
	return d, nil
}

// Close gives back all that the database holds. Its results must have been closed before.
func (d *DB) Close() { bindings.Close(&d.db) }

// Exec runs a statement that has no result, such as one that makes a table.
func (d *DB) Exec(ctx context.Context, sql string) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var res bindings.Result
	defer bindings.DestroyResult(&res)
	if bindings.Query(s.conn, sql, &res) != bindings.StateSuccess {
		return d.explain(ctx, bindings.ResultErrorType(&res), bindings.ResultError(&res))
	}
	return nil
}
