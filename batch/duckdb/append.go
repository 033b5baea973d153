package duckdb

import (
	"context"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// Append adds rows to a table all of whose columns are BIGINT. The columns are given in its order and are equally long.
func (d *DB) Append(ctx context.Context, table string, columns ...[]int64) error {
	types := make([]bindings.Type, len(columns))
	for i := range types {
		types[i] = bindings.TypeBigInt
	}
	return d.append(ctx, table, types, len(columns[0]), func(chunk bindings.DataChunk, from, n int) {
		for i, values := range columns {
			v := bindings.DataChunkGetVector(chunk, bindings.IdxT(i))
			copy(unsafe.Slice((*int64)(bindings.VectorGetData(v)), n), values[from:from+n])
		}
	})
}

// AppendTexts adds rows to a table whose one column is VARCHAR.
func (d *DB) AppendTexts(ctx context.Context, table string, texts [][]byte) error {
	return d.append(ctx, table, []bindings.Type{bindings.TypeVarchar}, len(texts), func(chunk bindings.DataChunk, from, n int) {
		v := bindings.DataChunkGetVector(chunk, 0)
		for i := range n {
			bindings.VectorAssignStringElementLen(v, bindings.IdxT(i), texts[from+i])
		}
	})
}

// append adds rows chunk by chunk: fill puts n of them, beginning at from, into one.
func (d *DB) append(ctx context.Context, table string, columns []bindings.Type, rows int,
	fill func(chunk bindings.DataChunk, from, n int),
) error {
	s, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var appender bindings.Appender
	defer bindings.AppenderDestroy(&appender)
	if bindings.AppenderCreate(s.conn, "main", table, &appender) != bindings.StateSuccess {
		return d.appendError(ctx, appender)
	}
	types := make([]bindings.LogicalType, len(columns))
	for i, t := range columns {
		types[i] = bindings.CreateLogicalType(t)
		defer bindings.DestroyLogicalType(&types[i])
	}
	chunk := bindings.CreateDataChunk(types)
	defer bindings.DestroyDataChunk(&chunk)
	size := int(bindings.VectorSize())
	for from := 0; from < rows; from += size {
		n := min(size, rows-from)
		bindings.DataChunkReset(chunk)
		fill(chunk, from, n)
		bindings.DataChunkSetSize(chunk, bindings.IdxT(n))
		if bindings.AppendDataChunk(appender, chunk) != bindings.StateSuccess {
			return d.appendError(ctx, appender)
		}
	}
	if bindings.AppenderClose(appender) != bindings.StateSuccess {
		return d.appendError(ctx, appender)
	}
	return nil
}

func (d *DB) appendError(ctx context.Context, appender bindings.Appender) error {
	data := bindings.AppenderErrorData(appender)
	defer bindings.DestroyErrorData(&data)
	return d.explain(ctx, bindings.ErrorDataErrorType(data), bindings.ErrorDataMessage(data))
}
