// Package online keeps what serving needs: for each key the events that its live features still reach, as slices, and the
// values of its historical features from the newest batch run. A View answers from it at any moment, so values age without
// new events.
//
// A Writer brings a store up to date from the stream's tasks, Publish puts a batch run's values in place, and a View reads.
// A Store is where all of it lies: Pebble keeps it in a folder, and any other passes package onlinetest too.
//
// Invariants:
//
//	O1. Within a space (a pipeline and its plan's hash), a write of a partition holds the slices that its records touched,
//	    whole, and the partition's new frontier. It is applied entirely or not at all, so what a reader sees of a partition
//	    is the state at exactly one frontier.
//	O2. A write whose frontier is not beyond the stored one changes nothing (S8): replays and repeated writes do no harm.
//	O3. What a partition's frontier calls out of reach (Oldest) is never read again, whether or not it is removed yet. Of a
//	    key that has nothing left in reach one small record stays, so that it is known to have been seen.
//	O4. Historical values lie under their run. A reader sees one whole run: values are loaded first, then the run takes its
//	    place at once, and only then do the values of the run before it go. An older run never takes the place of a newer.
//	O5. A read sees one moment of the store: the slices, the frontier, the run and its values belong together. The frontier
//	    that an answer carries is the one it was computed at (S10).
//	O6. A value is always that of the function of (key, time), also for a key that nobody has seen: a count of nothing is 0
//	    in training and in serving alike. That nothing is known of the key is told by the status, not by the value.
//	O7. What is cached of keys is only what the database has: a read takes all of its keys from the cache or none, and none
//	    while anything changes (see cache).
package online
