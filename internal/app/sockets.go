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
	"expenseflow/middleware"
)

// What sockets may occupy besides what is configured (docs/operations.md, "Limits of
// sockets"). Bytes and connections are shared fairly above half of a bound.
const (
	connectTimeout  = 10 * time.Second // for a connection without a good token
	maxEarlyPayload = 16 << 10         // bytes of one message before a good token
	maxUnfinished   = 64 << 20         // bytes of all messages that have not arrived or been handled
	maxStrangers    = 4096             // connections without a good token
)

// packetRate is how many packets of any kind a socket may send, by the rate of its
// events: far more than clients do, far less than keeps a core busy.
func packetRate(events config.Rate) (perSecond float64, burst int) {
	if events.PerSecond() <= 0 {
		return 0, 0
	}
	return max(100, 4*events.PerSecond()), max(1000, 4*events.N)
}

// warnCrowd says what it means when nearly all connections are of one address.
func warnCrowd(log *slog.Logger) func(address string, held, all int64) {
	return func(address string, held, all int64) {
		log.Warn("nearly all connections are of one address: if that is a proxy, list it in TRUSTED_PROXIES, or its visitors share one limit",
			slog.String("address", address), slog.Int64("connections", held), slog.Int64("of", all))
	}
}

// socketConfig turns settings into those of the Socket.IO server.
func socketConfig(cfg config.Config, pages *origin.Policy, trail socketio.Recovery, log *slog.Logger) socketio.Config {
	perSecond, burst := packetRate(cfg.SocketRate)
	return socketio.Config{
		ServeClient: true, ConnectTimeout: connectTimeout, ReleaseHandshake: true, Recovery: trail, Logger: log,
		MaxAttachments: -1, // no event takes any
		Engine: engineio.Config{
			Transports: cfg.Transports, QueueBytes: int(cfg.SocketQueue), MaxSessions: cfg.MaxConnections, Logger: log,
			CORS: &engineio.CORS{Decide: pages.CORS}, AllowRequest: pages.Check, Headers: noStore,
			Address: middleware.Network, Crowded: warnCrowd(log),
			MaxPending: maxStrangers, MaxEarlyPayload: maxEarlyPayload, MaxUnfinished: maxUnfinished,
			PacketRate: perSecond, PacketBurst: burst,
			KeepHeaders: []string{"Authorization", "Cookie"}, KeepQuery: []string{},
		},
	}
}

// noStore keeps the original's service worker from keeping polling answers
// (docs/contract.md#d27).
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
