package engineio

import (
	"context"
	"errors"
	"time"
)

// shutdownPatience is how long a shutdown waits for one client: to take what is
// queued, and to fetch the news if it polls.
const shutdownPatience = 3 * time.Second

// cutGrace is how long Shutdown waits for goroutines after it cut everything off.
const cutGrace = time.Second

// ErrReceiversBusy is part of Shutdown's error when a Receiver had not returned
// although its session was closed.
var ErrReceiversBusy = errors.New("engineio: a receiver does not return")

// Shutdown refuses newcomers, sends what is queued, closes every transport in
// the way that makes clients connect again, and waits until every goroutine of
// the server has ended. A client that takes nothing delays it by three seconds.
// When ctx ends first, the rest is cut off and the context's error returned. The
// server cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.running.Wait()
		s.pump.stop()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	return s.cutUntil(ended, context.Cause(ctx))
}

// cutUntil cuts, again and again until ended is closed: a connection that was admitted
// just before may become a session only now.
func (s *Server) cutUntil(ended <-chan struct{}, cause error) error {
	grace, again := time.After(cutGrace), time.NewTicker(cutGrace/100)
	defer again.Stop()
	for {
		s.cut()
		select {
		case <-ended:
			return cause
		case <-grace:
			return errors.Join(cause, ErrReceiversBusy)
		case <-again.C:
		}
	}
}

// stop refuses newcomers and asks the sessions to close.
func (s *Server) stop() {
	s.mu.Lock()
	first := !s.stopping.Swap(true)
	s.mu.Unlock()
	if first {
		s.running.Done()
	}
	for _, session := range s.all() {
		session.Close(ReasonForced)
		session.hasten()
	}
}

// hasten gives a session that was closing already no more time than a shutdown
// gives others.
func (s *Session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	giveUp := time.Now().Add(s.srv.closeTimeout())
	if s.phase != phaseClosing || s.timer == nil || s.giveUp.Before(giveUp) {
		return
	}
	s.giveUp = giveUp
	s.awaitFlushLocked()
}

// cut ends what has not ended by itself.
func (s *Server) cut() {
	for _, session := range s.all() {
		session.end(ReasonForced, nil)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for w := range s.wires {
		_ = w.conn.Close() // whoever reads or writes it learns of that
	}
}

func (s *Server) all() []*Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		all = append(all, session)
	}
	return all
}

// closeTimeout is how long a session that is closed now has to flush.
func (s *Server) closeTimeout() time.Duration {
	if s.stopping.Load() {
		return min(s.cfg.CloseTimeout, shutdownPatience)
	}
	return s.cfg.CloseTimeout
}
