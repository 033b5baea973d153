package streaming_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/conformance"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

// TestConformance holds the stream, broker included, to the suite that every engine passes. Where a question says restart,
// another process goes on.
func TestConformance(t *testing.T) {
	e := conformance.Engine{
		Name: "stream", Reading: pipelinetest.AsServed, Costly: true, JSON: true, Dense: true, Restarts: true,
		Answer: func(q *conformance.Question) (*conformance.Answers, error) { return answer(t.Context(), q) },
	}
	if os.Getenv("SPILLWAY_QUESTIONS") == "" {
		t.Setenv("SPILLWAY_QUESTIONS", "5000") // Each log needs a broker, and a process or more; a million takes a minute of CPU.
	}
	conformance.Run(t, e)
}

// answer asks a stream with a broker of its own.
func answer(ctx context.Context, q *conformance.Question) (*conformance.Answers, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	partitions := int32(1)
	for _, n := range q.Log.Partitions() {
		partitions = max(partitions, n+1)
	}
	if err := cluster.CreateTopic(q.Plan.Source.Name, partitions, nil); err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	cfg := streaming.Config{
		Source: streaming.Source{
			Plan: q.Plan, Format: decode.JSON(), Patience: patience, Monitor: &streaming.Monitor{}, UntilEnd: true,
			Client: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DisableClientMetrics()},
		},
		CommitEvery: time.Millisecond,
	}
	pending := 0
	for _, part := range append(q.Parts(), conformance.Part{Restart: true}) {
		if part.Restart && pending > 0 {
			pending = 0
			if err := streaming.Run(ctx, cfg); err != nil {
				return nil, err
			}
		}
		ms, err := part.Log.Messages(&q.Plan.Source)
		if err != nil {
			return nil, err
		}
		var recs []*kgo.Record
		for _, m := range ms {
			recs = append(recs, &kgo.Record{Topic: q.Plan.Source.Name, Partition: m.Partition, Key: m.Key, Value: m.Value, Timestamp: m.Stamp})
		}
		if err := client.ProduceSync(ctx, recs...).FirstErr(); err != nil {
			return nil, err
		}
		pending += len(recs)
	}
	return collect(ctx, q, cfg)
}

// collect reads what the stream left behind.
func collect(ctx context.Context, q *conformance.Question, cfg streaming.Config) (*conformance.Answers, error) {
	a := &conformance.Answers{Accounts: map[int32]pipelinetest.Account{}}
	if len(q.Log) == 0 {
		return a, nil
	}
	err := streaming.ReadRows(ctx, cfg.Source, func(rows *kernel.Rows) error {
		for i := range rows.Len() {
			a.Rows = append(a.Rows, datums(rows, i))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	dead, err := deadAnswers(ctx, streaming.DeadTopic(q.Plan.Name), cfg.Client)
	if err != nil {
		return nil, err
	}
	a.Rows = append(a.Rows, dead...)
	committed, err := streaming.Committed(ctx, cfg.Source)
	if err != nil {
		return nil, err
	}
	for n, f := range committed {
		a.Accounts[n] = pipelinetest.Account{First: f.Account.First, Next: f.Account.Next, Gap: f.Account.Gap, Counts: f.Account.Counts}
	}
	return a, nil
}

func datums(rows *kernel.Rows, i int) pipelinetest.Row {
	row := pipelinetest.Row{
		Key: string(rows.Keys.At(i)), AskTime: rows.AskTime[i], Partition: rows.Partition[i],
		Offset: rows.Offset[i], Revision: rows.Revision[i],
	}
	for c := range rows.Columns {
		col := &rows.Columns[c]
		d := expr.Datum{Null: !col.Valid[i]}
		switch {
		case d.Null:
		case col.Kind == schema.Float:
			d.F = col.F[i]
		case col.Kind == schema.Text:
			d.S = string(col.S.At(i))
		default:
			d.I = col.I[i]
		}
		row.Values = append(row.Values, d)
	}
	return row
}

// deadAnswers are the rows that were withheld, as the letters tell.
func deadAnswers(ctx context.Context, topic string, opts []kgo.Opt) (rows []pipelinetest.Row, err error) {
	client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	left := map[int32]bool{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = true
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if end, _ := ends.Lookup(topic, r.Partition); r.Offset+1 >= end.Offset {
				delete(left, r.Partition)
			}
			h := headers(r)
			if h[streaming.ClassHeader] != streaming.AnswerClass {
				return
			}
			number := func(name string) int64 {
				n, e := strconv.ParseInt(h[name], 10, 64)
				if e != nil {
					err = fmt.Errorf("header %s: %w", name, e)
				}
				return n
			}
			rows = append(rows, pipelinetest.Row{
				Key: h[streaming.EntityHeader], AskTime: number(streaming.AskTimeHeader), Partition: r.Partition,
				Offset: number(streaming.OffsetHeader), Revision: int32(number(streaming.RevisionHeader)), Dead: true,
			})
		})
	}
	return rows, err
}
