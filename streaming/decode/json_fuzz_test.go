package decode

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// FuzzJSON compares what a value decodes to with what encoding/json makes of it. The two differ only in what the comment
// of JSON promises: UTF-8, nesting, members that stand twice, and what each column takes.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"b":true,"n":12,"small":-3,"f":0.5,"t":"Z\u00fcrich","at":"2026-01-02T03:04:05.678Z"}`,
		`{"x":{"a":[1,-2.5e+7,"\"}]",{"b":{}},[],null]},"n":1.2e1,"y":[[[]]]}`,
		`{"n":9223372036854775807,"f":"NaN","t":"\ud83c\udf89","at":1767323045000000}`,
		`{"n":null,"f":1e400,"t":"\ud800"}`, `{"n":1,"n":2}`, `{"f":-0.0000000000000000000000001e-300}`,
		`{"at":"1969-12-31T23:59:59.9999999+05:30"}`, `{"n":100000000000000000000e-5}`, "{\"t\":\"\xff\"}", `{"b":tru`,
	} {
		f.Add([]byte(seed))
	}
	fields := mustSchema(f, &sample{}).Fields
	f.Fuzz(func(t *testing.T, value []byte) {
		if value == nil {
			value = []byte{}
		}
		b := mustBuilder(t, &sample{}, JSON())
		// The same value behind others must come out the same.
		values := [][]byte{value, []byte(`{"t":"between","b":true}`), value}
		for row, v := range values {
			add(t, b, int64(row), v)
		}
		batch := b.Batch()
		for row, v := range values {
			checkRow(t, batch, row, v)
		}
		if first, last := show(batch, 0), show(batch, 2); first != last {
			t.Fatalf("first %s, then %s", first, last)
		}
		compareJSON(t, fields, batch, value)
	})
}

func compareJSON(t *testing.T, fields []schema.Field, batch arrow.RecordBatch, value []byte) {
	members, order, isObject := objectOf(value)
	flaws := batch.Column(len(fields) + 3).(*array.String)
	syntax := strings.HasPrefix(flaws.Value(0), "JSON, byte ")
	if valid := isObject && utf8.Valid(value); valid == syntax && !strings.HasSuffix(flaws.Value(0), "less nesting") {
		// A flaw of a column ends the reading, so that a broken rest may not have been seen.
		if valid || flaws.IsNull(0) {
			t.Fatalf("valid is %v, but the row is %s", valid, show(batch, 0))
		}
	}
	if !isObject || syntax {
		return
	}
	flawed := flaws.IsValid(0)
	twice, misfit := false, false
	for c, f := range fields {
		count := 0
		for _, name := range order {
			if name == f.Name {
				count++
			}
		}
		twice = twice || count > 1
		if count != 1 {
			continue
		}
		want, fits := expectedCell(f, members[f.Name])
		misfit = misfit || !fits
		got := "null"
		if a := batch.Column(c); a.IsValid(0) {
			got = cell(a, 0)
		}
		if !flawed && got != want {
			t.Fatalf("column %s is %s, want %s", f.Name, got, want)
		}
	}
	if utf8.Valid(value) && flawed != (twice || misfit) {
		t.Fatalf("twice %v, misfit %v, but the row is %s", twice, misfit, show(batch, 0))
	}
}

// objectOf is the members of the object that encoding/json finds, and their names in order.
func objectOf(value []byte) (members map[string]json.RawMessage, order []string, ok bool) {
	if !json.Valid(value) || json.Unmarshal(value, &members) != nil || members == nil {
		return nil, nil, false
	}
	d := json.NewDecoder(bytes.NewReader(value))
	_, _ = d.Token() // the brace
	for d.More() {
		name, err := d.Token()
		var skipped json.RawMessage
		if err != nil || d.Decode(&skipped) != nil {
			return nil, nil, false
		}
		order = append(order, name.(string))
	}
	return members, order, true
}

// expectedCell is what a column shows of a member's value, slowly; it is false when the column cannot hold it.
func expectedCell(f schema.Field, raw json.RawMessage) (string, bool) {
	text := string(raw)
	if text == "null" {
		return "null", true
	}
	switch first := text[0]; {
	case first == '"':
		return expectedOfText(f, raw)
	case f.Kind == schema.Bool && (text == "true" || text == "false"):
		return text, true
	case first != '-' && (first < '0' || first > '9'):
		return "", false
	}
	switch f.Kind {
	case schema.Float:
		v, err := strconv.ParseFloat(text, 64)
		return strconv.FormatFloat(v, 'g', -1, 64), err == nil
	case schema.Int:
		return expectedInteger(text, f.Min, f.Max)
	case schema.Time:
		return expectedInteger(text, minTime, maxTime)
	}
	return "", false
}

func expectedOfText(f schema.Field, raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	switch f.Kind {
	case schema.Text:
		// encoding/json replaces half a surrogate pair; what it replaced is found by allowing for those written out.
		written := strings.Count(string(raw), "�") + strings.Count(strings.ToLower(string(raw)), `\ufffd`)
		return strconv.Quote(s), strings.Count(s, "�") <= written
	case schema.Float:
		v := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}
		f, ok := v[s]
		return strconv.FormatFloat(f, 'g', -1, 64), ok
	case schema.Time:
		var at time.Time
		err := at.UnmarshalText([]byte(strings.ToUpper(s)))
		micros := schema.Micros(at)
		return strconv.FormatInt(micros, 10), err == nil && minTime <= micros && micros <= maxTime
	}
	return "", false
}

func expectedInteger(text string, lowest, highest int64) (string, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if e, err := strconv.Atoi(exponent); exponent != "" && (err != nil || e < -5000 || e > 5000) {
		zero := strings.Trim(mantissa, "-0.") == ""
		return "0", zero // far too great or far too small: no fuzzer writes so many zeros
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return "", false
	}
	v := r.Num().Int64()
	return strconv.FormatInt(v, 10), lowest <= v && v <= highest
}
