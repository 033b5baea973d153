package load

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

var routed = [routingFields]string{keyField: "k", partitionField: "p", stampField: "at"}

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		line string
		want string // the fields, and the fault
	}{
		{`{}`, ``},
		{` { "k" : "a" , "p" : 1 , "at" : null } `, `k=text:a p=number:1 at=null:null`},
		{`{"k":"a","k":"b"}`, `k=text:a`},
		{`{"x":{"k":"no"},"y":["k",{"p":1}],"k":{"a":[1]}}`, `k=other:{"a":[1]}`},
		{`{"\u006b":"\"\\\/\b\f\n\r\t\u00e9\ud834\udd1e"}`, "k=text:\"\\/\b\f\n\r\té𝄞"},
		{`{"\ud800":1,"k":true,"at":-0.5e+7}`, `k=other:true at=number:-0.5e+7`},
		{`{"k":"\ud800","p":1}`, `; byte 5: expected a text without half a surrogate pair`},
		{`{"k":"a","p":12`, `k=text:a; byte 15: expected ',' or '}'`},
		{`{"k":"a","p":12 `, `k=text:a; byte 16: expected ',' or '}'`},
		{`{"k":"a","p":12,`, `k=text:a p=number:12; byte 16: expected a member's name`},
		{`{"p":12x}`, `; byte 7: expected ',' or '}'`},
		{`{"k":"a"`, `k=text:a; byte 8: expected ',' or '}'`},
		{`{"k":"a`, `; byte 7: expected the end of the text`},
		{`{"k":null`, `; byte 9: expected ',' or '}'`},
		{`{"k":nul`, `; byte 5: expected null`},
		{`{"k":"a"} {`, `k=text:a; byte 10: expected nothing behind the object`},
		{`{"k":"a",}`, `k=text:a; byte 9: expected a member's name`},
		{`{"k":"a" "p":1}`, `k=text:a; byte 9: expected ',' or '}'`},
		{`{"k" "a"}`, `; byte 5: expected ':'`},
		{`{"k":}`, `; byte 5: expected a value`},
		{`{"k":`, `; byte 5: expected a value`},
		{`{"p":01}`, `; byte 6: expected a number`},
		{`{"p":-}`, `; byte 6: expected a number`},
		{`{"p":1.}`, `; byte 7: expected a number`},
		{`{"p":1e}`, `; byte 7: expected a number`},
		{"{\"k\":\"\x1f\"}", `; byte 6: expected no control character`},
		{"{\"k\":\"\xc3\x28\"}", `; byte 6: expected UTF-8`},
		{`{"k":"\x"}`, `; byte 6: expected an escape`},
		{`{"k":"\u12g4"}`, `; byte 6: expected an escape`},
		{`["k"]`, `; byte 0: expected an object`},
		{`[1 2]`, `; byte 0: expected an object`},
		{`{"x":[1 2]}`, `; byte 8: expected ',' or ']'`},
		{`  `, `; byte 2: expected an object`},
		{`{"x":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + `}`, ``},
		{`{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, `; byte 1004: expected less nesting`},
		{strings.Repeat(`{"x":`, 1001), `; byte 5000: expected less nesting`},
	} {
		s := scanner{names: routed}
		ok := s.object([]byte(tt.line))
		var have []string
		for f, token := range s.fields {
			if token.kind != tokenAbsent {
				kind := [...]string{tokenNull: "null", tokenText: "text", tokenNumber: "number", tokenOther: "other"}[token.kind]
				have = append(have, fmt.Sprintf("%s=%s:%s", routed[f], kind, token.text))
			}
		}
		got := strings.Join(have, " ")
		if !ok {
			got += fmt.Sprintf("; byte %d: expected %s", s.at, s.expected)
		}
		if got != tt.want {
			t.Errorf("%.60s\nhave %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// FuzzRoute holds the scanner to encoding/json, and finds a route for every line that is no valid object.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		`{"k":"a","p":1,"at":"2026-01-01T00:00:00Z"}`, `{"k":"\u00e9\ud834\udd1e","p":-1}`, `{"at":1e15,"k":nul`, `{"k":[{}]`, "\xff", `{"p":99,`, `{"at":-1,"p":1.0`,
	} {
		f.Add([]byte(seed))
	}
	c := Config{Topic: "t", KeyField: "k", PartitionField: "p", TimestampField: "at", Clock: newManualClock()}
	c.KeyField, c.PartitionField, c.TimestampField = routed[keyField], routed[partitionField], routed[stampField]
	f.Fuzz(func(t *testing.T, line []byte) {
		s := scanner{names: routed}
		ok := s.object(line)
		object := bytes.HasPrefix(bytes.TrimLeft(line, " \t\r\n"), []byte{'{'})
		valid := object && json.Valid(line) && utf8.Valid(line)
		half := s.expected == "a text without half a surrogate pair"
		deep := s.expected == "less nesting"
		if ok != valid && !half && !deep {
			t.Fatalf("%q: valid is %v, encoding/json says %v", line, ok, valid)
		}
		if ok {
			agree(t, line, &s)
		}
		r := newRouter(&c, topic{partitions: 3, retention: -1})
		r.last = route{partition: 2, stamp: 7}
		to, err := r.route(&record{value: line, fields: s.fields, malformed: !ok, cut: !ok})
		if err != nil && (!ok || err.Remedy == "") {
			t.Fatalf("%q: %v", line, err)
		}
		if err == nil && (to.partition < 0 || to.partition > 2 || to.stamp < 0 || to.stamp > maxStamp) {
			t.Fatalf("%q goes to %+v", line, to)
		}
		if !ok && s.fields[partitionField].kind == tokenAbsent && to.partition != 2 || !ok && s.fields[stampField].kind == tokenAbsent && to.stamp != 7 {
			t.Fatalf("%q goes to %+v, not after the line before", line, to)
		}
	})
}

// agree compares the routing fields with what encoding/json reads.
func agree(t *testing.T, line []byte, s *scanner) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(line))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		for f := range routed {
			if routed[f] != name || seen[routed[f]] {
				continue
			}
			seen[routed[f]] = true
			got := s.fields[f]
			want := string(value)
			if got.kind == tokenText {
				if err := json.Unmarshal(value, &want); err != nil {
					t.Fatal(err)
				}
			}
			if string(got.text) != want || (got.kind == tokenText) != (value[0] == '"') || (got.kind == tokenNull) != (want == "null" && value[0] == 'n') {
				t.Fatalf("%q: %s is %q, encoding/json says %q", line, routed[f], got.text, want)
			}
		}
	}
	for f := range routed {
		if !seen[routed[f]] && s.fields[f].kind != tokenAbsent {
			t.Fatalf("%q: %s is no member", line, routed[f])
		}
	}
}

