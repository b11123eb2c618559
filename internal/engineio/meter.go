package engineio

import (
	"errors"
	"time"
)

// ErrFlood comes with ReasonTransportError: the client sent more packets than
// Config.PacketRate allows.
var ErrFlood = errors.New("engineio: client sends too many packets")

// meteredBytes are what costs as much as one packet, whatever they are part of.
const meteredBytes = 4 << 10

// A meter counts packets by one moment: when all that came so far would have been
// due at the rate that is allowed, as time since the server's start. The zero meter
// is ready.
type meter time.Duration

// count adds n packets that came at the moment now, and reports whether that is
// more than burst ahead of the rate. each is the time that the rate has for one.
func (m *meter) count(now time.Duration, n int, each time.Duration, burst int) (flood bool) {
	*m = max(*m, meter(now)) + meter(time.Duration(n)*each)
	return time.Duration(*m)-now > time.Duration(burst)*each
}

// countLocked counts n packets of the session.
func (s *Session) countLocked(n int) (flood bool) {
	cfg := &s.srv.cfg
	if cfg.PacketRate <= 0 {
		return false
	}
	each := time.Duration(float64(time.Second) / cfg.PacketRate)
	return s.meter.count(time.Since(s.srv.began), n, each, cfg.PacketBurst)
}

// Charge counts n more packets than were received, for packets that are dear to
// the application. It ends the session, and reports false, if that is too much.
func (s *Session) Charge(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.countLocked(n) {
		s.endLocked(ReasonTransportError, ErrFlood)
		return false
	}
	return true
}
