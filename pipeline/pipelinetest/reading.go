package pipelinetest

import (
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
)

// Row is one answer: the features asked for, of one key at one ask.
type Row struct {
	Key       string
	AskTime   int64
	Partition int32 // of the event asked at, or of the record that settled or revised the tick; else -1
	Offset    int64 // likewise
	Revision  int32
	After     int  // as in the Ask that the row answers
	Dead      bool // a value does not fit its field: the row is withheld, and only reported
	Values    []expr.Datum
}

// Ask is one of serving or training: of what was known after the first so many records of the log (serving only).
type Ask struct {
	Key   string
	Time  int64
	After int
}

// Reading is a way to ask (S10).
type Reading uint8

// The readings.
const (
	AsServed  Reading = iota // all that the stream answers, every revision: the live features
	Truth                    // what the history says, at the same asks: all features
	Serving                  // at any time, of what the stream knew after so many records: the live features
	Training                 // at any time, of truth: all features
	ByArrival                // at any time, of what had arrived by then: the live features
)

// Readings are all of them.
var Readings = []Reading{AsServed, Truth, Serving, Training, ByArrival}

var readingNames = [...]string{"served", "truth", "serving", "training", "arrival"}

// String is the reading as fixtures write it.
func (r Reading) String() string { return readingNames[r] }

// Asked tells whether the reading answers asks that it is given, and not those of the plan's grain.
func (r Reading) Asked() bool { return r >= Serving }

// Features are the features that the reading answers.
func (r Reading) Features(plan *pipeline.Plan) []int {
	var features []int
	for f := range plan.Features {
		if r == Truth || r == Training || plan.Features[f].Live() {
			features = append(features, f)
		}
	}
	return features
}
