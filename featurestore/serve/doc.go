// Package serve answers for features over HTTP.
//
//	POST /get-online-features              Feast's request and response, for its SDK and for everything that speaks it
//	GET  /v1/features/{pipeline}/{key}     all features of one key, with where each value comes from
//	GET  /health, /healthz                 200 while the process lives
//	GET  /readyz                           200 once the store has caught up with the stream, 503 before and while stopping
//
// A pipeline is what Feast calls a feature view, and its result's key column an entity; it is also a feature service, of all
// its features. Both ways take as_of, an RFC 3339
// time, to ask about another moment than now; see online.View.Get for how far back.
//
// Values are those of online.View: the value of the function of (key, time) also where the status is NOT_FOUND. Floats are
// the shortest text that reads back to the same bits; NaN and the infinities are the texts "NaN", "Infinity" and
// "-Infinity", and times are RFC 3339 with six digits of a second, as the stream writes them.
//
// Errors of Feast's way carry a JSON string that holds JSON, from which the SDK makes the exception again: 404 for a view or
// service that there is none of, 422 for every other mistake of the client.
package serve
