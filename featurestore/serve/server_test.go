package serve_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/featurestore/serve"
)

// call sends one request to the server and gives its status and body.
func call(t *testing.T, h http.Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("media type %q", got)
	}
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("the body is not JSON: %s", w.Body)
	}
	return w.Code, w.Body.String()
}

// lines breaks an answer before each column, so that it can be read.
func lines(answer string) string {
	return strings.ReplaceAll(strings.ReplaceAll(answer, `{"values"`, "\n"+`{"values"`), `"results"`, "\n"+`"results"`)
}

func TestFeastRequests(t *testing.T) {
	s := newServer(t, serve.Config{})
	for _, c := range []struct{ name, body, want string }{
		{
			"as Feast's documentation has it",
			`{"features": ["card_activity:count_5m", "card_activity:mean_90d"], "entities": {"card": ["c1", "nobody"]}}`,
			`{"metadata":{"feature_names":["card","count_5m","mean_90d"]},
"results":[
{"values":["c1","nobody"],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},
{"values":[2,0],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-01-31T12:01:00.000000Z","1970-01-01T00:00:00Z"]},
{"values":[12.5,null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-01-31T00:00:00.000000Z","2026-01-31T00:00:00.000000Z"]}]}`,
		},
		{
			"full names, in the order asked for",
			`{"full_feature_names": true, "features": ["card_activity:count_90d", "card_activity:count_5m"], "entities": {"card": ["c1"]},
				"feature_service": null}`,
			`{"metadata":{"feature_names":["card","card_activity__count_90d","card_activity__count_5m"]},
"results":[
{"values":["c1"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[7],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T00:00:00.000000Z"]},
{"values":[2],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]}]}`,
		},
		{
			"texts, infinities and a sum that does not fit",
			`{"features": ["card_activity:last_merchant", "card_activity:spend_1h", "card_activity:cents_1h"], "entities": {"card": ["a/b %"]}}`,
			`{"metadata":{"feature_names":["card","last_merchant","spend_1h","cents_1h"]},
"results":[
{"values":["a/b %"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[""],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]},
{"values":[1],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]},
{"values":[100],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]}]}`,
		},
		{
			"a row that holds a sum that does not fit",
			`{"features": ["card_activity:spend_1h", "card_activity:mean_90d"], "entities": {"card": ["c2"]}}`,
			`{"metadata":{"feature_names":["card","spend_1h","mean_90d"]},
"results":[
{"values":["c2"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[null],"statuses":["INVALID"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]},
{"values":[null],"statuses":["NOT_FOUND"],"event_timestamps":["2026-01-31T00:00:00.000000Z"]}]}`,
		},
		{
			"two views, an entity that none needs, and members unknown",
			`{"entities": {"other": ["x"], "merchant": ["bakery"], "card": ["\u0063\u0031"]}, "more": [{"a": [1.5e3, true]}, "\ud83d\ude00"],
				"features": ["merchant_visits:count_5m", "card_activity:last_merchant"]}`,
			`{"metadata":{"feature_names":["other","merchant","card","count_5m","last_merchant"]},
"results":[
{"values":["x"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":["bakery"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":["c1"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[0],"statuses":["NOT_FOUND"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":["garage"],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]}]}`,
		},
		{
			"a service is a pipeline, and wins over features",
			`{"feature_service": "merchant_visits", "features": ["card_activity:count_5m"], "entities": {"merchant": ["bakery", "bakery", "é/日本"]},
				"full_feature_names": true}`,
			`{"metadata":{"feature_names":["merchant","merchant_visits__count_5m"]},
"results":[
{"values":["bakery","bakery","é/日本"],"statuses":["PRESENT","PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},
{"values":[0,0,0],"statuses":["NOT_FOUND","NOT_FOUND","NOT_FOUND"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]}]}`,
		},
		{
			"values age: six minutes after the last event",
			`{"features": ["card_activity:count_5m", "card_activity:last_merchant"], "entities": {"card": ["c1"]}, "as_of": "2026-01-31T12:07:00Z"}`,
			`{"metadata":{"feature_names":["card","count_5m","last_merchant"]},
"results":[
{"values":["c1"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[0],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]},
{"values":["garage"],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]}]}`,
		},
		{
			"a day later: nothing live is left, and the run is too old",
			`{"features": ["card_activity:spend_1h", "card_activity:mean_90d"], "entities": {"card": ["c1"]}, "as_of": "2026-02-01T01:00:00+01:00"}`,
			`{"metadata":{"feature_names":["card","spend_1h","mean_90d"]},
"results":[
{"values":["c1"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[null],"statuses":["NULL_VALUE"],"event_timestamps":["2026-01-31T12:01:00.000000Z"]},
{"values":[12.5],"statuses":["PRESENT"],"event_timestamps":["2026-01-31T00:00:00.000000Z"]}]}`,
		},
		{
			"a microsecond more",
			`{"features": ["card_activity:mean_90d"], "entities": {"card": ["c1"]}, "as_of": "2026-02-01T00:00:00.000001Z"}`,
			`{"metadata":{"feature_names":["card","mean_90d"]},
"results":[
{"values":["c1"],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},
{"values":[12.5],"statuses":["OUTSIDE_MAX_AGE"],"event_timestamps":["2026-01-31T00:00:00.000000Z"]}]}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := call(t, s, http.MethodPost, "/get-online-features", c.body)
			if status != http.StatusOK || lines(body) != c.want {
				t.Errorf("status %d\ngot  %s\nwant %s", status, lines(body), c.want)
			}
		})
	}
}

func TestFeastMistakes(t *testing.T) {
	s := newServer(t, serve.Config{MaxKeys: 3, MaxBody: 400})
	const good = `"features": ["card_activity:count_5m"]`
	for _, c := range []struct {
		name, body string
		status     int
		class      string
		message    string
	}{
		{"no body", ``, 422, "FeastError", "at byte 0: the body is not an object"},
		{"no JSON", `{"entities": }`, 422, "FeastError", "at byte 13: entities is not an object"},
		{"more than one value", `{} {}`, 422, "FeastError", "at byte 3: something follows the value"},
		{"not UTF-8", "{\"a\": \"\xff\"}", 422, "FeastError", "the body is not UTF-8"},
		{"half a surrogate", `{"entities": {"card": ["\ud800"]}}`, 422, "FeastError", "at byte 24: a surrogate without its other half"},
		{"a member twice", `{"features": [], "features": []}`, 422, "FeastError", "features is given twice"},
		{"an entity twice", `{"entities": {"card": [], "card": []}}`, 422, "FeastError", `entity "card" is given twice`},
		{"a null key", `{"entities": {"card": [null]}, ` + good + `}`, 422, "FeastError", `a key of entity "card" is null`},
		{"a number as key", `{"entities": {"card": [1]}, ` + good + `}`, 422, "FeastError", `a key of entity "card" is not a string`},
		{"deep nesting", `{"x": ` + strings.Repeat("[", 150), 422, "FeastError", "values nest more than 100 deep"},
		{"no features", `{"entities": {"card": ["c1"]}}`, 422, "FeastError", "no features are asked for"},
		{"a feature without view", `{"entities": {"card": ["c1"]}, "features": ["count_5m"]}`, 422, "FeastError", "does not name its view"},
		{"an unknown view", `{"entities": {"card": ["c1"]}, "features": ["cards:n"]}`, 404, "FeatureViewNotFoundException", "there is no feature view cards"},
		{"an unknown feature", `{"entities": {"card": ["c1"]}, "features": ["card_activity:n"]}`, 422, "FeastError", `view card_activity has no feature "n"`},
		{"a service", `{"entities": {"card": ["c1"]}, "feature_service": "s", ` + good + `}`, 404, "FeatureServiceNotFoundException", "there is no feature service s"},
		{
			"one name twice", `{"entities": {"card": ["c1"], "merchant": ["m"]}, "features": ["card_activity:count_5m", "merchant_visits:count_5m"]}`,
			422, "FeastError", `two features have the name "count_5m"`,
		},
		{"no entity", `{` + good + `}`, 422, "EntityNotFoundException", "entities lack the column card"},
		{"another entity", `{"entities": {"merchant": ["m"]}, ` + good + `}`, 422, "EntityNotFoundException", "entities lack the column card"},
		{"no keys", `{"entities": {"card": []}, ` + good + `}`, 422, "FeastError", `entity "card" has no keys`},
		{"columns of two lengths", `{"entities": {"card": ["c1"], "x": []}, ` + good + `}`, 422, "FeastError", `entity "card" has 1 keys, and entity "x" has 0`},
		{"too many keys", `{"entities": {"card": ["1", "2", "3", "4"]}, ` + good + `}`, 422, "FeastError", "ask for at most 3"},
		{"a long body", `{"x": "` + strings.Repeat("x", 400) + `"}`, 413, "FeastError", "the body has more than 400 bytes"},
		{"no time", `{"as_of": "yesterday"}`, 422, "FeastError", `as_of is "yesterday", not a time`},
		{"too long ago", `{"entities": {"card": ["c1"]}, ` + good + `, "as_of": "2026-01-31T11:40:29Z"}`, 422, "FeastError", "the store answers from 2026-01-31T11:40:30Z on"},
		{"neither true nor false", `{"full_feature_names": 1}`, 422, "FeastError", "full_feature_names is neither true nor false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := call(t, s, http.MethodPost, "/get-online-features", c.body)
			var detail string
			if err := json.Unmarshal([]byte(body), &detail); err != nil {
				t.Fatalf("the body is no JSON string: %s", body)
			}
			var e struct{ Module, Class, Message string }
			if err := json.Unmarshal([]byte(detail), &e); err != nil {
				t.Fatalf("the string holds no JSON: %s", detail)
			}
			if status != c.status || e.Module != "feast.errors" || e.Class != c.class || !strings.Contains(e.Message, c.message) {
				t.Errorf("got %d %+v, want %d %s %q", status, e, c.status, c.class, c.message)
			}
		})
	}
}

func TestKey(t *testing.T) {
	s := newServer(t, serve.Config{})
	hash := planOf(t, cardActivity).Hash()
	for _, c := range []struct{ path, want string }{
		{
			"/v1/features/card_activity/c1",
			`{"pipeline":"card_activity","plan":"` + hash + `","key":"c1","as_of":"2026-01-31T12:02:00.000000Z","features":{` +
				`"count_5m":{"value":2,"status":"PRESENT","layer":"live"},` +
				`"spend_1h":{"value":82.75,"status":"PRESENT","layer":"live"},` +
				`"mean_90d":{"value":12.5,"status":"PRESENT","layer":"historical"},` +
				`"last_merchant":{"value":"garage","status":"PRESENT","layer":"live"},` +
				`"cents_1h":{"value":8275,"status":"PRESENT","layer":"live"},` +
				`"count_90d":{"value":7,"status":"PRESENT","layer":"historical"}},` +
				`"live":{"seen":true,"partition":2,"next_offset":5,"watermark":"2026-01-31T12:00:30.000000Z","newest_event":"2026-01-31T12:01:00.000000Z"},` +
				`"historical":{"run":"20260131T000000","as_of":"2026-01-31T00:00:00.000000Z","published":"2026-01-31T01:00:00.000000Z","snapshot":"9007199254740993"}}`,
		},
		{
			"/v1/features/card_activity/?as_of=2026-01-31T12:00:00.5Z",
			`{"pipeline":"card_activity","plan":"` + hash + `","key":"","as_of":"2026-01-31T12:00:00.500000Z","features":{` +
				`"count_5m":{"value":0,"status":"NOT_FOUND","layer":"live"},` +
				`"spend_1h":{"value":null,"status":"NOT_FOUND","layer":"live"},` +
				`"mean_90d":{"value":null,"status":"NOT_FOUND","layer":"historical"},` +
				`"last_merchant":{"value":null,"status":"NOT_FOUND","layer":"live"},` +
				`"cents_1h":{"value":null,"status":"NOT_FOUND","layer":"live"},` +
				`"count_90d":{"value":0,"status":"NOT_FOUND","layer":"historical"}},` +
				`"live":{"seen":false,"partitions":[{"partition":2,"next_offset":5,"watermark":"2026-01-31T12:00:30.000000Z"}]},` +
				`"historical":{"run":"20260131T000000","as_of":"2026-01-31T00:00:00.000000Z","published":"2026-01-31T01:00:00.000000Z","snapshot":"9007199254740993"}}`,
		},
		{
			"/v1/features/merchant_visits/a%2Fb%20%25",
			`{"pipeline":"merchant_visits","plan":"` + planOf(t, merchantVisits).Hash() + `","key":"a/b %","as_of":"2026-01-31T12:02:00.000000Z",` +
				`"features":{"count_5m":{"value":0,"status":"NOT_FOUND","layer":"live"}},"live":{"seen":false,"partitions":[]}}`,
		},
	} {
		status, body := call(t, s, http.MethodGet, c.path, "")
		if status != http.StatusOK || body != c.want {
			t.Errorf("%s: status %d\ngot  %s\nwant %s", c.path, status, body, c.want)
		}
	}
	if _, body := call(t, s, http.MethodGet, "/v1/features/card_activity/a%2Fb%20%25", ""); !strings.Contains(body, `"key":"a/b %"`) ||
		!strings.Contains(body, `"seen":true`) {
		t.Errorf("an escaped key: %s", body)
	}
}

func TestPaths(t *testing.T) {
	ready := errors.New("3 partitions behind")
	s := newServer(t, serve.Config{Ready: func() error { return ready }})
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/health", 200, "alive"},
		{"GET", "/healthz", 200, "alive"},
		{"GET", "/readyz", 503, "3 partitions behind"},
		{"POST", "/readyz", 405, "use GET or HEAD"},
		{"GET", "/get-online-features", 405, "use POST"},
		{"DELETE", "/v1/features/card_activity/c1", 405, "use GET or HEAD"},
		{"GET", "/", 404, "there is nothing at /"},
		{"GET", "/v1/features/cards/c1", 404, "there is no pipeline"},
		{"GET", "/v1/features/card_activity", 404, "the path is not"},
		{"GET", "/v1/features/card_activity/a/b", 404, "the path is not"},
		{"GET", "/v1/features/card_activity/%FF", 422, "is not UTF-8"},
		{"GET", "/v1/features/card_activity/c1?as_of=now", 422, "not a time"},
		{"GET", "/v1/features/card_activity/c1?asof=2026-01-31T12:00:00Z", 422, "may only have as_of"},
		{"GET", "/v1/features/card_activity/c1?as_of=2025-01-31T12:00:00Z", 422, "the store answers from"},
	} {
		if status, body := call(t, s, c.method, c.path, ""); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s, want %d %q", c.method, c.path, status, body, c.status, c.want)
		}
	}
	ready = nil
	if status, body := call(t, s, "GET", "/readyz", ""); status != 200 {
		t.Errorf("ready: %d %s", status, body)
	}
}

// TestShutdown stops the server while a request is under way: that one is answered, others are not taken.
// TestTrouble closes the store beneath the server: the client learns that it is not its fault, and no more.
