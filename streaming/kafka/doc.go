// Package kafka is what spillway needs of Kafka beside a client: a broker within the process, for development, and topics
// that exist.
//
// Embedded is no replacement for a cluster. It is one broker without replicas that speaks Kafka's protocol (consumer
// groups, transactions and compaction included) on the loopback and keeps what it was sent in a folder, so that a pipeline
// runs as it is on a machine that has nothing installed.
//
// One thing to know of it: a fetch that it has to cut short for kgo.FetchMaxBytes leaves away which transactions were
// aborted, and a reader with read_committed then sees their records. Readers keep that limit above what their partitions
// come to together, and limit kgo.FetchMaxPartitionBytes instead.
package kafka
