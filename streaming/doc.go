// Package streaming runs a pipeline as a stream: it asks at every event, or at every tick, as the records of a Kafka topic
// arrive.
//
// Run is a member of a consumer group. It reads the source's partitions that the group gives it, answers with
// pipeline/kernel and writes the answers to the topic PIPELINE.features, and what could not be answered to
// PIPELINE.dead. Any number of processes may run the same pipeline; partitions move between them as a whole. Follow reads
// all partitions, without a group and without output, and shows the state to a Sink: that is how features are served.
// ReadRows reads the rows back.
//
// Invariants:
//
//  1. Rows, letters and the offsets they come from are committed in one Kafka transaction, or not at all. With
//     read_committed, every row stands in the topic exactly once, whatever is killed when.
//  2. A partition's rows are a function of its records from the pipeline's first offset on. Neither the batches in which
//     they are fetched, nor rebalances, restarts or clocks can change one.
//  3. Between transactions the state of every partition stands exactly at the group's committed offset. When a transaction
//     fails, the state has run ahead, and is dropped and rebuilt; it is never taken back.
//  4. The committed offset carries a note, in its metadata: the plan, the number of partitions, the first offset, the
//     watermark and the account (S9) up to there. State that is rebuilt must agree with the note in all of it. This, and
//     records that are no longer there to rebuild it from, are errors: nothing goes on from state that may be wrong.
//  5. A group, and so the offsets, belong to one plan: its name holds the plan's hash (S7). A changed definition begins
//     anew, and its rows stand beside the old ones, told apart by the hash that each carries.
//  6. The row of a record is in the partition of PIPELINE.features that has the number of the record's own, in the order
//     of the records. Keys do not choose partitions again.
//  7. Memory is bounded by the state of the keys and by the limits of Config's buffers, not by how far the stream lags.
package streaming
