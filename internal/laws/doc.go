// Package laws holds the tests of what no single package can see: which package may import which (laws_test.go). It has no
// code.
//
// The laws, from which the table in laws_test.go follows:
//
//  1. A definition imports package pipeline and what is below it, and nothing else of spillway: what a feature means knows
//     no engine.
//  2. Package pipeline and all below it import no engine, no Kafka and no Iceberg: of other modules only Arrow.
//  3. Streaming and batch never meet. The only sideways arrow is from batch to lakehouse. The feature store gets its
//     readers as interfaces. Only the root package knows all rooms.
//  4. An engine's library is known to one room: Kafka's client to streaming, Iceberg to lakehouse, DuckDB to batch, Pebble to
//     featurestore. The root package may name a client where it hands one room's to another.
//  5. Package internal/… imports nothing of spillway's.
//  6. What is for tests is imported by tests only.
//  7. No package and no file is called util, common, helpers, types or misc: say what it is.
package laws
