package streaming

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Run runs the pipeline as a member of its group until ctx ends, which is no error: the transaction at hand is finished and
// the group is left. With UntilEnd it ends when the group has committed everything that stood in the source at the start.
//
// What passes is tried again: rebalances, brokers that move, transactions that fail. Run returns an error when something
// stays wrong for longer than Patience, and at once when somebody has to mend it. It never goes on from doubtful state, and
// whatever it returns, what is committed is whole.
//
// Where a stream goes on is known to its group alone. A broker forgets a group that has had no member for
// offsets.retention.minutes (a week, if nobody said otherwise): a stream that stood for longer begins anew, and its rows
// stand twice.
func Run(ctx context.Context, cfg Config) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	prog, err := kernel.Compile(cfg.Plan, kernel.Live)
	if err != nil {
		return err
	}
	client, err := cfg.connect(ctx)
	if ctx.Err() != nil {
		return nil // It was stopped before it began.
	}
	if err != nil {
		return err
	}
	defer client.Close()
	r := &runner{
		Config: cfg, prog: prog, admin: kadm.NewClient(client),
		group:    Group(cfg.Plan),
		restores: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	r.transactional = r.group + "." + rand.Text()
	if cfg.Instance != "" {
		r.transactional = r.group + ".instance." + cfg.Instance
	}
	defer cfg.Monitor.phase(Stopped)
	return r.run(ctx)
}

// runner is what the sessions of one Run share.
type runner struct {
	Config
	prog          *kernel.Program
	admin         *kadm.Client
	group         string
	transactional string // the id of this process' transactions
	prepared      bool
	spans         []span // of the source's partitions, at the start
	limits        limits
	restores      chan struct{} // a token for each restore at work
	failing       time.Time     // since when nothing succeeds; zero: all is well
}

// prepare looks at the topics and the group before the group is joined. What it finds at its first success holds for all
// of Run.
func (r *runner) prepare(ctx context.Context) (err error) {
	if r.prepared {
		return nil
	}
	if r.spans, err = r.Source.spans(ctx, r.admin); err != nil {
		return err
	}
	committed, err := r.committed(ctx)
	if err != nil {
		return err
	}
	// All of them, because a partition that was added has no note itself.
	for num, c := range committed {
		if _, err := r.note(num, c); err != nil {
			return err
		}
	}
	if r.limits, err = r.ensureOutputs(ctx, r.admin, r.partitions()); err != nil {
		return err
	}
	r.Monitor.begin(&r.Source, r.spans)
	r.prepared = true
	return nil
}

func (r *runner) partitions() int32 { return int32(len(r.spans)) }

func (r *runner) note(num int32, c kadm.Offset) (note, error) {
	return readNote(r.group, num, c, r.Plan.Hash(), r.partitions())
}

// committed is what the group has committed, by partition. What an open transaction holds is not committed.
func (r *runner) committed(ctx context.Context) (map[int32]kadm.Offset, error) {
	offsets, err := r.admin.FetchOffsets(ctx, r.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, err
	}
	committed := map[int32]kadm.Offset{}
	for num, o := range offsets[r.Topic] {
		if o.Err != nil {
			return nil, o.Err
		}
		if o.At >= 0 {
			committed[num] = o.Offset
		}
	}
	return committed, nil
}

// run lives one session after the other until one ends well.
func (r *runner) run(ctx context.Context) error {
	pause := firstPause
	for {
		err := r.prepare(ctx)
		if err == nil {
			err = r.session(ctx)
		}
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if r.failing.IsZero() { // something was committed since the last failure
			pause = firstPause
		}
		if err = r.explain(err); !r.tolerates(err) {
			return err
		}
		r.Logger.Warn("the stream begins again", "pipeline", r.Plan.Name, "error", err, "after", pause)
		if wait(ctx, r.Clock, pause) != nil {
			return nil
		}
		pause = min(2*pause, lastPause)
	}
}

// The pauses between sessions that fail.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// tolerates tells whether to try again after the error.
func (r *runner) tolerates(err error) bool {
	if mendable(err) {
		return false
	}
	now := r.Clock.Now()
	if r.failing.IsZero() {
		r.failing = now
	}
	return now.Sub(r.failing) < r.Patience
}

// heartbeat is how often the group hears of this process.
func (r *runner) heartbeat() time.Duration { return r.SessionTimeout / 4 }

// groupOptions make a client a member of the group that writes in transactions.
func (r *runner) groupOptions() []kgo.Opt {
	opts := append(r.readOptions(),
		kgo.ConsumerGroup(r.group),
		kgo.ConsumeTopics(r.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(r.SessionTimeout),
		kgo.HeartbeatInterval(r.heartbeat()),
		// Partitions move between transactions only, so that no transaction is lost to a rebalance.
		kgo.BlockRebalanceOnPoll(),
		kgo.TransactionalID(r.transactional),
		kgo.TransactionTimeout(r.TransactionTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 {
			if topic == DeadTopic(r.Plan.Name) {
				return r.limits.dead
			}
			return r.limits.features
		}),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerLinger(20*time.Millisecond),
		kgo.MaxBufferedRecords(100_000),
		kgo.MaxBufferedBytes(64<<20),
	)
	if r.Instance != "" {
		opts = append(opts, kgo.InstanceID(r.Instance))
	}
	return r.options(opts)
}
