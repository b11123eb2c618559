package sockets

import (
	"time"

	"golang.org/x/time/rate"
)

// A rateMeter counts the events that one socket sends (SOCKET_RATE,
// docs/contract.md#commands). The events of a socket are handled one at a time, so its
// methods need not be called concurrently.
type rateMeter struct {
	accepted, refused *rate.Limiter
	share             time.Duration // of one event at the rate
	promised          time.Time     // when the event that was refused last may be sent again
}

// maxRefusedBursts is how many bursts of refused events a socket may collect before it
// is closed. A client that was offline sends at once what its page emitted meanwhile,
// and a socket that is closed for good does not come back by itself.
const maxRefusedBursts = 20

// newRateMeter makes a rateMeter that accepts perSecond events a second, which must be
// positive, after burst at once.
func newRateMeter(perSecond float64, burst int) *rateMeter {
	return &rateMeter{
		accepted: rate.NewLimiter(rate.Limit(perSecond), burst),
		refused:  rate.NewLimiter(rate.Limit(perSecond), maxRefusedBursts*burst),
		share:    wholeMillis(time.Duration(float64(time.Second) / perSecond)),
	}
}

// take counts one event at the time now. It returns 0 if the event is within the rate,
// and else how long the client has to wait. Refused events are given one share of the
// rate each, in the order in which they were refused: clients that wait as long as they
// are told find room.
func (m *rateMeter) take(now time.Time) time.Duration {
	r := m.accepted.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait <= 0 {
		return 0
	}
	r.CancelAt(now)
	free := now.Add(wholeMillis(wait))
	if next := m.promised.Add(m.share); next.After(free) {
		free = next
	}
	m.promised = free
	return free.Sub(now)
}

// abused counts one refusal and reports whether there are too many: the client keeps
// on sending at more than twice the rate.
func (m *rateMeter) abused() bool { return !m.refused.Allow() }

// wholeMillis rounds up to what clients are told: one that came a moment too early would
// be refused again.
func wholeMillis(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
