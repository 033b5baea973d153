// Package window says which stretch of time a feature looks back on.
//
// Last(d) asked at t holds the events of [t−d, place), where the place of an event's own ask is just behind that event,
// and that of a tick or a serving ask at t is before every event at t.
package window
