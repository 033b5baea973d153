package streaming

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/decode"
	"github.com/spillway-go/spillway/streaming/kafka"
)

// The defaults of ArchiveConfig.
const (
	DefaultArchiveEvery = 10 * time.Second
	DefaultArchiveBytes = 128 << 20
)

// ArchiveConfig is what Archive is told.
type ArchiveConfig struct {
	Source
	// Every is how long records wait at most before they are committed. 0 is DefaultArchiveEvery.
	Every time.Duration
	// Bytes is how much, as the broker holds it, is gathered at most before it is committed. 0 is DefaultArchiveBytes.
	Bytes int64
	// Committed is told of each commit: how many records it added. nil is not told.
	Committed func(records int64)
}

// History is where a topic is archived: a log of records whose appends are atomic and say where they begin and end.
type History interface {
	// Frontier is the offset of the next record of each partition that was begun.
	Frontier(ctx context.Context) (map[int32]int64, error)
	// Append commits the records between two frontiers, all or none. From is where the history stands.
	Append(ctx context.Context, from, to map[int32]int64, batches []arrow.RecordBatch) error
}

// Archive copies the source into a history until ctx ends, which is no error: what was read is committed first. It begins
// where the history stands. Records that cannot be decoded are kept as their bytes, with the reason. With UntilEnd it ends
// when all that stood in the topic at the start is committed.
//
// A history stays whole only if nothing is missing below its frontier: when the broker no longer has the record at it,
// Archive refuses to go on.
func Archive(ctx context.Context, cfg ArchiveConfig, into History) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	if err := duration("Every", &cfg.Every, DefaultArchiveEvery); err != nil {
		return err
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = DefaultArchiveBytes
	}
	a := &archiver{ArchiveConfig: cfg, into: into, parts: map[int32]*archived{}}
	client, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	return a.run(ctx, client)
}

// archiver is one Archive at work.
type archiver struct {
	ArchiveConfig
	into    History
	spans   []span
	parts   map[int32]*archived
	batches []arrow.RecordBatch
	from    map[int32]int64
	rows    int64
	bytes   int64
	due     time.Time // when what has been read is to be committed
	heard   time.Time // when something last came of the brokers
	admin   *kadm.Client
}

// anotherTable is the remedy for records that were deleted before they were archived.
const anotherTable = "keep the source for longer (retention.ms, retention.bytes), " +
	"and archive what is left into another warehouse: this history would have a hole"

// archived is one partition: how far it was read, and what turns its records into columns.
type archived struct {
	next    int64
	builder *decode.Builder
}

// open finds where each partition is to be read from, and opens a client that does.
func (a *archiver) open(ctx context.Context) (*kgo.Client, error) {
	admin, err := a.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if a.spans, err = a.Source.spans(ctx, kadm.NewClient(admin)); err != nil {
		return nil, err
	}
	if a.from, err = a.into.Frontier(ctx); err != nil {
		return nil, err
	}
	if a.from == nil {
		a.from = map[int32]int64{}
	}
	offsets := map[int32]kgo.Offset{}
	for num, s := range a.spans {
		p := int32(num)
		next, begun := a.from[p]
		if !begun {
			next = s.first
			a.from[p] = next
		}
		if next < s.first {
			return nil, retentionLost(a.Topic, p, next, s.first, anotherTable)
		}
		b, err := decode.NewBuilder(a.Plan.Source.Schema, a.Format)
		if err != nil {
			return nil, err
		}
		a.parts[p] = &archived{next: next, builder: b}
		offsets[p] = kgo.NewOffset().At(next)
	}
	return a.connect(ctx, append(a.readOptions(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{a.Topic: offsets}))...)
}

func (a *archiver) run(ctx context.Context, client *kgo.Client) error {
	a.admin = kadm.NewClient(client)
	a.heard = a.Clock.Now()
	a.due = a.heard.Add(a.Every)
	for !a.reached() {
		if err := a.step(ctx, client); ctx.Err() != nil {
			break
		} else if err != nil {
			return err
		}
	}
	// The last commit is made whether or not ctx has ended: what was read need not be read again.
	return a.commit(context.WithoutCancel(ctx))
}

