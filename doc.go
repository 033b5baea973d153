// Package spillway turns pipelines into a program: the one place that knows all rooms of the house.
//
//	func main() { spillway.Main(&spillway.App{Pipelines: []*pipeline.Pipeline{Fraud}}) }
//
// is the whole deployment unit: one binary whose subcommands stream, archive, run batches, serve, reconcile and explain the
// same definitions. Without configuration it runs on embedded parts under ./.spillway/; with spillway.yaml, SPILLWAY_* or
// flags it runs the same definitions on real ones.
package spillway
