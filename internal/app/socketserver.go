package app

import (
	"log/slog"
	"net/http"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/middleware"
)

// The limits of sockets that are not configured (docs/operations.md, "Limits of
// sockets"). While more than half of the bytes or connections are taken, each address or
// user has an equal share of them.
const (
	connectTimeout     = 10 * time.Second // for a connection without a valid token
	maxEarlyPayload    = 16 << 10         // bytes of one message before a valid token
	maxUnfinished      = 64 << 20         // bytes of all messages that have not arrived or been handled
	maxUnauthenticated = 4096             // connections without a valid token
)

// ownRooms are those that a socket is in beside the rooms of expenses, which package sockets
// bounds by MAX_ROOMS_PER_SOCKET: its user's, and one that keeps its dashboard.
const ownRooms = 2

// packetRate returns how many packets of any kind a socket may send, from the rate of
// its events: far more than clients send, and far less than keeps a core busy.
func packetRate(events config.Rate) (perSecond float64, burst int) {
	if events.PerSecond() <= 0 {
		return 0, 0
	}
	return max(100, 4*events.PerSecond()), max(1000, 4*events.N)
}

// warnSharedAddress logs what it probably means that nearly all connections come from
// one address.
func warnSharedAddress(log *slog.Logger) func(address string, held, all int64) {
	return func(address string, held, all int64) {
		log.Warn("nearly all connections are of one address: if that is a proxy, "+
			"list it in TRUSTED_PROXIES, or its visitors share one limit",
			slog.String("address", address), slog.Int64("connections", held), slog.Int64("of", all))
	}
}

// socketConfig returns the configuration of the Socket.IO server.
func socketConfig(cfg config.Config, pages adminPages, recovery socketio.Recovery, log *slog.Logger) socketio.Config {
	perSecond, burst := packetRate(cfg.SocketRate)
	return socketio.Config{
		ServeClient: true, ConnectTimeout: connectTimeout, ReleaseHandshake: true, Recovery: recovery, Logger: log,
		MaxAttachments: -1, // no event takes any
		MaxRooms:       ownRooms + config.MostRooms,
		Engine: engineio.Config{
			Transports: cfg.Transports, QueueBytes: int(cfg.SocketQueue), MaxSessions: cfg.MaxConnections,
			CORS:         &engineio.CORS{Decide: pages.cors, ExposedHeaders: []string{middleware.HeaderRequestID, "Retry-After"}},
			AllowRequest: pages.check, Label: pages.label, Headers: noStore,
			Address: middleware.Network, Dominated: warnSharedAddress(log),
			MaxPending: maxUnauthenticated, MaxEarlyPayload: maxEarlyPayload, MaxUnfinished: maxUnfinished,
			PacketRate: perSecond, PacketBurst: burst, PerMessageDeflate: cfg.WebSocketCompression,
			KeepHeaders: []string{"Authorization", "Cookie", "Traceparent", "User-Agent"}, KeepQuery: []string{},
		},
	}
}

// noStore is set on polling answers, which the original's service worker would cache
// (docs/contract.md#d27).
func noStore(h http.Header, _ *http.Request) {
	h.Set("Vary", "*")
	h.Set("Cache-Control", "no-store")
}
