// Package schema says what columns are: their names, kinds and roles, read once from the tags of a Go struct.
//
// A field of a tagged struct is a column:
//
//	type Payment struct {
//		ID     string    `spill:"id,id"`
//		Card   string    `spill:"card,key"`
//		Amount float64   `spill:"amount"`
//		At     time.Time `spill:"at,time"`
//	}
//
// The tag holds the column's name and, after a comma, its role: key, time or id. A field without the tag, or with the tag
// `spill:"-"`, is no column. The fields of an embedded struct are columns as if they stood in its place. Names are those of
// the data (the JSON member, the Avro field, the Parquet column), differ by more than upper and lower case, and must not
// begin with an underscore, which is kept for the coordinates that spillway adds.
//
// Columns hold bool, int, int32, int64, float64, string and time.Time, and types made of them (type Celsius float64). Whole
// numbers without a sign and float32 are refused: a column is what every engine, file format and language on the way can
// carry as it is.
//
// Invariants:
//
//  1. The order of the fields is the order of the columns, everywhere.
//  2. A kind has one Arrow type and no other, so that a column means the same in Kafka, Iceberg, DuckDB and the kernel.
//  3. Times are microseconds since 1970-01-01T00:00Z; finer input is floored, also before 1970.
package schema
