// Package duckdb runs SQL over local Parquet files and gives the result as a stream of Arrow record batches.
//
// It uses DuckDB through its C interface and copies the columns of each chunk into Arrow's form. The Arrow interface of
// DuckDB's driver needs a build tag, which every user of a program would have to know, and its results are whole in memory.
//
// Invariants:
//
//	D1. A result is a stream: of a result of any size, a few MiB are in memory beside what the query itself needs, which
//	    stays below the memory limit and goes to the temporary folder beyond it.
//	D2. Each query has a connection of its own, so several results of one database can be read in turn. Tables are
//	    those of the database.
//	D3. A batch is valid until the next one is asked for; its memory is used again.
//	D4. Texts compare by their bytes, and floats as S4 of package pipeline says.
//	D5. Nothing is fetched from a network and no extension is loaded: what is needed is linked in.
//	D6. When a context ends, its query ends soon: within a fraction of a second.
package duckdb
