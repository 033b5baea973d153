package streaming

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

// done tells whether an UntilEnd is reached: when the group has committed it for every partition, whoever read it.
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
	return true, nil
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
