package engineio

import (
	"maps"
	"slices"
	"sync/atomic"
)

// Stats are counters of what a server has done since it started, and of what is open now.
type Stats struct {
	Polling   int64 // sessions open now over polling
	WebSocket int64 // and over WebSocket

	Opened       int64 // sessions
	Upgraded     int64 // from polling to WebSocket, of those
	Closed       int64
	Slow         int64 // closed with ReasonSlow
	PingTimeouts int64
	Refused      int64 // requests answered with an error code

	MessagesIn int64
	BytesIn    int64 // payload of messages and POST bodies
	BytesOut   int64 // as written to connections, before HTTP's own compression
}

// Queues returns how many bytes wait for clients, and for how many sessions so many wait that
// they refuse more (Session.TrySend). It looks at each session.
func (s *Server) Queues() (bytes int64, full int) {
	s.mu.RLock()
	sessions := slices.Collect(maps.Values(s.sessions))
	s.mu.RUnlock()
	for _, session := range sessions {
		session.mu.Lock()
		if session.phase != phaseClosed {
			bytes += int64(session.queued)
			if session.owesDrained {
				full++
			}
		}
		session.mu.Unlock()
	}
	return bytes, full
}

type counters struct {
	polling, webSocket            atomic.Int64
	opened, upgraded, closed      atomic.Int64
	slow, pingTimeouts, refused   atomic.Int64
	messagesIn, bytesIn, bytesOut atomic.Int64
}

// Stats returns the counters. Each is exact, but they are not read at the same instant.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Polling: c.polling.Load(), WebSocket: c.webSocket.Load(),
		Opened: c.opened.Load(), Upgraded: c.upgraded.Load(), Closed: c.closed.Load(),
		Slow: c.slow.Load(), PingTimeouts: c.pingTimeouts.Load(), Refused: c.refused.Load(),
		MessagesIn: c.messagesIn.Load(), BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
	}
}

func (c *counters) transport(webSocket bool) *atomic.Int64 {
	if webSocket {
		return &c.webSocket
	}
	return &c.polling
}

func (c *counters) open(webSocket bool) {
	c.opened.Add(1)
	c.transport(webSocket).Add(1)
}

func (c *counters) upgrade() {
	c.upgraded.Add(1)
	c.polling.Add(-1)
	c.webSocket.Add(1)
}

func (c *counters) close(webSocket bool, reason Reason) {
	c.closed.Add(1)
	c.transport(webSocket).Add(-1)
	switch reason {
	case ReasonSlow:
		c.slow.Add(1)
	case ReasonPingTimeout:
		c.pingTimeouts.Add(1)
	}
}
