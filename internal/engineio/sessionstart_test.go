package engineio

import (
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// A callCounter counts the calls of Open and Closed.
type callCounter struct{ opened, closed atomic.Int64 }

func (l *callCounter) Open(*Session) Receiver { l.opened.Add(1); return l }
func (l *callCounter) Message(Message)        {}
func (l *callCounter) Drained()               {}
func (l *callCounter) Closed(Reason, error)   { l.closed.Add(1) }

// TestSessionThatEndsBeforeItsReceiverIsThere is a connection that is reset during
// its handshake: the session may end as soon as it is known to the server. Closed is called
// all the same, and nothing is left of the session.
func TestSessionThatEndsBeforeItsReceiverIsThere(t *testing.T) {
	var l callCounter
	srv := New(Config{}, &l)
	r := httptest.NewRequest("GET", "/engine.io/", nil)
	stop := make(chan struct{})
	var hangUp sync.WaitGroup
	for range 2 {
		hangUp.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, s := range srv.allSessions() {
					s.end(ReasonTransportError, nil)
				}
			}
		})
	}
	for range 5000 {
		address, refused := srv.admit(r)
		if refused != nil {
			t.Fatal(refused.why)
		}
		srv.startSession(r, nil, nil, address).end(ReasonForced, nil)
	}
	close(stop)
	hangUp.Wait()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if l.opened.Load() != 5000 || l.closed.Load() != 5000 || srv.Len() != 0 {
		t.Errorf("%d opened, %d closed, %d left", l.opened.Load(), l.closed.Load(), srv.Len())
	}
}
