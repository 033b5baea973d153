// Package replay sends the real glucose readings of the example as phones would have sent them: seconds late as a rule,
// hours late now and then, sometimes newest first, sometimes twice, and a few times broken.
//
// What is real: the people, the values, and the order and intervals of the readings (folder data). What is invented,
// because the file does not have it: when each record arrived, which were repeated and which were broken. That comes from
// the model in model.go, drawn from a seed, so that a replay can be repeated to the byte.
//
// # Times
//
// The people wore their sensors at different times from 2014 to 2017. One topic is more like life when they overlap, so
// every time is moved by whole weeks: all people begin in the week of Monday 2026-01-05, and the last reading is of
// 2026-01-19. The time of day, the weekday and each interval of up to a week stay real. Two people wore a second sensor
// months later; an interval longer than a week loses whole weeks until it is no longer than one. The times in the file are
// local times written as UTC, and stay so.
//
// # Records
//
// A payload is one JSON object:
//
//	{"id":"2133-004-000123","subject":"2133-004","at":"2026-01-07T10:12:13Z","glucose":93,"diagnosis":"diabetic"}
//
// The id is the subject and the number of the reading in that person's series, from 000001. The key is the subject.
//
// # Broken records
//
// Each person sends one broken record. It is always extra: a damaged copy of a reading that arrives immediately before the
// reading itself, at the same moment and with the same id. So no reading is lost to it, and a consumer that remembers the
// ids of broken records shows itself by dropping the good one. The four kinds take turns from person to person: cut off in
// the middle, a text where the glucose belongs, no subject (and no key), and a time in the year 2099.
//
// # Invariants
//
//  1. Equal options give equal bytes, on every machine.
//  2. Records come in order of arrival; equal arrivals in order of person, then of sending.
//  3. No record arrives before its reading was taken.
//  4. Every reading arrives intact at least once; a repeated record is equal to the first to the byte.
//  5. The first copy of the people is the same at every scale and for every number of partitions.
//  6. Memory grows with the number of people, never with the number of records.
package replay
