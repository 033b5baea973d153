// Package window says which stretch of time a feature looks back on.
//
//	window.Last(30 * time.Minute)
//	window.Last(14 * window.Day).Tile(time.Hour)
//
// Last(d) asked at t holds the events of [t−d, place), where the place of an event's own ask is just behind that event,
// and that of a tick or a serving ask at t is before every event at t. Tile floors the lower bound, t−d.
//
// All times here are microseconds since 1970-01-01T00:00Z; event times lie in the years 1 to 9999, far from the ends of
// int64, but an ask may come from anywhere, so nothing here overflows.
package window
