package duckdb

import (
	"context"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// Append adds rows to a table all of whose columns are BIGINT. The columns are given in its order and are equally long.
func (d *DB) Append(ctx context.Context, table string, columns ...[]int64) error {
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
	for i := range types {
		types[i] = bindings.CreateLogicalType(bindings.TypeBigInt)
		defer bindings.DestroyLogicalType(&types[i])
	}
	chunk := bindings.CreateDataChunk(types)
	defer bindings.DestroyDataChunk(&chunk)
	size := int(bindings.VectorSize())
	for from, rows := 0, len(columns[0]); from < rows; from += size {
		n := min(size, rows-from)
		for i, values := range columns {
			v := bindings.DataChunkGetVector(chunk, bindings.IdxT(i))
			copy(unsafe.Slice((*int64)(bindings.VectorGetData(v)), n), values[from:from+n])
		}
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
