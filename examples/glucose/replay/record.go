package replay

import (
	"strconv"
	"time"
)

// Record is one record as it reaches the broker.
type Record struct {
	Key       []byte    // The subject, or nil for the null key of a broken record. Shared by records: not to be changed.
	Event     time.Time // When the reading was taken, also where a broken payload says otherwise.
	Arrival   time.Time // When it reaches the broker, to the millisecond: the record's Kafka timestamp. Never before Event.
	Partition int32     // The person's partition, or -1 when Options.Partitions is 0.
	Payload   []byte    // The JSON object, or what is left of it. The caller may keep it.
	Kind      Kind      // What the model did; a consumer does not see it.
}

// Kind says how a record came about. Each reading has exactly one record of the kinds Direct, Held and HeldNewestFirst;
// all others are extra.
type Kind uint8

// The kinds of records.
const (
	Direct          Kind = iota // Sent when it was taken.
	Held                        // Kept during an outage and sent oldest first when the phone came back.
	HeldNewestFirst             // Kept during an outage and sent newest first.
	Retry                       // A second copy some seconds after a direct record.
	Resync                      // A second copy of a reading from before an outage, sent after it.
	Truncated                   // Broken: the JSON is cut off in the middle.
	TextGlucose                 // Broken: the glucose is the text "LOW".
	NullSubject                 // Broken: the subject and the key are null.
	FarFuture                   // Broken: the time lies in the year 2099.

	kinds = int(FarFuture) + 1
)

var kindNames = [kinds]string{
	"direct", "held", "held-newest-first", "retry", "resync", "truncated", "text-glucose", "null-subject", "far-future",
}

// String gives the kind's name, in lower case with hyphens.
func (k Kind) String() string {
	if int(k) < kinds {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Duplicate says whether the record repeats another that arrives before it.
func (k Kind) Duplicate() bool { return k == Retry || k == Resync }

// Broken says whether a consumer has to refuse the record.
func (k Kind) Broken() bool { return k >= Truncated && int(k) < kinds }

// brokenKinds is the number of kinds from Truncated on.
const brokenKinds = kinds - int(Truncated)

// appendPayload appends the JSON of one record. The texts are plain (readSeries has seen to it), so nothing is escaped.
func (p *person) appendPayload(b []byte, s shipment) []byte {
	start := len(b)
	b = append(b, `{"id":"`...)
	b = p.appendID(b, int(s.reading))
	if s.kind == NullSubject {
		b = append(b, `","subject":null,"at":"`...)
	} else {
		b = append(b, `","subject":"`...)
		b = append(b, p.subject...)
		b = append(b, `","at":"`...)
	}
	at := time.UnixMilli(p.at(int(s.reading))).UTC()
	if s.kind == FarFuture {
		at = at.AddDate(2099-at.Year(), 0, 0)
	}
	b = at.AppendFormat(b, time.RFC3339)
	b = append(b, `","glucose":`...)
	if s.kind == TextGlucose {
		b = append(b, `"LOW"`...)
	} else {
		b = strconv.AppendInt(b, int64(p.series.readings[s.reading].glucose), 10)
	}
	b = append(b, `,"diagnosis":"`...)
	b = append(b, p.series.diagnosis...)
	b = append(b, `"}`...)
	if s.kind == Truncated {
		b = b[:start+(len(b)-start)/2]
	}
	return b
}

// appendID appends the subject, a hyphen and the number of the reading, counted from 1, in at least six digits.
func (p *person) appendID(b []byte, reading int) []byte {
	b = append(b, p.subject...)
	b = append(b, '-')
	number := reading + 1
	for floor := 100_000; floor > number; floor /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(number), 10)
}
