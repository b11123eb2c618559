package engineio

import "time"

// pingsTogether is by which part of Config.PingInterval a ping may be early, so that pings
// are written and their pongs read together: many idle clients cost a fifth less.
const pingsTogether = 250

// onTimer is called by the session's only timer: it sends a ping, finds that the pong is
// missing, or gives up on a close that takes too long (section "Heartbeat").
func (s *Session) onTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	early := s.timerDue - s.srv.now()
	if s.phase == phaseOpen && !s.awaitingPong {
		early -= s.srv.timers.Slack
	}
	switch {
	case s.phase == phaseClosed:
	case early > 0: // it was set anew when it rang already, or rang with others
		s.startTimerLocked()
	case s.phase == phaseClosing:
		s.awaitFlushLocked()
	case s.awaitingPong && !s.handling:
		s.endLocked(ReasonPingTimeout, nil)
	case s.pollStalledLocked(): // even if a message waits for room, for only the client can make it
		s.endLocked(ReasonSlow, ErrStalled)
	case s.awaitingPong: // the pong may wait unread behind the message
		s.pongHeldUp = true
		s.setTimerLocked(s.srv.cfg.PingTimeout)
	default:
		s.pingLocked()
	}
}

// closeFetchTimeout is how long a polling client may take from one poll to the next when
// only the close waits for it.
const closeFetchTimeout = 3 * time.Second

// awaitFlushLocked sets the timer of a closing session, or ends it if that takes too long
// or the client does not poll.
func (s *Session) awaitFlushLocked() {
	left := min(s.closeDeadline-s.srv.now(), s.fetchTimeLeftLocked())
	if left <= 0 {
		s.endLocked(s.reason, nil)
		return
	}
	s.setTimerLocked(left)
}

// fetchTimeLeftLocked returns how long a closing session still waits for the client's next
// poll.
func (s *Session) fetchTimeLeftLocked() time.Duration {
	away := s.srv.now() - s.lastFetch
	switch {
	case s.conn != nil || s.poll != nil || s.answers > 0:
		return s.srv.cfg.CloseTimeout
	case s.out.empty():
		return closeFetchTimeout - away
	}
	return s.srv.cfg.StallTimeout - away
}

// pingLocked sends a ping. Up to half of the time for the pong makes up for a timer that
// fired late, so that both waits together are what the client was told; not more, since
// after a pause of the whole process no client is to blame.
func (s *Session) pingLocked() {
	timeout := s.srv.cfg.PingTimeout
	now := s.srv.now()
	late := min(max(0, now-s.timerDue), timeout/2)
	s.pingDue, s.awaitingPong, s.pinged = true, true, now
	s.setTimerLocked(timeout - late)
	s.wakeTransportLocked()
}

// schedulePingLocked schedules the next ping.
func (s *Session) schedulePingLocked() {
	s.awaitingPong = false
	s.setTimerLocked(s.srv.cfg.PingInterval)
}

// readPongLocked gives the reader time to reach a pong that waited behind the message just
// handled.
func (s *Session) readPongLocked() {
	if s.phase == phaseOpen && s.awaitingPong && s.pongHeldUp {
		s.setTimerLocked(s.srv.cfg.PingTimeout)
	}
	s.pongHeldUp = false
}

func (s *Session) setTimerLocked(d time.Duration) {
	s.timerDue = s.srv.now() + d
	s.startTimerLocked()
}

// startTimerLocked has the timer ring at timerDue.
func (s *Session) startTimerLocked() {
	s.srv.timers.Set(&s.timer, s, s.srv.began.Add(s.timerDue))
}

// overdueLocked reports whether the pong is missing by the clock, even if the timer has
// not fired yet: a poll that arrives now must not get the ping that it is too late to
// answer.
func (s *Session) overdueLocked() bool {
	return s.phase == phaseOpen && s.awaitingPong && !s.handling && s.srv.now() >= s.timerDue
}

// pollStalledLocked reports whether a polling client has not fetched what waits for too
// long. While it is being answered, the deadlines of writeBody apply instead.
func (s *Session) pollStalledLocked() bool {
	return s.conn == nil && s.poll == nil && s.answers == 0 && !s.out.empty() &&
		s.srv.now()-s.lastFetch > s.srv.cfg.StallTimeout
}

// pong handles the answer to a ping. One that was not asked for changes nothing, so that a
// client cannot put off the next ping for ever.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != phaseOpen || !s.awaitingPong {
		return
	}
	if observe := s.srv.cfg.ObservePing; observe != nil {
		observe(s.conn != nil, s.srv.now()-s.pinged)
	}
	s.schedulePingLocked()
	if s.out.empty() {
		s.out.clear() // what the last burst needed
	}
}
