// Package conformance is the one suite that every engine passes: kernel, stream, batch, serving and training.
//
// An engine answers one reading of S10. The suite gives it the fixtures, then random plans over random logs, and compares
// every row with the oracle's, to the bit: a question is one feature at one ask. After that it changes what must not matter
// (the laws), and asks again.
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Engine{Name: "kernel", Reading: pipelinetest.AsServed, Answer: answer})
//	}
//
// An engine to which each log is costly, for it needs a broker or a table of its own, is asked fewer logs and longer ones:
// see Engine.Costly.
//
// The number of questions is that of the flag -conformance.questions, else of the environment's SPILLWAY_QUESTIONS, else
// 20,000. What fails is made small first, and printed as a fixture that can be kept.
package conformance
