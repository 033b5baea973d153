package decode

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// framedValue is a value of the schema with that id.
func framedValue(id uint32, record ...byte) []byte { return append(AppendFrame(nil, id), record...) }

// startRegistry starts a registry and makes a client of it.
func startRegistry(t *testing.T) (*srfake.Registry, Registry) {
	t.Helper()
	reg := srfake.New()
	t.Cleanup(reg.Close)
	return reg, newClient(t, reg.URL())
}

func newClient(t *testing.T, url string) Registry {
	t.Helper()
	cl, err := sr.NewClient(sr.URLs(url))
	if err != nil {
		t.Fatal(err)
	}
	return SchemaRegistry(cl)
}

// TestConfluent reads records of many schemas, good and bad, one behind the other.
func TestConfluent(t *testing.T) {
	reg, client := startRegistry(t)
	reg.SeedSchema("long", 1, 1, sr.Schema{Schema: record(`{"name":"n","type":"long"}`)})
	reg.SeedSchema("text", 1, 2, sr.Schema{Schema: record(`{"name":"t","type":"string"},{"name":"n","type":["null","int"]}`)})
	reg.SeedSchema("wrong", 1, 3, sr.Schema{Schema: record(`{"name":"n","type":"string"}`)})
	reg.SeedSchema("proto", 1, 4, sr.Schema{Schema: `syntax = "proto3";`, Type: sr.TypeProtobuf})
	reg.SeedSchema("broken", 1, 5, sr.Schema{Schema: `{"type":"record"}`})
	reg.SeedSchema("bare", 1, 6, sr.Schema{Schema: `"string"`})
	reg.SeedSchema("mood", 1, 7, sr.Schema{Schema: `{"type":"enum","name":"Mood","namespace":"x","symbols":["LOW","HIGH"]}`})
	reg.SeedSchema("pair", 1, 8, sr.Schema{
		Schema:     `{"type":"record","name":"Pair","fields":[{"name":"m","type":"x.Mood"}]}`,
		References: []sr.SchemaReference{{Name: "x.Mood", Subject: "mood", Version: 1}},
	})
	reg.SeedSchema("both", 1, 9, sr.Schema{
		Schema:     record(`{"name":"p","type":"Pair"},{"name":"t","type":"x.Mood"}`),
		References: []sr.SchemaReference{{Name: "Pair", Subject: "pair", Version: 1}, {Name: "x.Mood", Subject: "mood", Version: 1}},
	})

	b := mustBuilder(t, &sample{}, Confluent(client))
	for _, c := range []struct {
		value []byte
		want  string
	}{
		{framedValue(1, 24), `n=12`},
		{framedValue(2, 2, 'a', 0), `t="a"`},
		{framedValue(1, 2), `n=1`},
		{framedValue(2, 2, 'b', 2, 4), `n=2 t="b"`},
		{framedValue(1), `flaw: Avro, field n, byte 5: expected an int or a long, but the value ends`},
		{framedValue(1, 2, 0), `flaw: Avro, byte 6: the record ends, found 1 more bytes`},
		{framedValue(3, 0), `flaw: Avro, schema 3: column n: is int, but the Avro schema has string`},
		{framedValue(4, 0), `flaw: Avro, schema 4: the registry has no Avro schema of that id: it is of type PROTOBUF`},
		{framedValue(5, 0), `flaw: Avro, schema 5: the registry has no Avro schema of that id: `},
		{framedValue(6, 0), `flaw: Avro, schema 6: the registry has no Avro schema of that id: Avro schema: is of type string`},
		{framedValue(77, 0), `flaw: Avro, schema 77: the registry has no Avro schema of that id`},
		{framedValue(0xffffffff, 0), `flaw: Avro, schema 4294967295: the registry has no Avro schema of that id`},
		{framedValue(9, 0, 2), `t="HIGH"`},
		{framedValue(1, 2)[:4], `flaw: Avro: the value does not begin with a zero byte and the id of a schema`},
		{[]byte(`{"n":1}`), `flaw: Avro: the value does not begin with a zero byte and the id of a schema`},
		{[]byte{}, `flaw: Avro: the value does not begin with a zero byte and the id of a schema`},
		{framedValue(1, 4), `n=2`},
	} {
		if got := decodeOne(t, b, c.value); got != c.want && (c.want[:5] != "flaw:" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("% x\n got %s\nwant %s", c.value, got, c.want)
		}
	}
}

