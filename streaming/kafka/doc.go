// Package kafka is what spillway needs of Kafka beside a client: a broker within the process, for development, and topics
// that exist.
//
// Embedded is no replacement for a cluster. It is one broker without replicas that speaks Kafka's protocol (consumer
// groups, transactions and compaction included) on the loopback and keeps what it was sent in a folder, so that a pipeline
// runs as it is on a machine that has nothing installed.
package kafka
