package engineio

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// A sessionKeeper is a Handler whose session the test has.
type sessionKeeper struct{ s *Session }

func (l *sessionKeeper) Open(s *Session) Receiver { l.s = s; return l }
func (l *sessionKeeper) Message(Message)          {}
func (l *sessionKeeper) Drained()                 {}
func (l *sessionKeeper) Closed(Reason, error)     {}

// withSession runs f on the polling session of a server, in time that f moves.
func withSession(t *testing.T, f func(t *testing.T, s *Session)) {
	synctest.Test(t, func(t *testing.T) {
		l := new(sessionKeeper)
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
	withSession(t, func(t *testing.T, s *Session) {
		s.Send(NewGroup(Message{Data: []byte("last")}))
		s.Close(ReasonForced)
		s.onTimer() // which the ping's timer had begun
		if s.ended() {
			t.Error("the session ended with something in its queue")
		}
	})
}

// The pong may come in the moment in which the time for it is over.
func TestPongInTheLastMomentCounts(t *testing.T) {
	withSession(t, func(t *testing.T, s *Session) {
		time.Sleep(25 * time.Second)
		synctest.Wait()
		s.pong()
		s.onTimer()
		if s.awaitingPong {
			t.Error("the next ping came at once")
		}
	})
}

// A client may cancel a GET in the moment in which the upgrade answers it.
func TestCancellingAPollThatWasAnsweredEndsNothing(t *testing.T) {
	withSession(t, func(t *testing.T, s *Session) {
		p, _ := s.holdPoll()
		s.answerWithNoop(p)
		s.pollAborted(p)
		if s.ended() {
			t.Error("the session ended")
		}
		p, _ = s.holdPoll()
		if s.pollAborted(p); !s.ended() {
			t.Error("a poll that was held went unnoticed")
		}
	})
}
