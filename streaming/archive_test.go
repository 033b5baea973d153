package streaming_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

// shelf is a history in memory. It refuses an append that does not begin where it stands.
type shelf struct {
	mu       sync.Mutex
	frontier map[int32]int64
	offsets  map[int32][]int64 // of the rows, by partition
	flawed   int
	appends  int
}

func newShelf() *shelf { return &shelf{frontier: map[int32]int64{}, offsets: map[int32][]int64{}} }

func (s *shelf) Frontier(context.Context) (map[int32]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.frontier), nil
}

func (s *shelf) Append(_ context.Context, from, to map[int32]int64, batches []arrow.RecordBatch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, next := range from {
		if had, ok := s.frontier[p]; ok && had != next {
			return errors.New("the append does not begin where the history stands")
		}
	}
	maps.Copy(s.frontier, to)
	s.appends++
	for _, b := range batches {
		log := int(b.NumCols()) - 5
		partitions, offsets := b.Column(log).(*array.Int32).Int32Values(), b.Column(log+1).(*array.Int64).Int64Values()
		for i, p := range partitions {
			s.offsets[p] = append(s.offsets[p], offsets[i])
		}
		s.flawed += int(b.NumRows()) - b.Column(log+3).NullN()
	}
	return nil
}

func (w *world) archiveConfig() streaming.ArchiveConfig {
	cfg := streaming.ArchiveConfig{Source: w.config().Source, Every: 5 * time.Millisecond}
	cfg.Format = w.format
	return cfg
}

func (w *world) archive(cfg streaming.ArchiveConfig, into *shelf) {
	w.Helper()
	if err := streaming.Archive(w.ctx, cfg, into); err != nil {
		w.Fatal(err)
	}
	if err := w.ctx.Err(); err != nil {
		w.Fatal(err)
	}
}

// checkShelf holds the rows to the records: each once, in order.
func (w *world) checkShelf(s *shelf) {
	w.Helper()
	_, ends := w.offsets(w.source)
	for p, recs := range w.read(w.source) {
		if len(recs) != len(s.offsets[p]) {
			w.Fatalf("partition %d: %d rows of %d records", p, len(s.offsets[p]), len(recs))
		}
		for i, r := range recs {
			if s.offsets[p][i] != r.Offset {
				w.Fatalf("partition %d: row %d is of offset %d, want %d", p, i, s.offsets[p][i], r.Offset)
			}
		}
		if end, _ := ends.Lookup(w.source, p); s.frontier[p] != end.Offset {
			w.Errorf("partition %d: the frontier is %d, want %d", p, s.frontier[p], end.Offset)
		}
	}
}

// TestArchive archives what comes in transactions, between others that are aborted, in several goes.
func TestArchive(t *testing.T) {
	plan, log := hostileLog(t, 5, 500)
	w := newWorld(t, plan, partitionsOf(log)+1)
	recs := w.messages(log)
	into := newShelf()
	w.archive(w.archiveConfig(), into) // nothing is there
	for len(recs) > 0 {
		n := min(len(recs), 170)
		w.sendInTransactions(w.rand(), recs[:n])
		recs = recs[n:]
		w.archive(w.archiveConfig(), into)
		w.checkShelf(into)
	}
	if into.flawed == 0 {
		t.Error("no record that cannot be decoded is there")
	}
	appends := into.appends
	w.archive(w.archiveConfig(), into)
	if into.appends != appends {
		t.Error("nothing was new, and it was appended")
	}
}

// TestArchiveIsStopped stops it while records come: what it has read is committed.
func TestArchiveIsStopped(t *testing.T) {
	plan, log := hostileLog(t, 5, 500)
	w := newWorld(t, plan, partitionsOf(log))
	cfg := w.archiveConfig()
	cfg.UntilEnd = false
	committed := int64(0)
	first := make(chan struct{})
	cfg.Committed = func(n int64) {
		if committed == 0 {
			close(first)
		}
		committed += n
	}
	into := newShelf()
	ctx, stop := context.WithCancel(w.ctx)
	done := make(chan error)
	go func() { done <- streaming.Archive(ctx, cfg, into) }()
	w.send(w.messages(log))
	<-first
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, offsets := range into.offsets {
		n += len(offsets)
	}
	if int64(n) != committed {
		t.Errorf("%d rows are committed, and %d were told", n, committed)
	}
	w.archive(w.archiveConfig(), into)
	w.checkShelf(into)
}

func TestArchiveRegistryIsDown(t *testing.T) {
	plan, err := payments.Y1.Plan()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, plan, 0)
	if err := topic.Load(w.ctx, w.addr, w.source, 100); err != nil {
		t.Fatal(err)
	}
	registry := &flaky{}
	registry.down.Store(5)
	w.format = decode.Confluent(registry)
	cfg := w.archiveConfig()
	cfg.Clock = haste{}
	into := newShelf()
	w.archive(cfg, into)
	w.checkShelf(into)
	if into.flawed > 0 {
		t.Errorf("%d records are kept as flawed", into.flawed)
	}
}

func TestArchiveIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(w *world, cfg *streaming.ArchiveConfig) // once everything is archived and more is there
		want string
	}{
		{"retention lost", func(w *world, _ *streaming.ArchiveConfig) {
			_, ends := w.offsets(w.source)
			end, _ := ends.Lookup(w.source, 0)
			if err := w.cluster.DeleteRecords(w.source, 0, end.Offset); err != nil {
				w.Fatal(err)
			}
		}, "retention lost below the frontier: offset "},
		{"retention lost while reading", func(w *world, _ *streaming.ArchiveConfig) {
			w.cluster.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.OffsetOutOfRange, Count: -1,
				When: func(req kmsg.Request) bool { return req.(*kmsg.FetchRequest).MaxBytes > 0 },
			})
		}, "retention lost below the frontier: the broker deleted records before they were archived"},
		{"partitions added", func(w *world, cfg *streaming.ArchiveConfig) {
			cfg.UntilEnd = false
			cfg.Committed = func(int64) {
				if _, err := w.admin().CreatePartitions(w.ctx, 1, w.source); err != nil {
					w.Error(err)
				}
				cfg.Committed = nil
			}
		}, "the source had 2 partitions, and now has 3"},
		{"broker gone", func(w *world, cfg *streaming.ArchiveConfig) {
			cfg.UntilEnd, cfg.Patience = false, 300*time.Millisecond
			cfg.Committed = func(int64) { w.cluster.Close() }
		}, "does not answer"},
		{"topic missing", func(_ *world, cfg *streaming.ArchiveConfig) { cfg.Topic = "paymnets" }, `topic "paymnets"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, log := hostileLog(t, 4, 200)
			w := newWorld(t, plan, 2)
			recs := w.messages(log)
			w.send(recs[:100])
			into := newShelf()
			w.archive(w.archiveConfig(), into)
			w.send(recs[100:])
			cfg := w.archiveConfig()
			cfg.Client = append(cfg.Client, kgo.MetadataMinAge(10*time.Millisecond))
			test.make(w, &cfg)
			err := streaming.Archive(w.ctx, cfg, into)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}
