package sockets

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"expenseflow/internal/socketio"
	"expenseflow/models"
)

// A meter counts what one socket says (SOCKET_RATE, docs/contract.md#live-features). A socket that
// says nothing has none. The zero meter is ready.
type meter struct{ taken, refused *rate.Limiter }

// patienceInBursts is how many bursts of refusals a socket may collect. A client that
// was offline says all at once what its page said meanwhile, and a socket that is closed
// does not come back by itself; how much may come at once the meter of packets bounds.
const patienceInBursts = 20

// take counts one event and gives how long the client should have waited, 0 if
// it is within the rate. A rate of 0 is no limit.
func (m *meter) take(perSecond float64, burst int) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	if m.taken == nil {
		m.taken = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	r := m.taken.Reserve()
	wait := r.Delay()
	if wait > 0 {
		r.Cancel()
	}
	return wait
}

// abused counts one refusal and tells whether they are too many: a client that goes on
// and on at more than twice its rate does not listen.
func (m *meter) abused(perSecond float64, burst int) bool {
	if m.refused == nil {
		m.refused = rate.NewLimiter(rate.Limit(perSecond), patienceInBursts*burst)
	}
	return !m.refused.Allow()
}

// refuse answers an event that came too early, and ends a socket that will not
// listen, for good: one that came back by itself would go on.
func (s *session) refuse(ctx context.Context, e *socketio.Event, wait time.Duration) {
	why := failed(&models.Error{Kind: models.TooMany, Msg: "Too many events"})
	why.RetryAfterMs = max(1, wait.Milliseconds())
	s.deny(e, why)
	if s.meter.abused(s.hub.opts.Rate, s.hub.opts.Burst) {
		s.hub.log.WarnContext(ctx, "socket floods and is closed", slog.String("event", e.Name), slog.String("user_id", s.userID))
		s.socket.Disconnect(true)
	}
}
