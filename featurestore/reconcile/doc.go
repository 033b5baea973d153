// Package reconcile compares what the stream answered with what the batch says of the same asks, and proves the cause of
// every difference by executing the asks again.
//
// Three sets of rows meet, all at one frontier (S8):
//
//	stream   the feature topic: what was answered, every revision
//	served   the as-served reading of the batch: the same, derived again from the log
//	truth    the truth reading of the batch: what would be answered with the whole history at hand
//
// Stream and served must be equal to the bit; each difference is a break. Truth and served may differ: that is what
// lateness costs. Each such difference is explained by the events that only one of the two readings knows of:
//
//	late                 it arrived behind the watermark, after this ask was answered
//	arrived later        it arrived after this ask was answered, though on time
//	too late             it was dead-lettered, and no state holds it
//	forgotten duplicate  it is a second copy of an id whose first the stream did not remember, or never let in
//
// Three more are no event's doing: withheld (the newest answer fits no field, so an older one stands), unsettled (the
// stream's watermark has not reached the tick) and unexplained, which is a break.
//
// The package knows neither Kafka nor the lake: rows and records arrive as Arrow readers (Side, Log).
//
// Invariants:
//
//  1. No comparison at unequal frontiers or of different plans: Run refuses, and the verdict is inconclusive.
//  2. A difference has a cause only when two executions agree with the rows to the bit: that of the events which the stream
//     knew gives the served row, and that of truth's events gives truth's. The causes are those of the events in one of the
//     two and not in the other, in the window of the ask. Whatever else differs is unexplained.
//  3. Nothing is dropped silently: what a budget leaves out is counted, and the verdict is then not "agrees".
//  4. Sides are read in order and never held: memory grows with the records of one key and the number of keys that differ.
//  5. The same input gives the same report, byte for byte: no clock, no chance, no order of a map.
package reconcile
