// Package load sends files of records to a Kafka topic: JSON Lines, CSV and Parquet, the first two also compressed.
//
// It is how recorded events get back into a topic, and how test data gets there in the first place. A line of JSON goes
// out as it is; a row of CSV or Parquet becomes one JSON object. Of each record only the routing fields are looked at: the
// key, the partition and the Kafka timestamp. They stay in the value as well.
//
// Invariants:
//
//  1. A line of JSON is sent byte for byte, valid or not. What is left out is only what separates lines: the newline,
//     lines of nothing but white space, and a byte order mark at the head of a file. A carriage return before the newline
//     is white space of the JSON, and stays.
//  2. A line that is not one valid JSON object is data too (the stream dead-letters it): it is sent, and counted. It goes
//     where its routing fields say, as far as they stand before the fault, and else where the line before it went.
//     Whatever else is wrong with a record's place ends the load and names file and line.
//  3. The records of one partition stand in the topic in the order of the files and of the lines within them, without a
//     gap up to the last that was acknowledged, and each once, however often the client had to try.
//  4. Memory is bounded by the client's buffer and the longest record, not by the files.
//  5. No byte of a file makes it panic, nor costs more than a constant times its length.
//  6. Nothing is allocated for a record, decimals of Parquet excepted.
package load
