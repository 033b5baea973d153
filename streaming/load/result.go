package load

import "time"

// Result is what a load did.
type Result struct {
	Topic   string
	Created bool // the topic was absent
	// Records and Bytes (of keys and values) are those that the broker acknowledged. When the broker failed or the load was
	// cut short, the topic may hold a few more that were on their way.
	Records, Bytes int64
	// Partitions is how many of the records went to each partition.
	Partitions []int64
	// Malformed is how many of the records read were not valid JSON, or had cells that are not of their column's kind. They
	// were sent all the same.
	Malformed int64
	// FirstMalformed says where the first of them is, and what is wrong with it.
	FirstMalformed string
	// NullKeys is how many of the records read had no key. All of them, where there should be keys, is a sign of a wrong
	// KeyField.
	NullKeys int64
	// Wall is how long it took.
	Wall time.Duration
}

// Progress is how far a load has come.
type Progress struct {
	File           string // the file in hand
	Records, Bytes int64  // handed to the client so far
	// Read is how many of the Total bytes of all files have been read, as they are on disk; for Parquet it is the share of
	// the rows.
	Read, Total int64
}
