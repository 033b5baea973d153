package streaming

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/kernel"
)

// noteVersion is the form of notes. Notes of another are refused.
const noteVersion = 1

// note is what the group keeps beside each committed offset, as JSON in its metadata: the frontier of one partition (S8)
// with its account (S9). State that is rebuilt up to the offset must agree with all of it.
type note struct {
	Version    int    `json:"v"`
	Plan       string `json:"plan"`
	Partitions int32  `json:"partitions"` // of the source
	First      int64  `json:"first"`      // the offset at which the pipeline began
	Next       int64  `json:"next"`       // the committed offset
	Watermark  *int64 `json:"watermark"`  // µs; null: none yet
	Rows       int64  `json:"rows"`       // written so far
	Answers    int64  `json:"dead_answers"`
	Gap        int64  `json:"gap"`
	Dead       int64  `json:"dead"`
	Duplicate  int64  `json:"duplicate"`
	TooLate    int64  `json:"too_late"`
	Filtered   int64  `json:"filtered"`
	Late       int64  `json:"late"`
	OnTime     int64  `json:"on_time"`
}

// noteOf is the note that belongs to the state as it stands.
func noteOf(p *partition, plan string, partitions int32) note {
	a := p.task.Account()
	n := note{
		Version: noteVersion, Plan: plan, Partitions: partitions,
		First: a.First, Next: a.Next, Rows: p.written, Answers: p.deadAnswers, Gap: a.Gap,
		Dead: a.Counts[kernel.Dead], Duplicate: a.Counts[kernel.Duplicate], TooLate: a.Counts[kernel.TooLate],
		Filtered: a.Counts[kernel.Filtered], Late: a.Counts[kernel.Late], OnTime: a.Counts[kernel.OnTime],
	}
	if w, ok := p.task.Watermark(); ok {
		n.Watermark = &w
	}
	return n
}

// String is the note as metadata.
func (n note) String() string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // numbers and a string always have a JSON form
	}
	return string(text)
}

// readNote reads the metadata of a committed offset and holds it to what must be the same for ever.
func readNote(group string, partition int32, committed kadm.Offset, plan string, partitions int32) (note, error) {
	var n note
	offset := committed.At
	thing := fmt.Sprintf("consumer group %s, partition %d", group, partition)
	const mend = "delete the group to compute the pipeline's rows again from the start; they will stand there twice"
	if err := json.Unmarshal([]byte(committed.Metadata), &n); err != nil {
		return n, fault.Wrap(err, thing, fmt.Sprintf("its offset %d was not committed by spillway", offset), mend)
	}
	switch {
	case n.Version != noteVersion:
		return n, fault.New(thing, fmt.Sprintf("its note has version %d, and this is %d", n.Version, noteVersion),
			"run the version of spillway that wrote it")
	case n.Plan != plan || n.Next != offset:
		return n, fault.New(thing,
			fmt.Sprintf("its offset %d has the note of offset %d and plan %.12s", offset, n.Next, n.Plan), mend)
	case n.Partitions != partitions:
		return n, grown(thing, n.Partitions, partitions)
	}
	return n, nil
}

// grown refuses a source that has other partitions than it had: a key would live in two of them (S1).
func grown(thing string, had, has int32) error {
	return fault.New(thing, fmt.Sprintf("the source had %d partitions, and now has %d", had, has),
		"make a topic with that many partitions, copy the records into it by key, and define the pipeline on it")
}

// verify holds the state that was rebuilt up to the note's offset to the note. A difference means that the records, or
// what was computed from them, are not what they were, and that rows to come would not continue those that are there.
func (n note) verify(p *partition) error {
	if now := noteOf(p, n.Plan, n.Partitions); now.String() != n.String() {
		return fault.New(fmt.Sprintf("partition %d, rebuilt up to offset %d", p.num, n.Next),
			fmt.Sprintf("differs from what was committed: now %s, then %s", now, n),
			"see whether the source was compacted or rewritten, or a function that the plan calls has changed under its name")
	}
	return nil
}
