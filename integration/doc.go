// Package integration runs the examples' programs against real components: an Apache Kafka broker, and pyiceberg on the
// lake that they write.
package integration
