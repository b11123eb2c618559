package engineio

import "sync/atomic"

// Stats is what a server did since it started, and what is open now.
type Stats struct {
	Polling   int64 // sessions open now over polling
	WebSocket int64 // and over WebSocket

	Opened       int64 // sessions
	Upgraded     int64 // of those, how many went from polling to WebSocket
	Closed       int64
	Slow         int64 // closed with ReasonSlow
	PingTimeouts int64
	Refused      int64 // requests answered with an error code

	MessagesIn int64
	BytesIn    int64 // payload of messages and POST bodies
	BytesOut   int64 // as written to connections, before HTTP's own compression
}

type counters struct {
	polling, webSocket            atomic.Int64
	opened, upgraded, closed      atomic.Int64
	slow, pingTimeouts, refused   atomic.Int64
	messagesIn, bytesIn, bytesOut atomic.Int64
}

// Stats returns the counters; each is exact, together they are not one instant.
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