// TestSchemaInHeader reads records whose schema a header names: by GUID, by id, or not at all.
func TestSchemaInHeader(t *testing.T) {
	reg, client := startRegistry(t)
	reg.SeedSchema("long", 1, 1, sr.Schema{Schema: record(`{"name":"n","type":"long"}`)})
	reg.SeedSchema("text", 1, 2, sr.Schema{Schema: record(`{"name":"t","type":"string"}`)})
	reg.SeedSchema("proto", 1, 3, sr.Schema{Schema: `syntax = "proto3";`, Type: sr.TypeProtobuf})
	byGUID := func(subject string) []byte {
		cl, err := sr.NewClient(sr.URLs(reg.URL()))
		if err != nil {
			t.Fatal(err)
		}
		s, err := cl.SchemaByVersion(t.Context(), subject, 1)
		if err != nil {
			t.Fatal(err)
		}
		guid, err := hex.DecodeString(strings.ReplaceAll(s.GUID, "-", ""))
		if err != nil || len(guid) != 16 {
			t.Fatalf("GUID %q: %v", s.GUID, err)
		}
		return append([]byte{1}, guid...)
	}
	id := func(n uint32) []byte { return AppendFrame(nil, n) }
	unknown := append([]byte{1}, bytes.Repeat([]byte{0xab}, 16)...)
	const bad = `flaw: Avro: the header __value_schema_id holds neither the id of a schema nor a GUID`

	b := mustBuilder(t, &sample{}, Confluent(client))
	for _, c := range []struct {
		header, value []byte
		want          string
	}{
		{byGUID("long"), []byte{24}, `n=12`},
		{byGUID("text"), []byte{2, 'a'}, `t="a"`},
		{nil, framedValue(1, 26), `n=13`},
		{id(1), []byte{28}, `n=14`},
		{id(2), []byte{2, 'b'}, `t="b"`},
		// The header wins, and then the value has no frame.
		{byGUID("long"), framedValue(2, 2, 'c'), `flaw: Avro, byte 1: the record ends, found 6 more bytes`},
		{byGUID("proto"), []byte{0}, `flaw: Avro, schema `},
		{unknown, []byte{0}, `flaw: Avro, schema abababab-abab-abab-abab-abababababab: the registry has no Avro schema of that id`},
		{id(77), []byte{0}, `flaw: Avro, schema 77: the registry has no Avro schema of that id`},
		{[]byte{}, framedValue(1, 2), bad},
		{[]byte{1}, framedValue(1, 2), bad},
		{unknown[:16], []byte{0}, bad},
		{append(id(1), 0), []byte{0}, bad},
		{append([]byte{2}, unknown[1:]...), []byte{0}, bad},
		{byGUID("long"), []byte{}, `flaw: Avro, field n, byte 0: expected an int or a long, but the value ends`},
		{byGUID("long"), nil, `flaw: the value is absent`},
		{byGUID("long"), []byte{30}, `n=15`},
	} {
		b.Reset()
		if err := b.AddNamed(t.Context(), 0, 0, 0, c.header, c.value); err != nil {
			t.Fatal(err)
		}
		if got := show(b.Batch(), 0); got != c.want && (c.want[:1] != "f" || !strings.HasPrefix(got, c.want)) {
			t.Errorf("header % x, value % x\n got %s\nwant %s", c.header, c.value, got, c.want)
		}
	}

	// A registry that knows ids alone has no schema of a GUID, and one that is down may have it.
	b = mustBuilder(t, &sample{}, Confluent(schemas{1: record(`{"name":"n","type":"long"}`)}))
	if err := b.AddNamed(t.Context(), 0, 0, 0, byGUID("long"), []byte{2}); err != nil || !strings.Contains(show(b.Batch(), 0), "has no Avro schema") {
		t.Errorf("%v, %s", err, show(b.Batch(), 0))
	}
	header := byGUID("long")
	reg.Close()
	b = mustBuilder(t, &sample{}, Confluent(client))
	if err := b.AddNamed(t.Context(), 0, 0, 0, header, []byte{2}); err == nil || b.Len() != 0 {
		t.Errorf("without a registry: %v, %d rows", err, b.Len())
	}
}

