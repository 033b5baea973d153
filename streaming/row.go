package streaming

import (
	"math"
	"strconv"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// rowNames are the members of a row before its features; the first is the key, which has its own name.
var rowNames = [...]string{"", "ask_time", "partition", "offset", "revision", "plan"}

// rowWriter writes rows as JSON objects, one a row, with the members always in the same order: the key, ask_time, partition,
// offset, revision, plan, then the live features. Times are RFC 3339 in UTC with six digits of a second. Floats are the
// shortest text that reads back to the same bits; NaN and the infinities, which JSON cannot write, are the texts "NaN",
// "Infinity" and "-Infinity". What is null is null.
type rowWriter struct {
	key      string   // {"card":
	plan     string   // ,"plan":"0123456789ab"
	features []string // ,"count_5m":
}

// The members between the key and the plan.
const (
	askTimeMember   = `,"ask_time":`
	partitionMember = `,"partition":`
	offsetMember    = `,"offset":`
	revisionMember  = `,"revision":`
	planMember      = `,"plan":"`
)

func newRowWriter(plan *pipeline.Plan) *rowWriter {
	w := &rowWriter{key: "{" + strconv.Quote(plan.KeyName) + ":", plan: planMember + planMark(plan) + `"`}
	for _, f := range plan.Features {
		if f.Live() {
			w.features = append(w.features, ","+strconv.Quote(f.Name)+":")
		}
	}
	return w
}

// append appends row i.
func (w *rowWriter) append(dst []byte, rows *kernel.Rows, i int) []byte {
	dst = append(dst, w.key...)
	dst = appendText(dst, rows.Keys.At(i))
	dst = append(dst, askTimeMember...)
	dst = appendTime(dst, rows.AskTime[i])
	dst = append(dst, partitionMember...)
	dst = strconv.AppendInt(dst, int64(rows.Partition[i]), 10)
	dst = append(dst, offsetMember...)
	dst = strconv.AppendInt(dst, rows.Offset[i], 10)
	dst = append(dst, revisionMember...)
	dst = strconv.AppendInt(dst, int64(rows.Revision[i]), 10)
	dst = append(dst, w.plan...)
	for c := range rows.Columns {
		dst = append(dst, w.features[c]...)
		dst = appendValue(dst, &rows.Columns[c], i)
	}
	return append(dst, '}')
}

func appendValue(dst []byte, c *kernel.Column, i int) []byte {
	if !c.Valid[i] {
		return append(dst, "null"...)
	}
	switch c.Kind {
	case schema.Bool:
		return strconv.AppendBool(dst, c.I[i] != 0)
	case schema.Int:
		return strconv.AppendInt(dst, c.I[i], 10)
	case schema.Float:
		return appendFloat(dst, c.F[i])
	case schema.Time:
		return appendTime(dst, c.I[i])
	}
	return appendText(dst, c.S.At(i))
}

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

// appendTime appends "2026-01-01T00:00:00.000000Z". Years are 0 to 9999: the kernel admits no event outside 1 to 9999.
func appendTime(dst []byte, us int64) []byte {
	days := us / microsPerDay
	us -= days * microsPerDay
	if us < 0 {
		days, us = days-1, us+microsPerDay
	}
	year, month, day := civil(days)
	dst = append(dst, '"')
	dst = appendPadded(dst, year, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, month, 2)
	dst = append(dst, '-')
	dst = appendPadded(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendPadded(dst, us/3_600_000_000, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, us/60_000_000%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, us/1_000_000%60, 2)
	dst = append(dst, '.')
	dst = appendPadded(dst, us%1_000_000, 6)
	return append(dst, 'Z', '"')
}

// civil is the date of a day counted from 1970-01-01.
func civil(days int64) (year, month, day int64) {
	t := time.Unix(days*24*60*60, 0).UTC()
	y, m, d := t.Date()
	return int64(y), int64(m), int64(d)
}

func appendPadded(dst []byte, v int64, width int) []byte {
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; v > 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// appendText appends the text as a JSON string. Texts are UTF-8: what is not was dead-lettered when it was decoded.
func appendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i, b := range text {
		if b >= ' ' && b != '"' && b != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// rowSchema is the columns of a row as they are read back.
func rowSchema(plan *pipeline.Plan) *schema.Schema {
	whole := func(name string) schema.Field {
		return schema.Field{Name: name, Kind: schema.Int, Min: math.MinInt64, Max: math.MaxInt64}
	}
	small := func(name string) schema.Field {
		return schema.Field{Name: name, Kind: schema.Int, Min: 0, Max: math.MaxInt32}
	}
	s := &schema.Schema{Name: plan.RowName, Fields: []schema.Field{
		{Name: plan.KeyName, Kind: schema.Text, Role: schema.Key},
		{Name: rowNames[1], Kind: schema.Time, Role: schema.EventTime},
		small(rowNames[2]), whole(rowNames[3]), small(rowNames[4]),
		{Name: rowNames[5], Kind: schema.Text},
	}}
	for _, f := range plan.Features {
		if f.Live() {
			s.Fields = append(s.Fields, schema.Field{
				Name: f.Name, Kind: f.Kind, Nullable: f.Nullable, Min: math.MinInt64, Max: math.MaxInt64,
			})
		}
	}
	return s
}
