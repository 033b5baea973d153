// Package lakehouse keeps the history: Iceberg tables that hold every record of a topic exactly once, and tables that hold
// the features that a batch run computed from them.
//
// A Lake is a catalog and a warehouse. An Archive copies one topic into one table, a Features table takes the results of
// one pipeline's reading, and a Snapshot is either of them at one moment, for readers: its files, columns, rows and
// frontier.
//
// Other engines open the lake as an SQL catalog. In pyiceberg it is
//
//	SqlCatalog("spillway", uri="sqlite:///" + CatalogPath, warehouse="file://" + Warehouse)
//
// with the name of the Config, and the absolute paths that the Lake tells.
//
// Invariants:
//
//	L1. Data files are complete, closed and on the disk before a commit names them, and a commit is one row of the
//	    catalog that changes: after a crash at any point a table is as it was before or as it is after, and at worst
//	    files lie about that no snapshot names.
//	L2. Every change of an archive's frontier is a snapshot. The same frontier stands in that snapshot's summary and in
//	    the table's properties: the summary tells what one snapshot holds, the property outlives compaction and expiry.
//	    An archive's frontier is read from both, over the whole ancestry, and they must agree.
//	L3. An append says between which frontiers its records lie. It lands only where the table stands at its start, so two
//	    writers of a partition can never both commit a record, and writers of different partitions do no harm to each
//	    other.
//	L4. Rows in a data file lie in the order (key, time, partition, offset), nulls first; a file claims the table's sort
//	    order only where its rows were seen to.
//	L5. A file holds rows of one day of the time column (UTC, floored, also before 1970), or of none where the time is null.
//	L6. Columns are matched by their Iceberg field ids, never by position. Columns are added, never changed or dropped.
//	L7. Replacing an interval of features leaves rows outside it as they are, those that a delete file hides included.
package lakehouse
