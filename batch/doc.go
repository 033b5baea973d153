// Package batch answers a pipeline's asks over the history that the lake keeps, in both readings of S10.
//
// DuckDB scans, prunes, filters, projects and sorts the archive's files; the kernel folds the Arrow batches that come out
// of it; the rows replace their interval of a feature table. A run reads one snapshot of the archive, so the same job over
// the same snapshot gives the same rows, however often it runs and wherever it was interrupted.
//
// Invariants:
//
//	B1. A run reads one pinned snapshot, and checks that it holds as many records as its commits promised.
//	B2. A run replaces the rows of its own interval of ask times, all at once or not at all, and no others.
//	B3. SQL leaves out a record only where the kernel would find nothing in it: one that is invalid, one that is not the
//	    first of its id, one outside of what the asks can see, one for which Where is not true. What SQL cannot judge as
//	    the kernel does (a whole number that overflows, a call of Go) the kernel judges.
//	B4. Which record of a (key, id) is the first is decided over the whole history, not over what a run reads of it.
//	B5. Truth is computed in parts: stretches of ask time, so that a write has few days open, and within them ranges of
//	    keys, so that a sort fits in memory. Parts do not change an answer: each reads all that its asks can see.
//	B6. The watermark that settles truth's ticks is exactly the stream's at the frontier of the snapshot.
package batch
