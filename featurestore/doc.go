// Package featurestore holds what answers for features outside the stream and the batch: the online store and the answers
// made from it (online), the HTTP server over them (serve), and point-in-time joins for training sets (training).
//
// Everything here asks the same function of (key, time) that the stream and the batch ask, through pipeline/kernel: serving
// at "now", training at the times of labels. Records of streams and lakes arrive through interfaces, so that nothing here
// knows Kafka or Iceberg.
package featurestore
