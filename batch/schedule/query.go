package schedule

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// runColumns are the columns that scanRun reads, in its order.
const runColumns = `id, pipeline, plan_hash, reading, from_us, to_us, caused_by, job, tick_us, attempt, state,
	input_snapshot, output_snapshot, rows_read, rows_written, cpu_us, peak_memory, frontier,
	started_us, finished_us, wall_us, published_us, error, pid, host`

// scanRun reads a row of runColumns, and into more what was selected behind them.
func scanRun(row interface{ Scan(...any) error }, more ...any) (Run, error) {
	var r Run
	var from, to, tick, input, output, finished, published sql.NullInt64
	var started, wall, cpu int64
	err := row.Scan(append([]any{
		&r.ID, &r.Pipeline, &r.PlanHash, &r.Reading, &from, &to, &r.Trigger, &r.Job, &tick,
		&r.Attempt, &r.State, &input, &output, &r.RowsRead, &r.RowsWritten, &cpu, &r.PeakMemory, &r.Frontier,
		&started, &finished, &wall, &published, &r.Error, &r.PID, &r.Host,
	}, more...)...)
	if err != nil {
		return Run{}, err
	}
	r.Interval = Interval{From: open(from, Beginning), To: open(to, End)}
	r.Tick = fromMicros(tick)
	r.InputSnapshot, r.OutputSnapshot = open(input, 0), open(output, 0)
	r.Started = time.UnixMicro(started).UTC()
	r.Finished = fromMicros(finished)
	r.Wall = time.Duration(wall) * time.Microsecond
	r.CPU = time.Duration(cpu) * time.Microsecond
	r.Published = fromMicros(published)
	return r, nil
}

// open is the value, or none for null.
func open(v sql.NullInt64, none int64) int64 {
	if !v.Valid {
		return none
	}
	return v.Int64
}

// Get reads one run; an id that the ledger does not hold is a *fault.Error.
func (l *Ledger) Get(ctx context.Context, id string) (Run, error) {
	run, ok, err := l.first(ctx, "WHERE id = ?", id)
	if err == nil && !ok {
		err = l.unknown(id)
	}
	return run, err
}

// List reads the newest runs of a pipeline ("" is all pipelines), newest first, at most limit (0 is all).
func (l *Ledger) List(ctx context.Context, pipeline string, limit int) ([]Run, error) {
	if limit <= 0 {
		limit = -1 // No limit, in SQL.
	}
	query, args := "SELECT "+runColumns+" FROM run ORDER BY id DESC LIMIT ?", []any{limit}
	if pipeline != "" {
		query = "SELECT " + runColumns + " FROM run WHERE pipeline = ? ORDER BY id DESC LIMIT ?"
		args = []any{pipeline, limit}
	}
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(l.path, err)
	}
	defer rows.Close()
	var runs []Run
	for rows.Next() {
		run, err := scanRun(rows)
		if err != nil {
			return nil, explain(l.path, err)
		}
		runs = append(runs, run)
	}
	return runs, explain(l.path, rows.Err())
}

// Latest reads the newest run of the pipeline and reading that succeeded; ok says whether there is one.
func (l *Ledger) Latest(ctx context.Context, pipeline string, reading Reading) (run Run, ok bool, err error) {
	return l.first(ctx, "WHERE pipeline = ? AND reading = ? AND state = 'succeeded' ORDER BY id DESC", pipeline, reading)
}

// LastInterval reads, of the runs of the pipeline and reading that succeeded, the interval that reaches furthest: the
// next one continues at its To. Of several that reach as far it is the newest's; ok says whether there is any.
func (l *Ledger) LastInterval(ctx context.Context, pipeline string, reading Reading) (iv Interval, ok bool, err error) {
	run, ok, err := l.first(ctx, `WHERE pipeline = ? AND reading = ? AND state = 'succeeded'
		ORDER BY to_us DESC NULLS FIRST, id DESC`, pipeline, reading)
	return run.Interval, ok, err
}

// PublishedAt reads the run of the pipeline whose historical values were online at time t: the one whose publication is
// the newest at or before t, however the run ended. ok says whether there is one.
func (l *Ledger) PublishedAt(ctx context.Context, pipeline string, t time.Time) (run Run, ok bool, err error) {
	return l.first(ctx, "WHERE pipeline = ? AND published_us <= ? ORDER BY published_us DESC, id DESC",
		pipeline, t.UnixMicro())
}

// lastSettled is the newest tick of the job that is settled, the zero time if there is none.
func (l *Ledger) lastSettled(ctx context.Context, job string, retries int) (time.Time, error) {
	var tick sql.NullInt64
	err := l.db.QueryRowContext(ctx, `SELECT max(tick_us) FROM run
		WHERE job = ? AND (state = 'succeeded' OR state = 'failed' AND attempt > ?)`, job, retries).Scan(&tick)
	return fromMicros(tick), explain(l.path, err)
}

// first reads the first run that the rest of the query selects.
func (l *Ledger) first(ctx context.Context, rest string, args ...any) (Run, bool, error) {
	run, err := scanRun(l.db.QueryRowContext(ctx, "SELECT "+runColumns+" FROM run "+rest+" LIMIT 1", args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, false, nil
	}
	if err != nil {
		return Run{}, false, explain(l.path, err)
	}
	return run, true, nil
}
