package engineio

import "time"

// maxLateness is how much of a late ping's delay is taken off the time for its
// pong, so that both together are what the client was told. Little, since after
// a pause of the whole process no client is to blame.
const maxLateness = 5 * time.Millisecond

// tick is what the session's one timer does: send a ping, find that its pong is
// missing, or give up on a close that takes too long (section "Heartbeat").
func (s *Session) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == phaseClosed:
	case s.phase == phaseClosing:
		s.endLocked(s.reason, nil)
	case s.awaiting && s.handling: // the pong may be waiting behind a message
		s.timer.Reset(s.srv.cfg.PingTimeout)
	case s.awaiting:
		s.endLocked(ReasonPingTimeout, nil)
	case s.pollStalledLocked():
		s.endLocked(ReasonSlow, ErrStalled)
	default:
		s.pingLocked()
	}
}

func (s *Session) pingLocked() {
	late := min(time.Since(s.due), maxLateness, s.srv.cfg.PingTimeout/10)
	s.pingDue, s.awaiting = true, true
	s.timer.Reset(s.srv.cfg.PingTimeout - late)
	s.kickLocked()
}

// restLocked waits for the next ping.
func (s *Session) restLocked() {
	s.awaiting = false
	s.due = time.Now().Add(s.srv.cfg.PingInterval)
	s.timer.Reset(s.srv.cfg.PingInterval)
}

// pollStalledLocked finds a client that answers pings it never fetched.
func (s *Session) pollStalledLocked() bool {
	return s.wire == nil && s.poll == nil && !s.out.empty() &&
		time.Since(s.taken) > s.srv.cfg.StallTimeout
}

// pong takes the answer to a ping. One that was not asked for changes nothing,
// so that a client cannot put off the next tick for ever.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseOpen && s.awaiting {
		s.restLocked()
	}
}
