package streaming_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

// sinkFunc is a Sink.
type sinkFunc func(ctx context.Context, partition int32, task *kernel.Task, rec arrow.RecordBatch) error

func (f sinkFunc) Apply(ctx context.Context, partition int32, task *kernel.Task, rec arrow.RecordBatch) error {
	return f(ctx, partition, task, rec)
}

// TestFollow reads what is there, and then what comes, and compares the state that the sink is shown with the kernel's.
func TestFollow(t *testing.T) {
	plan, log := hostileLog(t, 5, 500)
	w := newWorld(t, plan, partitionsOf(log)+1) // one partition stays empty
	recs := w.messages(log)
	w.send(recs[:200])
	cfg := streaming.FollowConfig{Source: w.config().Source}
	cfg.UntilEnd = false
	ctx, stop := context.WithCancel(w.ctx)
	defer stop()
	var mu sync.Mutex
	accounts := map[int32]kernel.Account{}
	offsets := map[int32][]int64{}
	total := 0
	done := make(chan error)
	go func() {
		done <- streaming.Follow(ctx, cfg, sinkFunc(func(_ context.Context, p int32, task *kernel.Task, rec arrow.RecordBatch) error {
			mu.Lock()
			defer mu.Unlock()
			accounts[p] = task.Account()
			offsets[p] = append(offsets[p], rec.Column(len(plan.Source.Schema.Fields)+1).(*array.Int64).Int64Values()...)
			total += int(rec.NumRows())
			return nil
		}))
	}()
	seen := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return total >= n
		}
	}
	w.until("the first are read", seen(200))
	if s := cfg.Monitor.Status(); !s.CaughtUp || s.Phase != streaming.Live || len(s.Partitions) != int(partitionsOf(log))+1 {
		t.Errorf("status %+v", s)
	}
	w.send(recs[200:])
	w.until("all are read", seen(500))
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.checkAccounts(accounts)
	for p, all := range offsets {
		for i, o := range all {
			if o != int64(i) {
				t.Fatalf("partition %d: offset %d is the %d-th", p, o, i)
			}
		}
	}
}

func TestFollowEnds(t *testing.T) {
	plan, log := hostileLog(t, 6, 300)
	w := newWorld(t, plan, partitionsOf(log))
	cfg := streaming.FollowConfig{Source: w.config().Source}
	never := sinkFunc(func(context.Context, int32, *kernel.Task, arrow.RecordBatch) error { return errors.New("no room") })
	if err := streaming.Follow(w.ctx, cfg, never); err != nil {
		t.Errorf("an empty source: %v", err)
	}
	w.send(w.messages(log))
	if err := streaming.Follow(w.ctx, cfg, never); err == nil || err.Error() != "no room" {
		t.Errorf("error %v, want the sink's", err)
	}
}

// TestFollowNeedsTheStart: of a source whose beginning is gone no state can be built that is the stream's.
func TestFollowNeedsTheStart(t *testing.T) {
	w := ran(t)
	if err := w.cluster.DeleteRecords(w.plan.Source.Name, 1, 3); err != nil {
		t.Fatal(err)
	}
	err := streaming.Follow(w.ctx, streaming.FollowConfig{Source: w.config().Source}, sinkFunc(nil))
	const want = "retention lost below the frontier: offset 0 is needed, and the log begins at 3"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