func TestCompressed(t *testing.T) {
	text := strings.Repeat(`{"k":"a","p":1}`+"\n", 100_000) + `{"k":"last"}`
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	io.WriteString(gz, text[:1000])
	gz.Close()
	gz.Reset(&packed) // a second member, as cat makes them
	io.WriteString(gz, text[1000:])
	gz.Close()
	zw, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	unpacked := string(zw.EncodeAll([]byte(text[1000:]), zw.EncodeAll([]byte(text[:1000]), nil)))

	count := func(path string) (n int, err error) {
		src, err := open(path, routed, nil)
		if err != nil {
			return 0, err
		}
		defer src.close()
		var r record
		for ; err == nil; n++ {
			err = src.next(&r)
		}
		if err == io.EOF {
			err = nil
		}
		return n - 1, err
	}
	for name, content := range map[string]string{"f.jsonl": text, "f.jsonl.gz": packed.String(), "F.JSONL.ZST": unpacked, "empty.jsonl": ""} {
		want := 100_001
		if content == "" {
			want = 0
		}
		if n, err := count(write(t, name, content)); err != nil || n != want {
			t.Errorf("%s: %d records, %v", name, n, err)
		}
	}
	for _, tt := range []struct{ name, content, want string }{
		{"f.jsonl.gz", "", "f.jsonl.gz: cannot be read (EOF); see that it is whole, and what its name says it is"},
		{"f.jsonl.gz", text, "f.jsonl.gz: cannot be read (gzip: invalid header)"},
		{"f.csv.zst", text, "f.csv.zst: cannot be read (invalid input: magic number mismatch)"},
		{"f.jsonl.gz", packed.String()[:packed.Len()/2], "f.jsonl.gz: cannot be read beyond line "},
		{"f.jsonl.zst", unpacked[:len(unpacked)-3], "f.jsonl.zst: cannot be read"},
		{"f.jsonl", `{"k":1}` + "\n" + strings.Repeat("x", maxRecord+1), "f.jsonl:2: record: is longer than 16 MiB; split it"},
	} {
		path := write(t, tt.name, tt.content)
		_, err := count(path)
		wantError(t, err, strings.Replace(tt.want, tt.name, path, 1))
	}
}

// TestLongLine has a line that is longer than every buffer, and the broker's limit raised to it.
func TestLongLine(t *testing.T) {
	cluster, client := broker(t)
	if err := cluster.CreateTopic("t", 1, map[string]string{"max.message.bytes": "4000000"}); err != nil {
		t.Fatal(err)
	}
	long := `{"k":"a","long":"` + strings.Repeat("x", 3_000_000) + `"}`
	file := write(t, "f.jsonl", long+"\n"+`{"k":"b"}`)
	if _, err := Run(t.Context(), Config{Client: client, Topic: "t", Files: []string{file}, KeyField: "k"}); err != nil {
		t.Fatal(err)
	}
	got := consume(t, client, "t", 2)[0]
	if string(got[0].Value) != long || string(got[1].Value) != `{"k":"b"}` {
		t.Errorf("%d bytes and %s arrived", len(got[0].Value), got[1].Value)
	}
	// A topic that is created takes what its broker takes, which is more than the client does by itself.
	file = write(t, "g.jsonl", `{"k":"a","long":"`+strings.Repeat("x", 1_040_000)+`"}`)
	if _, err := Run(t.Context(), Config{Client: client, Topic: "u", Files: []string{file}, KeyField: "k"}); err != nil {
		t.Fatal(err)
	}
}