// step reads what there is, and commits it if it is time.
func (a *archiver) step(ctx context.Context, client *kgo.Client) error {
	fetches, err := a.poll(ctx, client, a.due.Sub(a.Clock.Now()))
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return fault.Wrap(err, fmt.Sprintf("topic %q", a.Topic),
			"retention lost below the frontier: the broker deleted records before they were archived", anotherTable)
	}
	if err == nil {
		err = a.take(ctx, fetches)
	}
	if err == nil {
		err = a.listen(ctx, client, fetches.NumRecords())
	}
	if err != nil || a.bytes < a.Bytes && a.Clock.Now().Before(a.due) {
		return err
	}
	if err := a.commit(ctx); err != nil {
		return err
	}
	return a.recount(ctx)
}

// recount refuses a topic that has got more partitions, for nobody reads them, and a key would live in two (S1).
func (a *archiver) recount(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	n, err := kafka.Partitions(ctx, a.admin, a.Topic)
	switch had := int32(len(a.spans)); {
	case mendable(err):
		return err
	case err != nil: // It is looked at again after the next commit.
		a.Logger.Warn("the partitions could not be counted", "topic", a.Topic, "error", err)
	case n != had:
		return grown(fmt.Sprintf("topic %q", a.Topic), had, n)
	}
	return nil
}

// listen asks whether the brokers are there at all when nothing has come of them for a while.
func (a *archiver) listen(ctx context.Context, client *kgo.Client, records int) error {
	now := a.Clock.Now()
	if records > 0 {
		a.heard = now
	}
	if now.Sub(a.heard) < a.Patience {
		return nil
	}
	a.heard = now
	ctx, cancel := context.WithTimeout(ctx, a.Patience)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return a.unreachable(err)
	}
	for num, s := range a.spans {
		if p := a.parts[int32(num)]; a.UntilEnd && p.next < s.end {
			return a.silent(int32(num), p.next, s.end)
		}
	}
	return nil
}

// reached tells whether an UntilEnd has been read up to.
func (a *archiver) reached() bool {
	if !a.UntilEnd {
		return false
	}
	for num, s := range a.spans {
		if a.parts[int32(num)].next < s.end {
			return false
		}
	}
	return true
}

// take decodes what was fetched.
func (a *archiver) take(ctx context.Context, fetches kgo.Fetches) error {
	var err error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		p := a.parts[f.Partition]
		for _, r := range f.Records {
			if err != nil {
				return
			}
			if !r.Attrs.IsControl() {
				if err = a.add(ctx, p, r); err != nil {
					return
				}
				a.bytes += int64(len(r.Value)) + 64
			}
			p.next = r.Offset + 1
		}
	})
	return err
}

func (a *archiver) add(ctx context.Context, p *archived, r *kgo.Record) error {
	for {
		err := a.decode(ctx, p.builder, r)
		if !errors.Is(err, decode.ErrFull) {
			return err
		}
		a.gather(p)
	}
}

// gather sets aside what the partition's builder holds.
func (a *archiver) gather(p *archived) {
	if p.builder.Len() > 0 {
		a.rows += int64(p.builder.Len())
		a.batches = append(a.batches, p.builder.Take())
	}
}

// commit appends what has been read since the last one, if anything has.
func (a *archiver) commit(ctx context.Context) error {
	a.due = a.Clock.Now().Add(a.Every)
	from, to := map[int32]int64{}, map[int32]int64{}
	for num := range a.spans {
		p := int32(num)
		a.gather(a.parts[p])
		if next := a.parts[p].next; next > a.from[p] {
			from[p], to[p] = a.from[p], next
		}
	}
	if len(to) == 0 {
		return nil
	}
	if err := a.into.Append(ctx, from, to, a.batches); err != nil {
		return err
	}
	for p, next := range to {
		a.from[p] = next
	}
	if a.Committed != nil {
		a.Committed(a.rows)
	}
	for _, b := range a.batches {
		b.Release()
	}
	a.batches, a.rows, a.bytes = nil, 0, 0
	return nil
}
