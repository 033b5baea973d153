// Package pipelinetest is what every engine is judged by: an oracle that answers any ask of a plan over a log of records by
// filtering and folding a sorted slice.
//
// The oracle is written to be checked by eye against the contract (package pipeline, S1–S10), and for nothing else:
//
//	expression.go  an expression of one record
//	classify.go    what becomes of each record (S3, S9)
//	fold.go        a feature over the events of its window (S4, S5)
//	oracle.go      which events a window holds, and truth (S2, S10)
//	served.go      what the stream answers and revises, in order (S3)
//
// Its packages: fixture is the language in which plans, logs and their answers are written down by hand; hostile makes
// plans and logs at random; conformance is the suite that engines run.
//
// Where the contract leaves room, the oracle decides, and every engine follows:
//
//  1. Every operation of every expression of a plan is carried out on every record that can be decoded and has key, time
//     and id, also in a branch not taken, in a filtered or a late record, and in historical features. One overflow, and
//     the record is dead.
//  2. A record that can be decoded but has no key is dead, or with SkipNullKey filtered, whatever else it holds. Neither
//     moves the watermark, and nothing is remembered of it.
//  3. A record that is too late moves no watermark (it could not), and its id is not remembered: a second copy that is in
//     time is admitted. A filtered one moves it and is remembered.
//  4. Values are canonical in every answer: −0 is given as +0, every NaN as one NaN, also from First, Last, Min, Max and Or.
//     Within expressions −0 keeps its sign, as IEEE 754 has it.
//  5. The sum and the mean of values with infinities are theirs by IEEE 754. A variance, deviation or slope of values with
//     an infinity or NaN is NaN, where it is not null for want of values or times.
//  6. A row with a value that does not fit its field is withheld: a dead answer. It takes the revision number that the row
//     would have had, and stands for the next comparison: from one such value to another is no change.
//  7. Whether a tick has a row is decided by all windows of the plan, whichever features are asked for. A late event that
//     brings a row about makes revision 1, even if only a historical window holds it: the row, not the feature, is new.
//     A row that stands is revised only when a live value changes.
//  8. The ticks of truth reach as far as the watermark of S3 after the whole log: that of the stream, not one of truth's.
//  9. Live features are answered as served, in serving and by arrival; all features in truth and in training.
//  10. By arrival means: of the events admitted, at whatever offset, those whose Kafka timestamp is not after the ask.
package pipelinetest
