package engineio

// Queued is how many bytes wait for the client or are being written to it.
func (s *Session) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued
}

// HoldsPoll reports whether a GET is held.
func (s *Session) HoldsPoll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil
}
