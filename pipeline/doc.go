// Package pipeline defines features: functions of (key, time) over the events of that key.
//
// One definition is asked by five: the stream at every event or tick as it arrives, the batch at the same points over the
// history, serving at "now", training at the times of labels, and the reconciler, which asks stream and batch the same and
// proves why answers differ. They differ in who asks and when, never in what the answer means:
//
//	S1  Order. An event has a coordinate (partition, offset) and a time in µs UTC. The position of a key's event is
//	    (time, partition, offset): ties are never undefined. All events of a key are read from one partition.
//	S2  Asks and windows. A tick at T, and a serving or training ask at t, sits before every event at that time; an event's
//	    own ask immediately after that event. Last(d) at t is [t−d, place); a tile floors t−d. A key has a row at a tick
//	    where a window of the pipeline holds an event that passes Where, and one closing row at the first tick after.
//	S3  Watermark. W of a partition is the greatest time so far of valid records that are no duplicates, minus OutOfOrder.
//	    Against the W before it an event is on time (t ≥ W), late (t ≥ W−Lateness) or too late (dead-lettered). Every valid
//	    event that is not too late enters state when it arrives. An event's ask is answered once, as it arrives. A tick is
//	    answered when W reaches it, and revised by a late event that changes its values. A second record of a (key, id)
//	    whose time is still ≥ W−Lateness is a duplicate.
//	S4  Nulls. Aggregates skip nulls. Counts of nothing are 0, all else of nothing is null. NaN is a value, greatest of all.
//	S5  Numbers. Whole numbers are exact and never wrap; sums, means, variances and slopes of floats are exact, then
//	    rounded once, so that no order, batch, tile, eviction or restart can change a bit.
//	S6  No clock and no chance touches state.
//	S7  Identity. The canonical plan has a hash; it stamps rows, snapshots, commits and reports.
//	S8  Frontier. A vector {partition: next offset} with the watermark of each; comparisons happen at equal frontiers only.
//	S9  Accounting. Control or gap, dead-lettered, duplicate, too late, filtered, late, on time: their sum is the offset span.
//	S10 Readings. Truth: all valid events of the history, the first of each (key, id). As served: what the stream answered.
//
// docs/contract.md gives them in full; tests cite the numbers.
package pipeline
