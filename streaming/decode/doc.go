// Package decode turns the values of Kafka records straight into Arrow columns.
//
// A Builder is made for one source and one Format (JSON, Avro or Confluent) and takes the records of a partition in their
// order. Its batches are laid out by schema.Log: the columns of the source, then where each record stood, and, for a
// record that could not be decoded, why not and its bytes. The stream and the archiver both read topics through it, so a
// record means the same in both.
//
// Invariants:
//
//  1. Every record added is exactly one row, in order, also one that cannot be decoded: a row with a flaw.
//  2. A row has either its columns, or a flaw (_fault, and _raw unless the value was absent) and only nulls.
//  3. What a record decodes to depends on its bytes, the columns and the writer's schema: on no clock, no batch boundary
//     and no record before it. Nothing is replaced or left out silently; what does not fit its column is a flaw. Only
//     decimals become the nearest double, and times finer than microseconds are floored.
//  4. A flaw is permanent: the same record has it again, except that a schema which its registry did not have may be put
//     there later. What may pass (a registry that is down) is an error of Add, which has then added nothing.
//  5. Batches show the builder's memory and are void after its Reset; Take gives memory away instead.
//  6. In the steady state no record costs an allocation, except one that a schema has to be fetched for.
//  7. No value panics, recurses deeper than 1000, or costs more than a constant times its bytes.
package decode