// TestRegistryDown holds Add to its promise: while the registry does not answer, in whatever way, the record waits, and no
// row is made of it.
func TestRegistryDown(t *testing.T) {
	reg, client := startRegistry(t)
	reg.SeedSchema("long", 1, 1, sr.Schema{Schema: record(`{"name":"n","type":"long"}`)})
	reg.SeedSchema("gone", 1, 2, sr.Schema{Schema: `{"type":"enum","name":"Gone","namespace":"x","symbols":["A"]}`})
	reg.SeedSchema("ref", 1, 3, sr.Schema{
		Schema:     record(`{"name":"n","type":"long"}`),
		References: []sr.SchemaReference{{Name: "x.Gone", Subject: "gone", Version: 1}},
	})
	status := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	b := mustBuilder(t, &sample{}, Confluent(client))
	ctx := context.Background()
	for _, answer := range []func(http.ResponseWriter){
		status(500, `{"error_code":50001,"message":"store"}`),
		status(503, `busy`),
		status(401, `{"error_code":401,"message":"who are you"}`),
		status(404, `<html>not a registry</html>`),
		status(200, `<html>not a registry</html>`),
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		reg.ClearInterceptors()
		reg.Intercept(func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true })
		err := b.Add(ctx, 0, 1, 0, framedValue(1, 24))
		if err == nil || errors.Is(err, ErrNoSchema) || !strings.Contains(err.Error(), "schema 1 could not be had") || b.Len() != 0 {
			t.Errorf("error %v, %d rows", err, b.Len())
		}
	}
	reg.ClearInterceptors()
	reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		gone := strings.HasPrefix(r.URL.Path, "/subjects/gone/")
		if gone {
			http.NotFound(w, r)
		}
		return gone
	})
	if err := b.Add(ctx, 0, 1, 0, framedValue(3, 24)); err == nil || b.Len() != 0 {
		t.Errorf("a schema that refers to nothing: %v, %d rows", err, b.Len())
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Add(cancelled, 0, 1, 0, framedValue(1, 24)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait ends with %v", err)
	}
	if err := b.Add(ctx, 0, 1, 0, framedValue(1, 24)); err != nil || show(b.Batch(), 0) != "n=12" {
		t.Errorf("once the registry is back: %v", err)
	}
	reg.Close()
	if err := b.Add(ctx, 0, 2, 0, framedValue(1, 26)); err != nil || show(b.Batch(), 1) != "n=13" {
		t.Errorf("a schema that is known: %v", err)
	}
}

// TestRegistrySecrets sees to it that an error does not show the password of a registry's URL.
func TestRegistrySecrets(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer page.Close()
	for _, url := range []string{gone.URL, page.URL} {
		client := newClient(t, strings.Replace(url, "://", "://user:secret@", 1))
		_, err := client.Schema(context.Background(), 1)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	}
}

// countingRegistry counts what it is asked.
type countingRegistry struct {
	schemas
	mu    sync.Mutex
	asked map[int]int
}

func (r *countingRegistry) Schema(ctx context.Context, id int) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[id]++
	return r.schemas.Schema(ctx, id)
}

// TestConfluentAsksOnce counts the questions of builders that share a format, at the same time.
func TestConfluentAsksOnce(t *testing.T) {
	r := &countingRegistry{asked: map[int]int{}, schemas: schemas{
		1: record(`{"name":"n","type":"long"}`), 2: record(`{"name":"n","type":"int"}`),
	}}
	format := Confluent(r)
	warm := mustBuilder(t, &sample{}, format)
	add(t, warm, 0, framedValue(1, 2))
	add(t, warm, 1, framedValue(2, 2))
	var group sync.WaitGroup
	for range 4 {
		b := mustBuilder(t, &sample{}, format)
		group.Go(func() {
			for i := range 100 {
				if err := b.Add(context.Background(), 0, int64(i), 0, framedValue(uint32(1+i%2), 2)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if r.asked[1] != 1 || r.asked[2] != 1 {
		t.Errorf("asked %v", r.asked)
	}

	// That there is none is believed for a while, and then no longer.
	for i := range recheck {
		add(t, warm, int64(i), framedValue(3, 2))
	}
	if r.asked[3] != 1 {
		t.Errorf("asked %d times within %d records", r.asked[3], recheck)
	}
	r.schemas[3] = record(`{"name":"n","type":"long"}`)
	if got := decodeOne(t, warm, framedValue(3, 2)); got != "n=1" || r.asked[3] != 2 {
		t.Errorf("got %s, asked %d times", got, r.asked[3])
	}

	// Broken records with ids at random must not pile up.
	for i := range maxWriters + 100 {
		add(t, warm, int64(i), framedValue(uint32(1000+i), 2))
	}
	if n := len(warm.decoder.(*confluentDecoder).known); n > maxWriters {
		t.Errorf("%d ids are remembered", n)
	}
}
