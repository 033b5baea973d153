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
// The tag holds the column's name and, after a comma, its role: key, time or id. A field without the tag is no column.
// Names are those of the data (the JSON member, the Avro field, the Parquet column) and must not begin with an
// underscore, which is kept for the coordinates that spillway adds.
//
// Invariants:
//
//  1. The order of the fields is the order of the columns, everywhere.
//  2. A kind has one Arrow type and no other, so that a column means the same in Kafka, Iceberg, DuckDB and the kernel.
//  3. Times are microseconds since 1970-01-01T00:00Z; finer input is floored, also before 1970.
package schema
