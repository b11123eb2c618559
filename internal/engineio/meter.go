package engineio

import (
	"errors"
	"time"
)

// ErrFlood comes with ReasonTransportError: the client sent more packets than Config.PacketRate
// allows.
var ErrFlood = errors.New("engineio: client sends too many packets")

// meteredBytes is how many bytes count as one more packet, whatever they are part of.
const meteredBytes = 4 << 10

// A meter limits a rate (generic cell rate algorithm). Its value is the time, since the
// start of the server, at which all packets so far would have arrived at the rate that is
// allowed. The zero meter is ready.
type meter time.Duration

// count adds n packets that arrived at the time now, and reports whether that is more than
// burst packets ahead of the rate. each is the time per packet at that rate.
func (m *meter) count(now time.Duration, n int, each time.Duration, burst int) (flood bool) {
	*m = max(*m, meter(now)) + meter(time.Duration(n)*each)
	return time.Duration(*m)-now > time.Duration(burst)*each
}

// countLocked counts n packets of the session, and reports whether they are too many.
func (s *Session) countLocked(n int) (flood bool) {
	cfg := &s.srv.cfg
	if cfg.PacketRate <= 0 {
		return false
	}
	each := time.Duration(float64(time.Second) / cfg.PacketRate)
	return s.meter.count(s.srv.now(), n, each, cfg.PacketBurst)
}

// Charge counts n packets more than were received, for packets that are expensive to the
// application. If that exceeds Config.PacketRate, it ends the session and returns false.
func (s *Session) Charge(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.countLocked(n) {
		s.endLocked(ReasonTransportError, ErrFlood)
		return false
	}
	return true
}
