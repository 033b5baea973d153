package streaming

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errAborted says that the group or a broker made the transaction void. It passes.
var errAborted = errors.New("the transaction was aborted")

// commit ends the open transaction with all that was answered in it. When that fails in a way that passes, the partitions
// that ran ahead are restored, and nil is returned; an error ends the session.
func (s *session) commit() error {
	if err := s.client.Flush(s.term); err != nil {
		return fmt.Errorf("the rows were not taken within the transaction's %v: %w", s.TransactionTimeout, err)
	}
	if err := s.out.take(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.Patience)
	defer cancel()
	// The commit asks the group whether this process still is a member. When the group has lost it, nobody answers until the
	// callback that says so has run, and that waits for the end of the transaction. So it is let in when the answer is
	// late; if it was only slow, the transaction is aborted without need.
	defer s.Clock.AfterFunc(s.heartbeat(), s.client.AllowRebalance)()
	pending := map[int32]note{}
	annotate := kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error { return s.annotate(req, pending) })
	committed, err := s.member.End(annotate, kgo.TryCommit)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.close()
	s.began = time.Time{}
	s.Monitor.ended(committed)
	if !committed {
		s.Logger.Warn("a transaction was aborted; its records are taken again", "pipeline", s.Plan.Name)
		s.rewind()
		if !s.tolerates(errAborted) {
			return fmt.Errorf("for %v: %w", s.Patience, errAborted)
		}
		return nil
	}
	s.failing = time.Time{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for num, n := range pending {
		if a := s.assigned[num]; a != nil {
			a.note, a.dirty = n, false
		}
	}
	return nil
}

// annotate gives each offset of the commit its note. What the client would commit and what the state has read must be the
// same.
func (s *session) annotate(req *kmsg.TxnOffsetCommitRequest, pending map[int32]note) error {
	for t := range req.Topics {
		for i := range req.Topics[t].Partitions {
			p := &req.Topics[t].Partitions[i]
			a := s.ready(p.Partition)
			if a == nil || a.state.next() != p.Offset {
				return fmt.Errorf("partition %d: offset %d is to be committed, which its state has not", p.Partition, p.Offset)
			}
			n := noteOf(a.state, s.Plan.Hash(), s.partitions())
			pending[p.Partition] = n
			text := n.String()
			p.Metadata = &text
		}
	}
	return nil
}

// rewind restores the partitions whose state has run ahead of what is committed. The client has gone back already.
func (s *session) rewind() {
	s.mu.Lock()
	ahead := map[int32]note{}
	for num, a := range s.assigned {
		if a.dirty {
			ahead[num] = a.note
		}
	}
	s.mu.Unlock()
	for num, n := range ahead {
		s.begin(num, n)
	}
}

// settle goes on after partitions were taken away, which can only have happened between transactions. The group would
// abort the next transaction for it, so it is given an empty one, which also takes back what was polled meanwhile.
func (s *session) settle() error {
	s.mu.Lock()
	shrunk := s.shrunk
	s.shrunk = false
	s.mu.Unlock()
	if !shrunk {
		return nil
	}
	if err := s.member.Begin(); err != nil {
		return err
	}
	if _, err := s.member.End(context.WithoutCancel(s.ctx), kgo.TryAbort); err != nil {
		return fmt.Errorf("after a rebalance: %w", err)
	}
	s.client.AllowRebalance()
	return nil
}
