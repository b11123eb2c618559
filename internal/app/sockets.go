package app

import (
	"log/slog"
	"net/http"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/engineio"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/internal/socketio"
)

// connectTimeout is how long a connection may be there without a good token.
const connectTimeout = 10 * time.Second

// socketConfig turns settings into those of the Socket.IO server.
func socketConfig(cfg config.Config, pages *origin.Policy, trail socketio.Recovery, log *slog.Logger) socketio.Config {
	return socketio.Config{
		ServeClient: true, ConnectTimeout: connectTimeout, ReleaseHandshake: true, Recovery: trail, Logger: log,
		Engine: engineio.Config{
			Transports: cfg.Transports, QueueBytes: int(cfg.SocketQueue), MaxSessions: cfg.MaxConnections, Logger: log,
			CORS: &engineio.CORS{Decide: pages.CORS}, AllowRequest: pages.Check, Headers: noStore,
		},
	}
}

// noStore keeps the original's service worker from keeping polling answers
// (CONTRACT D27, R7).
func noStore(h http.Header, _ *http.Request) {
	h.Set("Vary", "*")
	h.Set("Cache-Control", "no-store")
}

// measure shows the sockets among the metrics.
func (a *App) measure(m *observe.Metrics, engine *engineio.Server) {
	m.Gauge("expenseflow_sockets", "Sockets of signed-in users that are open.", nil, func() float64 { return float64(a.hub.Len()) })
	for transport, read := range map[string]func(engineio.Stats) int64{
		engineio.Polling:   func(s engineio.Stats) int64 { return s.Polling },
		engineio.WebSocket: func(s engineio.Stats) int64 { return s.WebSocket },
	} {
		m.Gauge("expenseflow_connections", "Open connections by transport.", map[string]string{"transport": transport},
			func() float64 { return float64(read(engine.Stats())) })
	}
	for name, read := range map[string]func(engineio.Stats) int64{
		"connections_opened": func(s engineio.Stats) int64 { return s.Opened },
		"connections_closed": func(s engineio.Stats) int64 { return s.Closed },
		"connections_slow":   func(s engineio.Stats) int64 { return s.Slow },
		"ping_timeouts":      func(s engineio.Stats) int64 { return s.PingTimeouts },
		"socket_refusals":    func(s engineio.Stats) int64 { return s.Refused },
		"socket_messages_in": func(s engineio.Stats) int64 { return s.MessagesIn },
		"socket_bytes_in":    func(s engineio.Stats) int64 { return s.BytesIn },
		"socket_bytes_out":   func(s engineio.Stats) int64 { return s.BytesOut },
	} {
		m.Counter("expenseflow_"+name+"_total", "Counted by the Socket.IO server since the start: "+name+".", nil,
			func() float64 { return float64(read(engine.Stats())) })
	}
}
