// Package bench holds the benchmarks of the whole, on the workload of package payments.
package bench
