package streaming

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// The headers of dead letters. They stand behind those that the record had itself.
const (
	ReasonHeader    = "spillway.reason"    // why, in words
	ClassHeader     = "spillway.class"     // a kernel.Class, or AnswerClass
	PipelineHeader  = "spillway.pipeline"  // who says so
	PlanHeader      = "spillway.plan"      // the plan's hash
	TopicHeader     = "spillway.topic"     // where the record stood: the topic,
	PartitionHeader = "spillway.partition" // the partition
	OffsetHeader    = "spillway.offset"    // and the offset
	TimestampHeader = "spillway.timestamp" // the record's Kafka timestamp, in ms since 1970
	LeftOutHeader   = "spillway.left_out"  // what was too long to be repeated: "value", or "key, headers, value"
	EntityHeader    = "spillway.entity"    // of a dead answer: its key,
	AskTimeHeader   = "spillway.ask_time"  // its time, in µs since 1970
	RevisionHeader  = "spillway.revision"  // and its revision
)

// AnswerClass is the class of dead letters that are no invalid records but answers that did not fit their field.
const AnswerClass = "answer"

// answers writes what the chunks of one partition gave: rows and letters.
type answers struct {
	emitter
	rows      *rowWriter
	plan      *pipeline.Plan
	source    string
	maxLetter int // bytes of a record that is repeated in a letter
}

// write sends the rows and letters of the partition's last chunk. Each has the timestamp of the record that caused it.
func (a *answers) write(ctx context.Context, p *partition) {
	at := 0
	for i := range p.rows.Len() {
		for p.recs[at].Offset < p.rows.Offset[i] {
			at++
		}
		text := a.text()
		begin := len(text)
		text = append(text, p.rows.Keys.At(i)...)
		value := len(text)
		a.send(ctx, a.rows.append(text, p.rows, i), begin, value, stampOf(p.recs[at]))
	}
	// Letters of both kinds come in the order of the records, however these were cut into chunks.
	letters, dead := p.task.Letters(), p.task.DeadAnswers()
	for at = 0; len(letters)+len(dead) > 0; at++ {
		r := p.recs[at]
		for len(letters) > 0 && letters[0].Row == at {
			a.out.send(ctx, a.letter(r, letters[0].Class.String(), letters[0].Reason))
			letters = letters[1:]
		}
		for len(dead) > 0 && dead[0].Offset == r.Offset {
			a.out.send(ctx, a.deadAnswer(r, &dead[0]))
			dead = dead[1:]
		}
	}
}

// stampOf is the timestamp for what a record causes. Kafka refuses negative ones, which records of its oldest format have
// that carry none.
func stampOf(r *kgo.Record) time.Time {
	if r.Timestamp.UnixMilli() < 0 {
		return time.UnixMilli(0)
	}
	return r.Timestamp
}

// letter repeats the record and says why. A record that is near the limit of the source does not fit beside the headers. The
// coordinates still lead to it, and one record must not stop the pipeline.
func (a *answers) letter(r *kgo.Record, class, reason string) *kgo.Record {
	letter := &kgo.Record{
		Topic: DeadTopic(a.plan.Name), Partition: a.partition, Timestamp: stampOf(r), Key: r.Key, Value: r.Value,
	}
	leftOut, frame := "", len(r.Key)
	for _, h := range r.Headers {
		frame += len(h.Key) + len(h.Value) + headerRoom
	}
	if frame+len(r.Value) > a.maxLetter {
		leftOut, letter.Value = "value", nil
	}
	if frame > a.maxLetter {
		leftOut, letter.Key = "key, headers, value", nil
	} else {
		letter.Headers = slices.Clip(r.Headers)
	}
	header := func(name, value string) {
		letter.Headers = append(letter.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	header(ReasonHeader, reason)
	header(ClassHeader, class)
	header(PipelineHeader, a.plan.Name)
	header(PlanHeader, a.plan.Hash())
	header(TopicHeader, a.source)
	header(PartitionHeader, strconv.Itoa(int(r.Partition)))
	header(OffsetHeader, strconv.FormatInt(r.Offset, 10))
	header(TimestampHeader, strconv.FormatInt(r.Timestamp.UnixMilli(), 10))
	if leftOut != "" {
		header(LeftOutHeader, leftOut)
	}
	return letter
}

func (a *answers) deadAnswer(r *kgo.Record, d *kernel.DeadAnswer) *kgo.Record {
	letter := a.letter(r, AnswerClass, fmt.Sprintf("feature %q: %s", d.Feature, d.Reason))
	letter.Headers = append(letter.Headers,
		kgo.RecordHeader{Key: EntityHeader, Value: []byte(d.Key)},
		kgo.RecordHeader{Key: AskTimeHeader, Value: strconv.AppendInt(nil, d.AskTime, 10)},
		kgo.RecordHeader{Key: RevisionHeader, Value: strconv.AppendInt(nil, int64(d.Revision), 10)})
	return letter
}
