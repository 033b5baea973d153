package streaming

import (
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/spillway-go/spillway/streaming/kafka"
)

// reached tells whether every partition here has read what stood in the source at the start.
func (s *session) reached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for num, a := range s.assigned {
		if a.state == nil || a.state.next() < s.spans[num].end {
			return false
		}
	}
	return true
}

// done tells whether an UntilEnd is reached: when the group has committed it for every partition, whoever read it, and the
// rows can be read.
func (s *session) done() (bool, error) {
	if !s.UntilEnd || s.open() || !s.reached() {
		return false, nil
	}
	committed, err := s.committed(s.ctx)
	if err != nil {
		return false, err
	}
	for num, span := range s.spans {
		c, ok := committed[int32(num)]
		if span.end > span.first && (!ok || c.At < span.end) {
			return false, nil
		}
	}
	return s.visible()
}

// visible tells whether readers with read_committed see all that has been written. They do not see what stands behind the
// first record of a transaction that a killed process has left open, until that has run into its timeout.
func (s *session) visible() (bool, error) {
	ctx := kafka.Fresh(s.ctx)
	topics := []string{FeaturesTopic(s.Plan.Name), DeadTopic(s.Plan.Name)}
	if s.written == nil {
		written, err := s.admin.ListEndOffsets(ctx, topics...)
		if err == nil {
			err = written.Error()
		}
		if err != nil {
			return false, err
		}
		s.written = written
	}
	stable, err := s.admin.ListCommittedOffsets(ctx, topics...)
	if err == nil {
		err = stable.Error()
	}
	if err != nil {
		return false, err
	}
	visible := true
	s.written.Each(func(end kadm.ListedOffset) {
		seen, ok := stable.Lookup(end.Topic, end.Partition)
		visible = visible && ok && seen.Offset >= end.Offset
	})
	return visible, nil
}

// stuck returns an error when an UntilEnd waits for records that do not come.
func (s *session) stuck() error {
	if !s.UntilEnd {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for num, a := range s.assigned {
		if end := s.spans[num].end; a.state != nil && a.state.next() < end {
			return s.silent(num, a.state.next(), end)
		}
	}
	return nil
}
