// Package agg says what a feature computes of the events in its window.
//
//	agg.Count()                     // how many events
//	agg.Sum(amount).Or(0)           // a plain float64; 0 when the window holds no amount
//	agg.Mean(amount)                // a *float64; nil when the window holds no amount
//	agg.Count().Where(abroad)       // only the events for which abroad is true
//
// Every aggregate but Count takes the values that are not null, of the events for which the feature's Where is true, in
// the total order of the events. Counts of nothing are 0; every other aggregate of nothing is null, and so fits a pointer
// field, a sql.Null field (through Null) or, through Or, a plain one. The compiler holds the field to that.
//
// Float results are exact and rounded once. To add an aggregate: a function here, a row of its table in the kernel, a line
// in the oracle.
package agg
