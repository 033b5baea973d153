// Package kernel answers a plan's asks: it evaluates expressions over Arrow batches and keeps the state of keys.
package kernel
