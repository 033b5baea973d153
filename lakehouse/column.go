package lakehouse

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
)

// fieldIDKey is where Parquet's Arrow bridge keeps a column's field id.
const fieldIDKey = "PARQUET:field_id"

// Column is one column of a table.
type Column struct {
	ID       int    // the Iceberg field id, by which files are read
	Name     string // the name in the newest schema
	Type     arrow.DataType
	Required bool // holds no nulls
}

// icebergType is the Iceberg type that holds exactly what the Arrow type does.
func icebergType(t arrow.DataType) (iceberg.Type, error) {
	switch t.ID() {
	case arrow.BOOL:
		return iceberg.PrimitiveTypes.Bool, nil
	case arrow.INT32:
		return iceberg.PrimitiveTypes.Int32, nil
	case arrow.INT64:
		return iceberg.PrimitiveTypes.Int64, nil
	case arrow.FLOAT64:
		return iceberg.PrimitiveTypes.Float64, nil
	case arrow.STRING:
		return iceberg.PrimitiveTypes.String, nil
	case arrow.BINARY:
		return iceberg.PrimitiveTypes.Binary, nil
	case arrow.TIMESTAMP:
		if ts := t.(*arrow.TimestampType); ts.Unit == arrow.Microsecond && ts.TimeZone == "UTC" {
			return iceberg.PrimitiveTypes.TimestampTz, nil
		}
	}
	return nil, fmt.Errorf("type %s has no column type", t)
}

// fieldID is the id of the column of that name, or 0, which no column has.
func fieldID(sc *iceberg.Schema, name string) int {
	f, _ := sc.FindFieldByName(name)
	return f.ID
}
