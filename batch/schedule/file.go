package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/spillway-go/spillway/internal/fault"
)

// The header of the file says whose it is and which schema it has, so that neither another program's database nor a
// newer ledger is ever written to.
const (
	applicationID = 0x5350574c // "SPWL"
	schemaVersion = 1
)

// lockWait is how long a statement waits for a lock that another process holds. Transactions here take milliseconds.
const lockWait = "10000" // ms

// schema makes the tables. Times and durations are in µs (times UTC, since 1970); null is open, unknown or none.
const schema = `
CREATE TABLE run (
	id              TEXT PRIMARY KEY,
	pipeline        TEXT NOT NULL,
	plan_hash       TEXT NOT NULL,
	reading         TEXT NOT NULL,
	from_us         INTEGER,
	to_us           INTEGER,
	caused_by       TEXT NOT NULL,
	job             TEXT NOT NULL,
	tick_us         INTEGER,
	attempt         INTEGER NOT NULL,
	state           TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'abandoned')),
	input_snapshot  INTEGER,
	output_snapshot INTEGER,
	rows_read       INTEGER NOT NULL DEFAULT 0,
	rows_written    INTEGER NOT NULL DEFAULT 0,
	cpu_us          INTEGER NOT NULL DEFAULT 0,
	peak_memory     INTEGER NOT NULL DEFAULT 0,
	frontier        TEXT NOT NULL DEFAULT '',
	started_us      INTEGER NOT NULL,
	finished_us     INTEGER,
	wall_us         INTEGER NOT NULL DEFAULT 0,
	published_us    INTEGER,
	error           TEXT NOT NULL DEFAULT '',
	pid             INTEGER NOT NULL,
	born            TEXT NOT NULL,
	host            TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_running ON run (pipeline, reading) WHERE state = 'running';
CREATE INDEX run_pipeline ON run (pipeline, id);
CREATE INDEX run_job ON run (job, tick_us);
CREATE INDEX run_published ON run (pipeline, published_us) WHERE published_us IS NOT NULL;
`

// openFile opens the database and makes or checks its schema.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dataSource(abs))
	if err != nil {
		return nil, err
	}
	// Writers wait for each other at the file; more connections would only wait there too.
	db.SetMaxOpenConns(4)
	if err := prepare(ctx, db, path); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// dataSource names the file with what every connection to it needs. A transaction takes the write lock as it begins, so
// what it read stays true until it commits; a commit is on the disk before it returns.
func dataSource(abs string) string {
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // A drive letter.
	}
	name := url.URL{Scheme: "file", Path: slashed}
	name.RawQuery = url.Values{
		"_busy_timeout": {lockWait},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_error_rc":     {"1"},
	}.Encode()
	return name.String()
}

// prepare makes the schema in a new file, or checks that the file holds one that this version knows.
func prepare(ctx context.Context, db *sql.DB, path string) error {
	isNew, err := inspect(ctx, db, path)
	if err != nil || !isNew {
		return err
	}
	if err := writeAhead(ctx, db); err != nil {
		return explain(path, err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return explain(path, err)
	}
	defer tx.Rollback()
	// Another process may have been faster.
	if isNew, err = inspect(ctx, tx, path); err != nil || !isNew {
		return err
	}
	header := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion)
	if _, err := tx.ExecContext(ctx, schema+header); err != nil {
		return explain(path, err)
	}
	return explain(path, tx.Commit())
}

// writeAhead sets the journal mode in which readers and the writer never wait for each other; it stays with the file.
// Where several processes set it at once the database refuses some of them without waiting. Each of these waits for the
// write lock, which the others hold while they are at it, and sets it again.
func writeAhead(ctx context.Context, db *sql.DB) error {
	const tries = 100
	for try := 1; ; try++ {
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if code(err) != sqlite3.SQLITE_BUSY || try == tries {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		tx.Rollback()
	}
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// inspect reads the header of the file. It reports whether the file is new and empty; a file that is neither new nor a
// ledger of this version is an error.
func inspect(ctx context.Context, db querier, path string) (isNew bool, err error) {
	var application, version, tables int
	err = db.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id a, pragma_user_version v`).Scan(&application, &version, &tables)
	switch {
	case err != nil:
		return false, explain(path, err)
	case application == 0 && version == 0 && tables == 0:
		return true, nil
	case application != applicationID:
		return false, fault.New(ledgerAt(path), "is a database of another program", "give the ledger a file of its own")
	case version > schemaVersion:
		return false, fault.New(ledgerAt(path),
			fmt.Sprintf("was written by a newer spillway (it has schema %d, this one knows %d)", version, schemaVersion),
			"run that version or a newer one")
	case version < schemaVersion || tables == 0:
		return false, fault.New(ledgerAt(path), fmt.Sprintf("has the unknown schema %d", version), restoreRemedy)
	}
	return false, nil
}

// restoreRemedy warns what is lost with a ledger.
const restoreRemedy = "put a copy of it back; or move it away to begin an empty one, " +
	"which forgets what ran and which run's values were served when"

func ledgerAt(path string) string { return fmt.Sprintf("run ledger %s", path) }

// explain says what the user can do about an error of the database beneath; nil stays nil.
func explain(path string, err error) error {
	thing := ledgerAt(path)
	switch code(err) {
	case sqlite3.SQLITE_OK:
		return err
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fault.Wrap(err, thing, "is damaged, or not a ledger", restoreRemedy)
	case sqlite3.SQLITE_FULL:
		return fault.Wrap(err, thing, "no space is left", "free some space where it lies")
	case sqlite3.SQLITE_READONLY:
		return fault.Wrap(err, thing, "cannot be written", "make the file and its folder writable for this user")
	case sqlite3.SQLITE_CANTOPEN:
		return fault.Wrap(err, thing, "cannot be opened or made",
			"see that its folder exists and that this user may write there")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.Wrap(err, thing, "has been locked by another process for more than 10 s",
			"end the program that holds it, such as a database shell with an open transaction")
	}
	return fault.Wrap(err, thing, "cannot be read or written", "see that its disk is healthy and has space")
}

// code is the primary code of an error of the database beneath; it is SQLITE_OK if the error is none.
func code(err error) int {
	var trouble *sqlite.Error
	if !errors.As(err, &trouble) {
		return sqlite3.SQLITE_OK
	}
	return trouble.Code() & 0xff // The rest is a detail.
}

// isTrouble says whether the error comes from the file and may pass by itself, as a full disk does.
func isTrouble(err error) bool { return code(err) != sqlite3.SQLITE_OK }
