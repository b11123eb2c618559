package engineio

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A lateTick is a Handler whose session the test has.
type lateTick struct{ s *Session }

func (l *lateTick) Open(s *Session) Receiver { l.s = s; return l }
func (l *lateTick) Message(Message)          {}
func (l *lateTick) Drained()                 {}
func (l *lateTick) Closed(Reason, error)     {}

// openPolling makes a server with one polling session.
func (l *lateTick) openPolling() (*Server, *Session) {
	srv := New(Config{}, l)
	srv.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/?EIO=4&transport=polling", nil))
	return srv, l.s
}

// The timer may have fired, and wait for the session's lock, when Close takes
// that. What is queued must still be sent.
func TestCloseInTheMomentOfAPingSendsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, s := new(lateTick).openPolling()
		s.Send(NewGroup(Message{Data: []byte("last")}))
		s.Close(ReasonForced)
		s.tick() // which the ping's timer had begun
		if s.ended() {
			t.Error("the session ended with something in its queue")
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The pong may come in the moment in which the time for it is over.
func TestPongInTheLastMomentCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, s := new(lateTick).openPolling()
		time.Sleep(25 * time.Second)
		synctest.Wait()
		s.pong()
		s.tick()
		if s.awaiting {
			t.Error("the next ping came at once")
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A client may drop a GET in the moment in which the upgrade lets go of it.
func TestDroppingAPollThatWasReleasedEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, s := new(lateTick).openPolling()
		p, _ := s.hold()
		s.release(p)
		s.desert(p)
		if s.ended() {
			t.Error("the session ended")
		}
		p, _ = s.hold()
		if s.desert(p); !s.ended() {
			t.Error("a poll that was held went unnoticed")
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
