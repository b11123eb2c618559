package engineio

import (
	"context"
	"errors"
	"time"
)

// shutdownCloseTimeout is Config.CloseTimeout during a shutdown.
const shutdownCloseTimeout = 3 * time.Second

// cutGrace is how long Shutdown waits for goroutines after it has closed every connection.
const cutGrace = time.Second

// ErrReceiversBusy is part of Shutdown's error if a Receiver has not returned although its
// session was closed.
var ErrReceiversBusy = errors.New("engineio: a receiver does not return")

// Shutdown refuses new sessions, sends what is queued, closes every transport in the way
// that makes clients connect again, and waits until every goroutine of the server has
// ended. A client that does not read delays it by three seconds. If ctx ends first, the
// remaining connections are closed at once and the context's error is returned. The server
// cannot be used again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.running.Wait()
		s.writePool.stop()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	return s.cutUntil(ended, context.Cause(ctx))
}

// cutUntil calls cut until ended is closed: a connection that was admitted just before the
// shutdown may become a session only now.
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

// stop refuses new sessions and closes the open ones.
func (s *Server) stop() {
	s.mu.Lock()
	first := !s.stopping.Swap(true)
	s.mu.Unlock()
	if first {
		s.running.Done()
	}
	for _, session := range s.allSessions() {
		session.Close(ReasonForced)
		session.shortenClose()
	}
}

// shortenClose gives a session that was closing already no more time than a shutdown gives
// the others.
func (s *Session) shortenClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline := s.srv.now() + s.srv.closeTimeout()
	if s.phase != phaseClosing || s.receiver == nil || s.closeDeadline < deadline {
		return
	}
	s.closeDeadline = deadline
	s.awaitFlushLocked()
}

// cut ends every session and connection at once.
func (s *Server) cut() {
	for _, session := range s.allSessions() {
		session.end(ReasonForced, nil)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for c := range s.conns {
		c.cut() // its reader and writer get an error
	}
}

func (s *Server) allSessions() []*Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		all = append(all, session)
	}
	return all
}

// closeTimeout returns how long a session that is closed now may take to flush.
func (s *Server) closeTimeout() time.Duration {
	if s.stopping.Load() {
		return min(s.cfg.CloseTimeout, shutdownCloseTimeout)
	}
	return s.cfg.CloseTimeout
}
