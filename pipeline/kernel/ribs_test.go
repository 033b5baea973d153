package kernel_test

import (
	"testing"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
)

// TestRibs gives every key ribs from its first move on, so that all that a window gains or loses goes along them.
func TestRibs(t *testing.T) {
	far, walks := kernel.SetRibs(1, 0)
	defer kernel.SetRibs(far, walks)
	for _, e := range []conformance.Engine{
		{Name: "kernel task with ribs", Reading: pipelinetest.AsServed, Restarts: true, Answer: answerServed},
		{Name: "kernel fold with ribs", Reading: pipelinetest.Truth, Answer: answerTruth},
		{Name: "kernel ask with ribs", Reading: pipelinetest.Serving, Restarts: true, Answer: answerAsks},
	} {
		conformance.Run(t, e)
	}
}
