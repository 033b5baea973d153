package replay

import (
	"io"
	"strconv"
)

// The members that WriteJSONLines puts before those of the payload. A pipeline that does not declare them ignores them.
const (
	ArrivalField   = "arrival"
	PartitionField = "partition"
)

const arrivalLayout = "2006-01-02T15:04:05.000Z07:00"

// WriteJSONLines writes all records that are left, one a line, in the form that
//
//	load TOPIC FILE --timestamp-field arrival --partition-field partition
//
// sends, and gives the number of lines. Each line is the payload with the arrival and, if Options.Partitions is not 0, the
// partition as its first members. A truncated record is a line that is not valid JSON; it is meant to be sent as it is.
// As its two members come first, a loader can still read them; one that does not may give the line the arrival and the
// partition of the line after it, which always holds the same reading, intact.
//
// It stops at the first error of w, and gives it with the number of lines handed to w before.
func (r *Replay) WriteJSONLines(w io.Writer) (lines int64, err error) {
	const full = 64 << 10
	buf := make([]byte, 0, full+payloadRoom)
	var pending int64
	flush := func() error {
		if _, err := w.Write(buf); err != nil {
			return err
		}
		lines += pending
		buf, pending = buf[:0], 0
		return nil
	}
	for {
		rec, ok := r.Next()
		if !ok {
			return lines, flush()
		}
		buf = appendLine(buf, rec)
		pending++
		if len(buf) >= full {
			if err := flush(); err != nil {
				return lines, err
			}
		}
	}
}

// appendLine appends the line of one record. Every payload begins with a brace, the truncated ones too.
func appendLine(b []byte, rec Record) []byte {
	b = append(b, `{"`+ArrivalField+`":"`...)
	b = rec.Arrival.AppendFormat(b, arrivalLayout)
	b = append(b, '"', ',')
	if rec.Partition >= 0 {
		b = append(b, `"`+PartitionField+`":`...)
		b = strconv.AppendInt(b, int64(rec.Partition), 10)
		b = append(b, ',')
	}
	b = append(b, rec.Payload[1:]...)
	return append(b, '\n')
}
