package engineio

import (
	"net"
	"net/http"

	"expenseflow/internal/fair"
)

// A quota is something of which all clients together may have a bounded amount, and
// each a fair share: see package fair. The keys are addresses, or the names that
// Session.SetOwner gave. A nil quota is unbounded.
type quota struct{ *fair.Pool }

func newQuota(most int64) quota {
	if most <= 0 {
		return quota{}
	}
	return quota{fair.New(fair.Options{Capacity: most})}
}

func (q quota) take(key string, n int64) bool { return q.Pool == nil || q.Try(key, n) }

func (q quota) give(key string, n int64) {
	if q.Pool != nil {
		q.Release(key, n)
	}
}

// manySessions is from how many sessions on it is told that nearly all of them are
// of one address.
const manySessions = 200

// crowded tells whether a key has over nine tenths of what many have.
func (q quota) crowded(key string) (held, all int64, crowded bool) {
	if q.Pool == nil {
		return 0, 0, false
	}
	held, all = q.Use(key)
	return held, all, all >= manySessions && held*10 > all*9
}

// hostOf is the address in r.RemoteAddr without its port.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// A loan is what was taken of the bytes for one message. It belongs to one
// goroutine.
type loan struct {
	key   string // who has it; set with the first bytes
	bytes int64
}

// borrow takes n bytes more for l, of those of the session's owner.
func (s *Session) borrow(l *loan, n int64) bool {
	if l.bytes == 0 {
		l.key = s.ownerKey()
	}
	if !s.srv.bytes.take(l.key, n) {
		return false
	}
	l.bytes += n
	return true
}

// repay gives back all of l.
func (s *Session) repay(l *loan) {
	if l.bytes > 0 {
		s.srv.bytes.give(l.key, l.bytes)
		*l = loan{}
	}
}

// ownerKey is the key under which the session's bytes are counted.
func (s *Session) ownerKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner != "" {
		return "owner " + s.owner
	}
	return s.address
}

// Establish says whether the application knows the client by now. A new session is
// not established: it counts towards Config.MaxPending, and its messages are bounded
// by Config.MaxEarlyPayload. What is sent afterwards is bounded by MaxPayload.
func (s *Session) Establish(known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseClosed || s.established.Load() == known {
		return
	}
	s.established.Store(known)
	if known {
		s.leavePendingLocked()
	} else {
		s.pending = s.srv.pending.take(s.address, 1) // or it is one too many, until it ends
	}
}

// leavePendingLocked gives back the place among those that are not established.
func (s *Session) leavePendingLocked() {
	if s.pending {
		s.pending = false
		s.srv.pending.give(s.address, 1)
	}
}

// SetOwner counts the bytes of further messages to the name instead of the
// session's address.
func (s *Session) SetOwner(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = name
}

// Reserve takes n bytes of Config.MaxUnfinished for something that the client made
// the receiver hold. It reports false if there are not as many left for this client;
// else release gives them back.
func (s *Session) Reserve(n int) (release func(), ok bool) {
	l := new(loan)
	if !s.borrow(l, int64(n)) {
		return nil, false
	}
	return func() { s.repay(l) }, true
}

// messageLimit is how many bytes one message may have now.
func (s *Session) messageLimit() int64 {
	if s.established.Load() {
		return s.srv.cfg.MaxPayload
	}
	return s.srv.cfg.MaxEarlyPayload
}
