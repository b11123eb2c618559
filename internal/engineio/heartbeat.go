package engineio

import "time"

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
	s.pingDue, s.awaiting = true, true
	s.timer.Reset(s.srv.cfg.PingTimeout)
	s.kickLocked()
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
		s.awaiting = false
		s.timer.Reset(s.srv.cfg.PingInterval)
	}
}
