package engineio

import "time"

// tick is what the session's one timer does: send a ping, find that its pong is
// missing, or give up on a close that takes too long (section "Heartbeat").
func (s *Session) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	early := time.Until(s.due) // above zero if it was put off when the timer had fired already
	switch {
	case s.phase == phaseClosed:
	case early > 0:
		s.timer.Reset(early)
	case s.phase == phaseClosing:
		s.awaitFlushLocked()
	case s.awaiting && !s.handling:
		s.endLocked(ReasonPingTimeout, nil)
	case s.pollStalledLocked(): // also one whose message waits for room that only it can make
		s.endLocked(ReasonSlow, ErrStalled)
	case s.awaiting: // the pong may be waiting behind a message
		s.waitLocked(s.srv.cfg.PingTimeout)
	default:
		s.pingLocked()
	}
}

// newsPatience is how long a client that polls may take from one poll to the next
// before a close that only waits for it.
const newsPatience = 3 * time.Second

// awaitFlushLocked waits for what a closing session has to say, and ends it when
// that takes too long or the client stays away.
func (s *Session) awaitFlushLocked() {
	left := min(time.Until(s.giveUp), s.patienceLocked())
	if left <= 0 {
		s.endLocked(s.reason, nil)
		return
	}
	s.waitLocked(left)
}

// patienceLocked is how long a client that polls may still stay away.
func (s *Session) patienceLocked() time.Duration {
	away := time.Since(s.taken)
	switch {
	case s.wire != nil || s.poll != nil || s.answers > 0:
		return s.srv.cfg.CloseTimeout
	case s.out.empty():
		return newsPatience - away
	}
	return s.srv.cfg.StallTimeout - away
}

// pingLocked sends a ping. Up to half of the time for the pong makes up for a
// late timer, so that both waits together are what the client was told; not more,
// since after a pause of the whole process no client is to blame.
func (s *Session) pingLocked() {
	timeout := s.srv.cfg.PingTimeout
	late := min(time.Since(s.due), timeout/2)
	s.pingDue, s.awaiting = true, true
	s.waitLocked(timeout - late)
	s.kickLocked()
}

// restLocked waits for the next ping.
func (s *Session) restLocked() {
	s.awaiting = false
	s.waitLocked(s.srv.cfg.PingInterval)
}

func (s *Session) waitLocked(d time.Duration) {
	s.due = time.Now().Add(d)
	s.timer.Reset(d)
}

// overdueLocked reports whether the pong is missing by the clock, whatever the
// timer has come to: a poll at that time must not get the ping that it is too late
// to answer.
func (s *Session) overdueLocked() bool {
	return s.phase == phaseOpen && s.awaiting && !s.handling && !time.Now().Before(s.due)
}

// pollStalledLocked finds a client that fetches nothing. One that is being
// answered has writeBody's deadlines.
func (s *Session) pollStalledLocked() bool {
	return s.wire == nil && s.poll == nil && s.answers == 0 && !s.out.empty() &&
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
