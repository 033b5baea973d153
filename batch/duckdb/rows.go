package duckdb

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	bindings "github.com/duckdb/duckdb-go-bindings"
)

// batchRows is about how many rows a batch has: enough that what is done once a batch costs nothing, and few enough to
// stay in the processor's cache. A batch ends with a whole chunk of DuckDB's, so it may be longer by one.
const batchRows = 8 << 10

// Rows is the result of a query. It is read by one goroutine.
type Rows struct {
	ctx     context.Context
	db      *DB
	session *session
	stmt    bindings.PreparedStatement
	res     bindings.Result
	schema  *arrow.Schema
	columns []column
	batch   arrow.RecordBatch
	ended   bool
	err     error
}

// Query starts a query. The caller closes the rows, and reads them only as long as the context lives. The columns are of
// the Arrow types of package schema, or unsigned 64-bit numbers.
func (d *DB) Query(ctx context.Context, sql string) (*Rows, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rows{ctx: ctx, db: d, session: s}
	if err := r.start(sql); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rows) start(sql string) error {
	if bindings.Prepare(r.session.conn, sql, &r.stmt) != bindings.StateSuccess {
		return r.db.explain(r.ctx, bindings.ErrorTypeInvalid, bindings.PrepareError(r.stmt))
	}
	var pending bindings.PendingResult
	defer bindings.DestroyPending(&pending)
	if bindings.PendingPreparedStreaming(r.stmt, &pending) != bindings.StateSuccess {
		return r.db.explain(r.ctx, bindings.ErrorTypeInvalid, bindings.PendingError(pending))
	}
	if bindings.ExecutePending(pending, &r.res) != bindings.StateSuccess {
		return r.failure()
	}
	n := bindings.ColumnCount(&r.res)
	fields := make([]arrow.Field, n)
	r.columns = make([]column, n)
	for i := range n {
		typ, err := arrowType(bindings.ColumnType(&r.res, i))
		if err != nil {
			return fmt.Errorf("column %s: %w", bindings.ColumnName(&r.res, i), err)
		}
		fields[i] = arrow.Field{Name: bindings.ColumnName(&r.res, i), Type: typ, Nullable: true}
		r.columns[i] = newColumn(typ)
	}
	r.schema = arrow.NewSchema(fields, nil)
	return nil
}

// Schema is the columns of the result.
func (r *Rows) Schema() *arrow.Schema { return r.schema }

// Next reads the next batch; false means the end, or an error.
func (r *Rows) Next() bool {
	r.release()
	if r.ended || r.err != nil {
		return false
	}
	n := 0
	for i := range r.columns {
		r.columns[i].reset()
	}
	for n < batchRows {
		got, err := r.chunk(n)
		if err != nil {
			r.err = err
			return false
		}
		if got == 0 {
			r.ended = true
			break
		}
		n += got
	}
	if n == 0 {
		return false
	}
	r.batch = recordOf(r.schema, r.columns, n)
	return true
}

// chunk takes DuckDB's next chunk, whose rows come behind the first n.
func (r *Rows) chunk(n int) (got int, err error) {
	var chunk bindings.DataChunk
	if bindings.StreamFetchChunk(r.res, &chunk) != bindings.StateSuccess {
		if bindings.ResultErrorType(&r.res) != bindings.ErrorTypeInvalid {
			return 0, r.failure()
		}
		return 0, r.cut() // The end of a result is told in this way too.
	}
	defer bindings.DestroyDataChunk(&chunk)
	got = int(bindings.DataChunkGetSize(chunk))
	if got == 0 {
		return 0, r.cut()
	}
	for i := range r.columns {
		r.columns[i].take(bindings.DataChunkGetVector(chunk, bindings.IdxT(i)), n, got)
	}
	return got, nil
}

// cut is the error of a result that may have ended early because its context did.
func (r *Rows) cut() error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

func (r *Rows) failure() error {
	return r.db.explain(r.ctx, bindings.ResultErrorType(&r.res), bindings.ResultError(&r.res))
}

// Batch is the batch that Next read. It is valid until the next call of Next or Close.
func (r *Rows) Batch() arrow.RecordBatch { return r.batch }

// Err is why Next returned false, or nil at the end.
func (r *Rows) Err() error { return r.err }

// Close ends the query, read to its end or not.
func (r *Rows) Close() {
	r.release()
	bindings.DestroyResult(&r.res)
	bindings.DestroyPrepare(&r.stmt)
	r.session.close()
}

func (r *Rows) release() {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
}
