package pipelinetest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Message is a record as a Kafka producer sends it.
type Message struct {
	Partition  int32
	Offset     int64
	Key, Value []byte // the key is nil where the record has none
	Stamp      time.Time
}

// Messages gives the records with JSON payloads. The payloads vary as producers do, by the offset: nulls are written or
// left out, whole numbers have a fraction of zero or none, and unknown fields appear. JSON has no NaN and no infinity: a log
// that holds one is refused.
func (l Log) Messages(src *pipeline.SourcePlan) ([]Message, error) {
	ms := make([]Message, len(l))
	for i := range l {
		r := &l[i]
		ms[i] = Message{Partition: r.Partition, Offset: r.Offset, Value: r.Raw, Stamp: time.UnixMicro(r.Stamp).UTC()}
		if r.Fault != "" {
			continue
		}
		if key := r.Values[src.Key]; !key.Null {
			ms[i].Key = []byte(key.S)
		}
		value, err := r.payload(src.Schema.Fields)
		if err != nil {
			return nil, fmt.Errorf("record %d/%d: %w", r.Partition, r.Offset, err)
		}
		ms[i].Value = value
	}
	return ms, nil
}

// Finite tells whether no float of the log is NaN or infinite, so that JSON can carry it.
func (l Log) Finite() bool {
	for i := range l {
		for _, v := range l[i].Values {
			if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
				return false
			}
		}
	}
	return true
}

// Dense numbers the records of each partition from 0 without gaps, as a broker does that knows no transactions.
func (l Log) Dense() Log {
	next := map[int32]int64{}
	dense := make(Log, len(l))
	for i, r := range l {
		r.Offset = next[r.Partition]
		next[r.Partition]++
		dense[i] = r
	}
	return dense
}

func (r *Record) payload(fields []schema.Field) ([]byte, error) {
	b := []byte{'{'}
	for c, f := range fields {
		v := r.Values[c]
		if v.Null && r.Offset%2 == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(strconv.AppendQuote(b, f.Name), ':')
		switch {
		case v.Null:
			b = append(b, "null"...)
		case f.Kind == schema.Float && (math.IsNaN(v.F) || math.IsInf(v.F, 0)):
			return nil, fmt.Errorf("column %s: JSON has no %v", f.Name, v.F)
		case f.Kind == schema.Int && r.Offset%3 == 2:
			b = append(strconv.AppendInt(b, v.I, 10), ".0"...)
		default:
			b = appendJSON(b, f.Kind, v)
		}
	}
	if r.Offset%5 == 4 {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"unknown":{"list":[1,{"x":"}"}],"none":null}`...)
	}
	return append(b, '}'), nil
}

func appendJSON(b []byte, kind schema.Kind, v expr.Datum) []byte {
	switch kind {
	case schema.Bool:
		return strconv.AppendBool(b, v.I != 0)
	case schema.Int:
		return strconv.AppendInt(b, v.I, 10)
	case schema.Float:
		return strconv.AppendFloat(b, v.F, 'g', -1, 64)
	case schema.Time:
		return strconv.AppendQuote(b, time.UnixMicro(v.I).UTC().Format(time.RFC3339Nano))
	}
	text, err := json.Marshal(v.S)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return append(b, text...)
}
