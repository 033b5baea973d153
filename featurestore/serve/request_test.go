package serve

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// feastRequest is what encoding/json makes of a request.
type feastRequest struct {
	Entities map[string][]*string `json:"entities"`
	Features []*string            `json:"features"`
	Service  *string              `json:"feature_service"`
	Full     *bool                `json:"full_feature_names"`
	AsOf     *string              `json:"as_of"`
}

// FuzzRequest holds the scanner to encoding/json: what it takes is JSON and means the same there, and what it refuses is
// not JSON, or is among the things that it refuses on purpose.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"entities": {"card": ["c1", "c2"]}, "features": ["v:a", "v:b"], "full_feature_names": true}`,
		`{"entities":{"\u0061":["\ud83d\ude00","\"\\\/\b\f\n\r\t"],"b":[]},"x":[1,-0.5e+7,{"y":null}]}`,
		`{"feature_service": "s", "as_of": "2026-01-31T12:00:00Z", "features": null}`,
		`{"as_of": null, "feature_service": null, "x": {"a": {}, "b": []}} `,
		`{"entities": {"card": ["\ud800"]}}`,
		`{"entities": {"card": [1]}}`, `{"features": [1]}`, `{"a": 01}`, `{"a": 1.}`, `{"a": -}`, `{"a": 1e}`,
		`[`, `{"a" 1}`, `{"a": tru}`, `{"a": "` + "\x01" + `"}`, `{"a": "\q"}`, `{"a": "\u12"}`, `{"a": 1,}`, `{} x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var q request
		err := q.read(body)
		var want feastRequest
		wantErr := json.Unmarshal(body, &want)
		if err != nil {
			if !json.Valid(body) || !utf8.Valid(body) || wantErr != nil || refusedOnPurpose(err) {
				return
			}
			t.Fatalf("refused: %v", err)
		}
		if wantErr != nil {
			t.Fatalf("taken, and encoding/json says %v", wantErr)
		}
		if !otherCase(t, body) {
			compareRequests(t, &q, &want)
		}
	})
}

// refusedOnPurpose tells whether the error is about something that encoding/json takes and the scanner must not.
func refusedOnPurpose(err error) bool {
	for _, reason := range []string{
		"given twice", "a surrogate without", "is null", "nest more than", "is not an object", "is not an array", "as_of is",
		"is not a string", "is neither true nor false",
	} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

// otherCase tells whether a member has a known name in other letters, which encoding/json takes for the same.
func otherCase(t *testing.T, body []byte) bool {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		for _, known := range []string{"entities", "features", "feature_service", "full_feature_names", "as_of"} {
			if name != known && strings.EqualFold(name, known) {
				return true
			}
		}
	}
	return false
}

func compareRequests(t *testing.T, q *request, want *feastRequest) {
	t.Helper()
	if len(q.entities) != len(want.Entities) {
		t.Errorf("%d entities, want %d", len(q.entities), len(want.Entities))
	}
	for _, e := range q.entities {
		keys, ok := want.Entities[string(e.name)]
		if !ok || !slices.EqualFunc(keys, e.keys, func(a *string, b []byte) bool { return a != nil && *a == string(b) }) {
			t.Errorf("entity %q has keys %q", e.name, e.keys)
		}
	}
	if !slices.EqualFunc(want.Features, q.features, func(a *string, b []byte) bool { return a != nil && *a == string(b) }) {
		t.Errorf("features %q", q.features)
	}
	if q.service != nil && (want.Service == nil || *want.Service != string(q.service)) {
		t.Errorf("service %q", q.service)
	}
	if q.full && (want.Full == nil || !*want.Full) {
		t.Error("full names")
	}
	if q.hasAsOf && want.AsOf == nil {
		t.Error("as_of")
	}
}

// TestRequestMemory reads requests one after another into the same memory: nothing of one may be left in the next.
func TestRequestMemory(t *testing.T) {
	var q request
	for _, c := range []struct{ body, want string }{
		{
			`{"entities": {"a": ["1", "2"], "b": ["3", "4"]}, "features": ["v:x"], "full_feature_names": true, "as_of": "1970-01-01T00:00:00.000001Z"}`,
			`a=[1 2] b=[3 4] features=[v:x] service= full=true as_of=1 true`,
		},
		{`{"entities": {"c": ["\u0035"]}, "feature_service": "s"}`, `c=[5] features=[] service=s full=false as_of=1 false`},
		{`{}`, `features=[] service= full=false as_of=1 false`},
	} {
		if err := q.read([]byte(c.body)); err != nil {
			t.Fatal(err)
		}
		if got := textOf(&q); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func textOf(q *request) string {
	var b strings.Builder
	for _, e := range q.entities {
		b.WriteString(string(e.name) + "=[" + string(bytes.Join(e.keys, []byte{' '})) + "] ")
	}
	text, _ := json.Marshal(q.asOf)
	flags := map[bool]string{true: "true", false: "false"}
	b.WriteString("features=[" + string(bytes.Join(q.features, []byte{' '})) + "] service=" + string(q.service) +
		" full=" + flags[q.full] + " as_of=" + string(text) + " " + flags[q.hasAsOf])
	return b.String()
}

func BenchmarkRequest(b *testing.B) {
	body := []byte(`{"features": ["card_activity:count_5m", "card_activity:spend_1h", "card_activity:merchants_1h"], ` +
		`"entities": {"card": ["c000123"]}}`)
	b.Run("scanner", func(b *testing.B) {
		var q request
		b.ReportAllocs()
		for b.Loop() {
			if err := q.read(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var q feastRequest
			if err := json.Unmarshal(body, &q); err != nil {
				b.Fatal(err)
			}
		}
	})
}
