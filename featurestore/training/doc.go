// Package training makes training sets: it joins labels with the features as they truly were at the time of each label.
//
// A label is a row of a CSV, JSONL or Parquet file with a key, a time and anything else. The training set is the same rows,
// in the same order, with all their columns and behind them one column for each feature of the pipeline, live and historical
// ones alike: the answer of truth (S10) at (key, time), from the events strictly before that time (S2). A key without events
// has the answers of nothing, as in serving.
//
// Rules:
//
//	T1. Nothing is left out and nothing is guessed: a label without key or time, a line that cannot be read and a column that
//	    is missing are errors that say where. An answer that does not fit its feature's field leaves the row's features null,
//	    and is reported.
//	T2. Label columns are carried through unchanged: a CSV field stays the text that it is, a JSON value the JSON that it is,
//	    and a Parquet column keeps its type, as far as the format of the output allows.
//	T3. In CSV an empty field is null, and "" in quotes is the empty text, in and out.
//	T4. Times are RFC 3339 texts, with a space for the T if need be, or Parquet timestamps. One without a zone is UTC, and
//	    what is finer than a microsecond is floored.
//	T5. Labels are held in memory; history streams past, sorted, once.
package training
