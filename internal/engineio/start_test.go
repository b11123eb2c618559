package engineio

import (
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// A ledger counts how often receivers were made and told goodbye.
type ledger struct{ opened, closed atomic.Int64 }

func (l *ledger) Open(*Session) Receiver { l.opened.Add(1); return l }
func (l *ledger) Message(Message)        {}
func (l *ledger) Drained()               {}
func (l *ledger) Closed(Reason, error)   { l.closed.Add(1) }

// TestSessionThatEndsBeforeItsReceiverIsThere is a connection that is reset during
// its handshake: the session may end as soon as anybody knows it. The receiver is
// told all the same, and nothing is left of the session.
func TestSessionThatEndsBeforeItsReceiverIsThere(t *testing.T) {
	var l ledger
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
				for _, s := range srv.all() {
					s.end(ReasonTransportError, nil)
				}
			}
		})
	}
	for range 5000 {
		place, no := srv.admit(r)
		if no != nil {
			t.Fatal(no.why)
		}
		srv.start(r, nil, nil, place).end(ReasonForced, nil)
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
