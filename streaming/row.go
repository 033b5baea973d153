package streaming

import (
	"math"
	"strconv"

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
	dst = schema.AppendJSONText(dst, rows.Keys.At(i))
	dst = append(dst, askTimeMember...)
	dst = schema.AppendJSONTime(dst, rows.AskTime[i])
	dst = append(dst, partitionMember...)
	dst = strconv.AppendInt(dst, int64(rows.Partition[i]), 10)
	dst = append(dst, offsetMember...)
	dst = strconv.AppendInt(dst, rows.Offset[i], 10)
	dst = append(dst, revisionMember...)
	dst = strconv.AppendInt(dst, int64(rows.Revision[i]), 10)
	dst = append(dst, w.plan...)
	for c := range rows.Columns {
		dst = append(dst, w.features[c]...)
		dst = rows.Columns[c].AppendJSON(dst, i)
	}
	return append(dst, '}')
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
