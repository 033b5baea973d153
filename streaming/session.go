package streaming

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// session is one membership of the group, from joining to leaving it. Whatever goes wrong with its client ends it, and
// the next one begins from what is committed.
type session struct {
	*runner
	member *kgo.GroupTransactSession
	client *kgo.Client // the member's
	out    *outbox
	rows   *rowWriter
	ctx    context.Context // ends with the session; its cause is what failed
	fail   context.CancelCauseFunc

	made chan struct{} // closed when all of the above is set; callbacks may come before

	mu       sync.Mutex // guards what follows: the group's callbacks change it
	assigned map[int32]*assigned
	shrunk   bool   // partitions were taken away, and the group's next transaction would abort for that
	wake     func() // ends the poll at hand

	began   time.Time          // when the open transaction began; zero: none is open
	term    context.Context    // of the open transaction: ends when the broker aborts it
	close   context.CancelFunc // of term
	limit   int                // records a poll
	heard   time.Time          // when something last came of the brokers
	written kadm.ListedOffsets // the ends of the topics written to, when an UntilEnd had read everything; nil before
}

// Where session.limit begins, and its bounds.
const (
	firstPoll = 8 << 10
	leastPoll = 256
	mostPoll  = 1 << 16
)

// idle is how often the group is asked whether all is done, when nothing comes.
const idle = 250 * time.Millisecond

// session joins the group and works until ctx ends, all is done, or something fails.
func (r *runner) session(ctx context.Context) (err error) {
	s := &session{
		runner: r, rows: newRowWriter(r.Plan), made: make(chan struct{}),
		assigned: map[int32]*assigned{}, wake: func() {}, limit: firstPoll,
	}
	s.ctx, s.fail = context.WithCancelCause(ctx)
	defer s.fail(nil)
	s.Monitor.join()
	if s.member, err = kgo.NewGroupTransactSession(append(r.groupOptions(), s.callbacks()...)...); err != nil {
		return misconfigured(err)
	}
	s.client = s.member.Client()
	s.out = &outbox{client: s.client}
	close(s.made)
	defer s.leave()
	if err := s.fence(); err != nil {
		return err
	}
	s.heard = s.Clock.Now()
	return s.loop()
}

// fence ends a transaction that this process left open in an earlier life, which would else stay until its timeout.
func (s *session) fence() error {
	ctx, cancel := context.WithTimeout(s.ctx, s.Patience)
	defer cancel()
	_, _, err := s.client.ProducerID(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.unreachable(err)
	}
	return err
}

// loop polls, answers and commits. Only between transactions may the group take partitions away.
func (s *session) loop() error {
	for {
		if err := s.settle(); err != nil {
			return err
		}
		if done, err := s.done(); done || err != nil {
			return err
		}
		fetches := s.poll()
		if s.hasShrunk() {
			continue // settle takes what was polled back
		}
		if err := fetchError(fetches); err != nil {
			return err
		}
		if err := s.take(fetches); err != nil {
			return err
		}
		stop := s.ctx.Err() != nil
		if s.open() && (stop || s.due()) {
			if err := s.commit(); err != nil {
				return err
			}
		}
		if stop {
			return context.Cause(s.ctx)
		}
		if !s.open() {
			s.client.AllowRebalance()
		}
	}
}

// open tells whether a transaction is open.
func (s *session) open() bool { return !s.began.IsZero() }

// due tells whether the open transaction has to be committed now.
func (s *session) due() bool { return s.left() <= 0 || s.UntilEnd && s.reached() }

func (s *session) left() time.Duration { return s.CommitEvery - s.Clock.Now().Sub(s.began) }

// poll waits for records until the transaction is due, a partition is taken away, or the session ends.
func (s *session) poll() kgo.Fetches {
	atMost := s.Patience
	switch {
	case s.open():
		atMost = max(s.left(), time.Microsecond)
	case s.UntilEnd:
		atMost = min(idle, s.Patience)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.mu.Lock()
	s.wake = cancel
	s.mu.Unlock()
	defer s.Clock.AfterFunc(atMost, cancel)()
	return s.member.PollRecords(ctx, s.limit)
}

// take answers what was polled, each partition on a goroutine of its own, within a transaction.
func (s *session) take(fetches kgo.Fetches) error {
	if fetches.NumRecords() == 0 {
		return s.listen()
	}
	s.heard = s.Clock.Now()
	if !s.open() {
		if err := s.member.Begin(); err != nil {
			return err
		}
		s.began = s.Clock.Now()
		// Not the session's context: what was polled before that ended is still answered and committed. But a buffer that
		// stays full, because no broker takes anything, must not be waited for without end.
		s.term, s.close = context.WithTimeout(context.WithoutCancel(s.ctx), s.TransactionTimeout)
	}
	work := map[*assigned][]kgo.FetchTopicPartition{}
	var err error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		if a := s.ready(p.Partition); a != nil {
			work[a] = append(work[a], p)
		} else {
			err = fmt.Errorf("partition %d: records came that were not asked for", p.Partition)
		}
	})
	if err != nil {
		return err
	}
	errs := make(chan error, len(work))
	for a, fetched := range work {
		go func() { errs <- s.answer(a, fetched) }()
	}
	for range work {
		err = errors.Join(err, <-errs)
	}
	s.pace(fetches.NumRecords(), s.Clock.Now().Sub(s.heard))
	return err
}

// listen asks whether the brokers are there at all when nothing has come of them for a while.
func (s *session) listen() error {
	if now := s.Clock.Now(); now.Sub(s.heard) >= s.Patience && s.ctx.Err() == nil {
		s.heard = now
		ctx, cancel := context.WithTimeout(s.ctx, s.Patience)
		defer cancel()
		if err := s.client.Ping(ctx); err != nil && s.ctx.Err() == nil {
			return s.unreachable(err)
		}
		return s.stuck()
	}
	return nil
}

// answer feeds the partition and writes what it answers.
func (s *session) answer(a *assigned, fetched []kgo.FetchTopicPartition) error {
	a.dirty = true
	defer a.out.close()
	for _, f := range fetched {
		end := f.LastStableOffset
		err := a.state.feed(s.ctx, f.Records, func() error {
			a.out.write(s.term, a.state)
			s.Monitor.saw(a.state, Live, end)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pace adjusts how much is polled at once, so that a transaction is not kept open for much longer than CommitEvery.
func (s *session) pace(records int, took time.Duration) {
	switch {
	case took > s.CommitEvery/2:
		s.limit = max(leastPoll, s.limit/2)
	case took < s.CommitEvery/8 && records >= s.limit/2:
		s.limit = min(mostPoll, 2*s.limit)
	}
}

// leave ends the session: what is open is aborted, and the group is left.
func (s *session) leave() {
	// After that the group takes the process for gone anyway.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.SessionTimeout)
	defer cancel()
	s.fail(nil)
	if s.open() {
		if _, err := s.member.End(ctx, kgo.TryAbort); err != nil {
			s.Logger.Warn("the transaction is left to its timeout", "pipeline", s.Plan.Name, "error", err)
		}
		s.close()
		s.Monitor.ended(false)
	}
	s.client.AllowRebalance()
	if err := s.client.LeaveGroupContext(ctx); err != nil {
		s.Logger.Warn("the group is left to the session timeout", "pipeline", s.Plan.Name, "error", err)
	}
	s.client.Close()
	for num := range s.partitions() {
		s.release(num)
	}
}
