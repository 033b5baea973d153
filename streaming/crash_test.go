package streaming_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/spillway-go/spillway/streaming"
)

// cord is what connects one process to the broker. To cut it is, for the broker, what kill -9 is: no transaction is ended
// and no group left.
type cord struct {
	mu    sync.Mutex
	conns []net.Conn
	gone  bool
}

var errCut = errors.New("the cord is cut")

func (c *cord) dial(ctx context.Context, network, host string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		conn.Close()
		return nil, errCut
	}
	c.conns = append(c.conns, conn)
	return conn, nil
}

func (c *cord) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for _, conn := range c.conns {
		conn.Close()
	}
}

// killed runs the stream and kills it at the n-th request that the broker receives; whether the broker still handles that
// one is drawn. It tells whether it came to that.
func (w *world) killed(r *rand.Rand, cfg streaming.Config, n int) bool {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	c := &cord{}
	cfg.Client = append(cfg.Client, kgo.Dialer(c.dial))
	handled := r.IntN(2) == 0
	died := false
	w.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		if n--; n > 0 {
			return nil, nil, false
		}
		w.cluster.DropControl()
		died = true
		c.cut()
		cancel()
		if handled {
			return nil, nil, false
		}
		return nil, errCut, true
	})
	if err := streaming.Run(ctx, cfg); err != nil {
		w.Fatal(err)
	}
	if !died { // it was done before
		w.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.DropControl()
			return nil, nil, false
		})
		n = 1 << 30
	}
	return died
}

// TestKilled kills the stream again and again, at any request, until it comes to its end.
func TestKilled(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 8))
			plan, log := hostileLog(t, seed, 600)
			w := newWorld(t, plan, partitionsOf(log))
			w.send(w.messages(log))
			cfg := w.config()
			cfg.CommitEvery = time.Millisecond
			cfg.FetchBytes = 2 << 10
			cfg.SessionTimeout, cfg.TransactionTimeout = 300*time.Millisecond, 500*time.Millisecond
			if seed%2 == 0 {
				cfg.Instance = "pod-0"
			}
			kills := 0
			for kills < 12 && w.killed(r, cfg, 1+r.IntN(60+20*kills)) {
				kills++
			}
			cfg = w.config()
			cfg.Instance = map[bool]string{true: "pod-0"}[seed%2 == 0]
			w.run(cfg)
			w.check(cfg)
			t.Logf("%d kills", kills)
		})
	}
}

// faulty are the requests that fail, and how.
var faulty = []struct {
	key  kmsg.Key
	errs []*kerr.Error
}{
	{kmsg.EndTxn, []*kerr.Error{
		kerr.UnknownServerError, kerr.CoordinatorNotAvailable, kerr.ConcurrentTransactions,
		kerr.TransactionAbortable, kerr.InvalidProducerEpoch, kerr.InvalidTxnState, kerr.NotCoordinator,
	}},
	{kmsg.TxnOffsetCommit, []*kerr.Error{
		kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress,
		kerr.CoordinatorLoadInProgress, kerr.UnknownServerError, kerr.InvalidProducerEpoch,
	}},
	{kmsg.Produce, []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.KafkaStorageError, kerr.InvalidProducerEpoch,
		kerr.TransactionAbortable, kerr.UnknownProducerID, kerr.UnknownServerError,
	}},
	{kmsg.Heartbeat, []*kerr.Error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress}},
	{kmsg.OffsetFetch, []*kerr.Error{kerr.UnstableOffsetCommit, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator}},
	{kmsg.InitProducerID, []*kerr.Error{kerr.CoordinatorNotAvailable, kerr.ConcurrentTransactions}},
	{kmsg.Fetch, []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.OffsetNotAvailable}},
	{kmsg.ListOffsets, []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError}},
}

// haste is a clock by which the pauses between attempts are short. What is longer than any of them is patience, which a busy
// machine needs.
type haste struct{}

func (haste) Now() time.Time { return time.Now() }
func (haste) AfterFunc(d time.Duration, f func()) func() bool {
	if d <= 10*time.Second {
		d = min(d, 100*time.Millisecond)
	}
	return time.AfterFunc(d, f).Stop
}

// TestFaults lets requests of every kind fail now and then.
func TestFaults(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 9))
			plan, log := hostileLog(t, seed, 600)
			w := newWorld(t, plan, partitionsOf(log))
			w.send(w.messages(log))
			cfg := w.config()
			cfg.FetchBytes = 2 << 10
			cfg.CommitEvery = time.Millisecond
			cfg.Clock, cfg.Patience = haste{}, time.Hour
			cfg.Client = append(cfg.Client, kgo.MetadataMinAge(50*time.Millisecond),
				kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
			var faults []kfake.Fault
			for _, of := range faulty {
				for range 3 {
					left := r.IntN(12)
					faults = append(faults, kfake.Fault{
						Keys: []kmsg.Key{of.key}, Err: of.errs[r.IntN(len(of.errs))],
						When: func(kmsg.Request) bool { left--; return left < 0 },
					})
				}
			}
			h := w.cluster.Fault(faults...)
			w.run(cfg)
			h.Remove()
			cfg.Clock = nil
			w.check(cfg)
			s := cfg.Monitor.Status()
			t.Logf("%d commits, %d aborts", s.Commits, s.Aborts)
		})
	}
}
