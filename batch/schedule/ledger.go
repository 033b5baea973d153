package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spillway-go/spillway/internal/fault"
)

// Ledger is the record of all runs, in one file that any number of processes on the host may have open. All methods may
// be called at once. Errors that come from the file (damaged, full, read-only, locked) are *fault.Error.
type Ledger struct {
	path  string
	db    *sql.DB
	clock Clock
	self  runner
}

// Open opens the ledger at path, and makes it if there is none; its folder must exist. The error is a *fault.Error if the
// file cannot be used: damaged, of another program, written by a newer spillway, read-only.
func Open(ctx context.Context, path string, clock Clock) (*Ledger, error) {
	self, err := thisRunner()
	if err != nil {
		return nil, err
	}
	db, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Ledger{path: path, db: db, clock: clock, self: self}, nil
}

// Close closes the file. Runs that are still running stay so, and are found abandoned once this process has ended.
func (l *Ledger) Close() error { return explain(l.path, l.db.Close()) }

// Start enters a running run of this process. It refuses with a *RunningError if another run of the same pipeline and
// reading is running, unless that one's process on this host is dead: then it is marked abandoned.
func (l *Ledger) Start(ctx context.Context, spec Spec) (Run, error) {
	if err := spec.check(); err != nil {
		return Run{}, err
	}
	run := Run{Spec: spec, State: Running, PID: l.self.pid, Host: l.self.host}
	run.Tick = fromMicros(micros(spec.Tick))
	err := l.transact(ctx, func(tx *sql.Tx) error {
		run.Started = l.now()
		if err := l.clearWay(ctx, tx, spec, run.Started); err != nil {
			return err
		}
		var last sql.NullString
		if err := tx.QueryRowContext(ctx, "SELECT max(id) FROM run").Scan(&last); err != nil {
			return err
		}
		run.ID = nextID(last.String, run.Started)
		_, err := tx.ExecContext(ctx, `INSERT INTO run (id, pipeline, plan_hash, reading, from_us, to_us, caused_by, job,
			tick_us, attempt, state, started_us, pid, born, host) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			run.ID, spec.Pipeline, spec.PlanHash, spec.Reading, closed(spec.Interval.From, Beginning),
			closed(spec.Interval.To, End), spec.Trigger, spec.Job, micros(spec.Tick), spec.Attempt, Running,
			run.Started.UnixMicro(), l.self.pid, l.self.born, l.self.host)
		return err
	})
	if err != nil {
		return Run{}, err
	}
	return run, nil
}

// clearWay refuses if a run of the same pipeline and reading is running, and marks it abandoned if its runner is dead.
func (l *Ledger) clearWay(ctx context.Context, tx *sql.Tx, spec Spec, now time.Time) error {
	var born string
	other, err := scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+`, born FROM run
		WHERE pipeline = ? AND reading = ? AND state = 'running'`, spec.Pipeline, spec.Reading), &born)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if !(runner{pid: other.PID, born: born, host: other.Host}).deadBeside(l.self) {
		return &RunningError{Run: other}
	}
	_, err = tx.ExecContext(ctx, "UPDATE run SET state = 'abandoned', finished_us = ?, error = ? WHERE id = ?",
		now.UnixMicro(), fmt.Sprintf("process %d on host %q died before the run ended", other.PID, other.Host), other.ID)
	return err
}

// Finish marks a running run as succeeded. If it is not running (any more), the error has ErrEnded beneath.
func (l *Ledger) Finish(ctx context.Context, id string, result Result) error {
	return l.end(ctx, id, Succeeded, result, "")
}

// Fail marks a running run as failed, with the cause and what it did nonetheless. If it is not running (any more), the
// error has ErrEnded beneath.
func (l *Ledger) Fail(ctx context.Context, id string, result Result, cause error) error {
	return l.end(ctx, id, Failed, result, cause.Error())
}

// Abandon marks a running run as abandoned, for the reason given: its own runner was stopped, or somebody knows that a
// runner on another host is gone for good. If it is not running (any more), the error has ErrEnded beneath.
func (l *Ledger) Abandon(ctx context.Context, id string, reason string) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		changed, err := tx.ExecContext(ctx, `UPDATE run SET state = 'abandoned', finished_us = ?, error = ?
			WHERE id = ? AND state = 'running'`, l.now().UnixMicro(), shorten(reason), id)
		return l.oneChanged(ctx, tx, changed, err, id)
	})
}

func (l *Ledger) end(ctx context.Context, id string, state State, r Result, failure string) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		now := l.now().UnixMicro()
		changed, err := tx.ExecContext(ctx, `UPDATE run SET state = ?, finished_us = ?, wall_us = max(0, ? - started_us),
			input_snapshot = ?, output_snapshot = ?, rows_read = ?, rows_written = ?, cpu_us = ?, peak_memory = ?,
			frontier = ?, error = ? WHERE id = ? AND state = 'running'`, state, now, now,
			closed(r.InputSnapshot, 0), closed(r.OutputSnapshot, 0), r.RowsRead, r.RowsWritten, r.CPU.Microseconds(),
			r.PeakMemory, r.Frontier, shorten(failure), id)
		return l.oneChanged(ctx, tx, changed, err, id)
	})
}

// Publish records that from now on the run's historical values are online. It is called as soon as they are, by the work
// itself while the run is running, or once it has succeeded; any other run is refused. The first time is kept.
func (l *Ledger) Publish(ctx context.Context, id string) error {
	return l.transact(ctx, func(tx *sql.Tx) error {
		changed, err := tx.ExecContext(ctx, `UPDATE run SET published_us = coalesce(published_us, ?)
			WHERE id = ? AND state IN ('running', 'succeeded')`, l.now().UnixMicro(), id)
		return l.oneChanged(ctx, tx, changed, err, id)
	})
}

// oneChanged is nil if the update changed a row; if it found none, it says what stands in the way.
func (l *Ledger) oneChanged(ctx context.Context, tx *sql.Tx, changed sql.Result, err error, id string) error {
	if err != nil {
		return err
	}
	if n, err := changed.RowsAffected(); err != nil || n == 1 {
		return err
	}
	var state State
	err = tx.QueryRowContext(ctx, "SELECT state FROM run WHERE id = ?", id).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return l.unknown(id)
	}
	if err != nil {
		return err
	}
	return fault.Wrap(ErrEnded, "run "+id, fmt.Sprintf("is %s already", state), "start another run")
}

func (l *Ledger) unknown(id string) error {
	return fault.New(fmt.Sprintf("run %q", id), "is not in "+ledgerAt(l.path), "take an id from the list of runs")
}

// transact runs f in a transaction that holds the write lock from its beginning.
func (l *Ledger) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return explain(l.path, err)
	}
	if err := f(tx); err != nil {
		tx.Rollback() // The first error says more than that of undoing what never was.
		return explain(l.path, err)
	}
	return explain(l.path, tx.Commit())
}

// now is the time as the ledger keeps it.
func (l *Ledger) now() time.Time { return time.UnixMicro(l.clock.Now().UnixMicro()).UTC() }

// micros is the time in µs, null for the zero time.
func micros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

// fromMicros is the time of µs, the zero time for null.
func fromMicros(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64).UTC()
}

// closed is v, or null if v is the value that stands for none.
func closed(v, none int64) sql.NullInt64 { return sql.NullInt64{Int64: v, Valid: v != none} }

// longestError bounds what an error may take of a row.
const longestError = 4096 // bytes

// shorten cuts a long text at a rune and says so.
func shorten(text string) string {
	if len(text) <= longestError {
		return text
	}
	cut := longestError
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:cut], len(text)-cut)
}
