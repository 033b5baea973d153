package load

import (
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
)

// The routing fields of a record.
const (
	keyField = iota
	partitionField
	stampField
	routingFields
)

var fieldNames = [routingFields]string{keyField: "key", partitionField: "partition", stampField: "timestamp"}

// maxStamp is the last timestamp, in milliseconds, that the client can send: its nanoseconds fit an int64.
const maxStamp = math.MaxInt64 / 1_000_000

// route is where a record goes.
type route struct {
	key       []byte // nil: null
	partition int32
	stamp     int64 // milliseconds since 1970
}

// router finds the routes of records in their order.
type router struct {
	names      [routingFields]string
	partitions int32
	hash       kgo.TopicPartitioner
	clock      Clock
	oldest     int64 // milliseconds since 1970; what is older, the broker deletes at once
	last       route // of the record before
	keyed      kgo.Record
}

func newRouter(c *Config, t topic) *router {
	now := c.Clock.Now()
	r := &router{
		names:      c.names(),
		partitions: t.partitions,
		hash:       kgo.StickyKeyPartitioner(nil).ForTopic(c.Topic),
		clock:      c.Clock,
		last:       route{stamp: now.UnixMilli()},
	}
	if t.retention >= 0 {
		r.oldest = max(0, now.UnixMilli()-t.retention)
	}
	return r
}

// route finds a record's route. Its key is valid as long as the record is. The error has no place yet.
func (r *router) route(rec *record) (route, *fault.Error) {
	var to route
	key := rec.fields[keyField]
	if key.kind != tokenAbsent && key.kind != tokenNull {
		to.key = key.text
	}
	var err *fault.Error
	if to.partition, err = r.partition(rec, to.key); err != nil {
		return route{}, err
	}
	if to.stamp, err = r.stamp(rec); err != nil {
		return route{}, err
	}
	r.last = route{partition: to.partition, stamp: to.stamp}
	return to, nil
}

func (r *router) partition(rec *record, key []byte) (int32, *fault.Error) {
	if r.names[partitionField] != "" {
		p, err := r.recorded(rec.fields[partitionField])
		if err != nil && rec.cut {
			return r.last.partition, nil
		}
		return p, err
	}
	switch {
	case key != nil:
		r.keyed.Key = key
		return int32(r.hash.Partition(&r.keyed, int(r.partitions))), nil
	case rec.cut && rec.fields[keyField].kind == tokenAbsent:
		return r.last.partition, nil
	}
	return 0, nil
}

// recorded is the partition that the record names.
func (r *router) recorded(t token) (int32, *fault.Error) {
	var p int64
	ok := t.kind == tokenNumber || t.kind == tokenCell
	if ok {
		p, ok = parseWhole(t.text)
	}
	if !ok {
		return 0, r.fault(partitionField, t, "the number of a partition")
	}
	if p < 0 || p >= int64(r.partitions) {
		return 0, fault.New(r.thing(partitionField),
			fmt.Sprintf("is %d, and the topic has the partitions 0 to %d", p, r.partitions-1),
			"use a topic with more partitions, or let the keys choose")
	}
	return int32(p), nil
}

func (r *router) stamp(rec *record) (int64, *fault.Error) {
	if r.names[stampField] == "" {
		return r.clock.Now().UnixMilli(), nil
	}
	ms, err := r.recordedStamp(rec.fields[stampField])
	if err != nil && rec.cut {
		return r.last.stamp, nil
	}
	return ms, err
}

func (r *router) recordedStamp(t token) (int64, *fault.Error) {
	ms, ok := millis(t)
	switch {
	case !ok:
		return 0, r.fault(stampField, t, "an RFC 3339 time, or a whole number of microseconds since 1970")
	case ms < 0:
		return 0, fault.New(r.thing(stampField), fmt.Sprintf("is %s: Kafka takes no timestamp before 1970", written(ms)),
			"choose another timestamp field, or none; the event's own time may be older")
	case ms > maxStamp:
		return 0, fault.New(r.thing(stampField), fmt.Sprintf("is %s, which is further off than the client can send", written(ms)),
			"see whether it is in microseconds")
	case ms < r.oldest:
		return 0, fault.New(r.thing(stampField),
			fmt.Sprintf("is %s, which is older than the topic's retention.ms: the broker would delete the record", written(ms)),
			"set the topic's retention.ms to -1, or choose no timestamp field")
	}
	return ms, nil
}

// millis is a timestamp in milliseconds since 1970, floored.
func millis(t token) (int64, bool) {
	if t.kind == tokenNumber || t.kind == tokenCell {
		if us, ok := parseWhole(t.text); ok {
			ms := us / 1000
			if us%1000 < 0 {
				ms--
			}
			return ms, true
		}
	}
	if t.kind == tokenText || t.kind == tokenCell {
		at, ok := parseTime(t.text)
		return at.UnixMilli(), ok
	}
	return 0, false
}

func written(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }

func (r *router) thing(field int) string {
	return fmt.Sprintf("the %s field %q", fieldNames[field], r.names[field])
}

// fault says that the value of a routing field is not what it must be.
func (r *router) fault(field int, t token, expected string) *fault.Error {
	found := "is missing"
	switch t.kind {
	case tokenAbsent:
	case tokenNull:
		found = "is null"
	default:
		found = fmt.Sprintf("is %.60q", t.text)
	}
	return fault.New(r.thing(field), found,
		"every record needs "+expected+" there; correct it, or choose another field, or none")
}
