package schema

import "github.com/apache/arrow-go/v18/arrow"

// The columns that spillway adds to those of a source: where a record stood, when its broker took it, and, for a record
// that could not be decoded, why not and its bytes. They are the same in the stream's batches and in the lake's tables.
const (
	PartitionColumn = "_kafka_partition" // int32
	OffsetColumn    = "_kafka_offset"    // int64
	StampColumn     = "_kafka_timestamp" // the Kafka timestamp
	FaultColumn     = "_fault"           // text; null for a record that was decoded
	RawColumn       = "_raw"             // bytes; null for a record that was decoded
)

// Log is the schema of a source's records as spillway carries them: the source's columns in their order, then the
// partition, the offset, the Kafka timestamp, the fault and the raw bytes. A record with a fault has null columns.
func (s *Schema) Log() *arrow.Schema {
	fields := append([]arrow.Field{}, s.Arrow().Fields()...)
	return arrow.NewSchema(append(fields,
		arrow.Field{Name: PartitionColumn, Type: arrow.PrimitiveTypes.Int32},
		arrow.Field{Name: OffsetColumn, Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: StampColumn, Type: TimestampType},
		arrow.Field{Name: FaultColumn, Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: RawColumn, Type: arrow.BinaryTypes.Binary, Nullable: true},
	), nil)
}
