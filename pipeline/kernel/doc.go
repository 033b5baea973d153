// Package kernel answers a plan's asks: it evaluates expressions over Arrow batches and keeps the state of keys. Every answer
// of spillway comes from here, whoever asks.
//
// Compile turns a plan into a Program. Three things run one:
//
//	Task   as served: a partition's records in the order of their offsets, answered as they arrive (stream, batch)
//	Fold   truth: the records of one key after the other, each key's in the order of positions (batch, training)
//	Asker  an ask at any moment over the slices that an online store keeps (serving)
//
// All three keep a key's events in the same log and read windows off it with the same cursors, so they cannot mean
// different things; they differ in where events come from and when they are let go.
//
// A batch is evaluated column by column into registers (eval.go), laid out as rows of words (task.go), and only then taken
// record by record. A key is a log of such rows, a cursor for each window, a tree for each aggregate that cannot be
// subtracted, and tiles for what has left the log; ADR-0005 says why. Adding an aggregate is a row of the table aggregates
// and, if it needs one, an accumulator.
//
// Invariants:
//
//  1. An answer is a function of the admitted events and the ask. Batches, evictions, tiles, snapshots and the memory that
//     is used again leave no trace in it (S5, S6). The seed of a hash table decides where things lie, never what is given.
//  2. Every expression of the plan is evaluated on every record, whichever features are computed: a record's class, and
//     through it the watermark, must not depend on who asks (ADR-0002).
//  3. A row is in a key's log, or in a tile of each tiling, until no ask to come can reach it: until its time is before
//     W − L less the longest window without a tile, and for ticks before the settled tick less that. So a late event is
//     always inserted into a log that is whole around it.
//  4. A cursor's accumulators hold exactly the rows [low, high) of the log and the tiles from its tile on. Whoever changes
//     the log tells the cursors (inserted, moved, leave), the trees, and the ribs.
//  5. No step costs what a window holds. An ask moves its cursors by what came in and went out since the last; a record out
//     of order costs what lies behind it; an aggregate that cannot be subtracted costs a logarithm of the log.
//  6. State holds no pointers: logs, cursors and trees are words in an arena, texts and keys are numbers with a count of
//     their holders. In the steady state nothing is allocated for an event. Words of the arena are valid until the next
//     allocation, so they are fetched again after one.
//  7. A task belongs to one goroutine. After an error of Push it is of no use.
//  8. Whether an id is a duplicate is asked before whether its event is too late, and before the pipeline's Where (S3, S9).
//  9. A snapshot says what was admitted, not how it lies in memory. It carries a version, the plan and a checksum; what does
//     not agree with all three is refused.
package kernel
