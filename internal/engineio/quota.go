package engineio

import (
	"net"
	"net/http"

	"expenseflow/internal/fair"
)

// A quota bounds the amount of something that all clients together may have, and gives
// each a fair share: see package fair. The keys are addresses, or the names that
// Session.SetOwner gave. The zero quota is unbounded.
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

// dominantAbove is how many sessions there must be before one key can be dominant.
const dominantAbove = 200

// dominated reports whether key has over nine tenths of all, and of how much.
func (q quota) dominated(key string) (held, all int64, dominated bool) {
	if q.Pool == nil {
		return 0, 0, false
	}
	held, all = q.Use(key)
	return held, all, all >= dominantAbove && held*10 > all*9
}

// hostOf returns the address in r.RemoteAddr without its port.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// A reservation is how many of the bytes of Config.MaxUnfinished are taken for one message,
// or of Config.MaxExcess for one queue. It must be used by one goroutine at a time.
type reservation struct {
	key   string // for whom; set with the first bytes
	bytes int64
}

// reserve takes n bytes more for the session's owner. It reports false if there are not
// as many left.
func (s *Session) reserve(r *reservation, n int64) bool {
	if r.bytes == 0 {
		r.key = s.ownerKey()
	}
	if !s.srv.byteQuota.take(r.key, n) {
		return false
	}
	r.bytes += n
	return true
}

// release gives back all of r.
func (s *Session) release(r *reservation) {
	if r.bytes > 0 {
		s.srv.byteQuota.give(r.key, r.bytes)
		*r = reservation{}
	}
}

// ownerKey returns the key under which the session's bytes are counted.
func (s *Session) ownerKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ownerKeyLocked()
}

func (s *Session) ownerKeyLocked() string {
	if s.owner != "" {
		return "owner " + s.owner
	}
	return s.address
}

// Establish sets whether the application has accepted the client. A new session is not
// established: it counts towards Config.MaxPending, and its messages are bounded by
// Config.MaxEarlyPayload, which later ones are not.
func (s *Session) Establish(ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseClosed || s.established.Load() == ok {
		return
	}
	s.established.Store(ok)
	if ok {
		s.leavePendingLocked()
	} else {
		s.pending = s.srv.pendingQuota.take(s.address, 1) // if there is no place, it stays uncounted until it ends
	}
}

// leavePendingLocked stops counting the session towards Config.MaxPending.
func (s *Session) leavePendingLocked() {
	if s.pending {
		s.pending = false
		s.srv.pendingQuota.give(s.address, 1)
	}
}

// SetOwner has the bytes of further messages counted for name instead of the session's
// address.
func (s *Session) SetOwner(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owner = name
}

// Reserve takes n bytes of Config.MaxUnfinished for data of the client that the receiver
// holds, until release is called. ok is false if there are not as many left for this
// client.
func (s *Session) Reserve(n int) (release func(), ok bool) {
	r := new(reservation)
	if !s.reserve(r, int64(n)) {
		return nil, false
	}
	return func() { s.release(r) }, true
}

// messageLimit returns how many bytes one message may have now.
func (s *Session) messageLimit() int64 {
	if s.established.Load() {
		return s.srv.cfg.MaxPayload
	}
	return s.srv.cfg.MaxEarlyPayload
}
