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

// inAMoment runs f on the polling session of a server, in time that f moves.
func inAMoment(t *testing.T, f func(t *testing.T, s *Session)) {
	synctest.Test(t, func(t *testing.T) {
		l := new(lateTick)
		srv := New(Config{}, l)
		srv.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/?EIO=4&transport=polling", nil))
		f(t, l.s)
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The timer may have fired, and wait for the session's lock, when Close takes
// that. What is queued must still be sent.
func TestCloseInTheMomentOfAPingSendsWhatIsQueued(t *testing.T) {
	inAMoment(t, func(t *testing.T, s *Session) {
		s.Send(NewGroup(Message{Data: []byte("last")}))
		s.Close(ReasonForced)
		s.tick() // which the ping's timer had begun
		if s.ended() {
			t.Error("the session ended with something in its queue")
		}
	})
}

// The pong may come in the moment in which the time for it is over.
func TestPongInTheLastMomentCounts(t *testing.T) {
	inAMoment(t, func(t *testing.T, s *Session) {
		time.Sleep(25 * time.Second)
		synctest.Wait()
		s.pong()
		s.tick()
		if s.awaiting {
			t.Error("the next ping came at once")
		}
	})
}

// A client may drop a GET in the moment in which the upgrade lets go of it.
func TestDroppingAPollThatWasReleasedEndsNothing(t *testing.T) {
	inAMoment(t, func(t *testing.T, s *Session) {
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
	})
}
