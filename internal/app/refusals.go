package app

import (
	"context"
	"log/slog"

	"expenseflow/internal/engineio"
	"expenseflow/middleware"
	"expenseflow/models"
)

// A connectionRefusal is how the log names a limit of connections: the setting that decides,
// and a code, which clients are not told (docs/refusals.md).
type connectionRefusal struct{ code, setting string }

var connectionRefusals = map[engineio.Limit]connectionRefusal{
	engineio.LimitOrigin:     {code: "ORIGIN_REFUSED", setting: "FRONTEND_URL"},
	engineio.LimitHead:       {code: "REQUEST_TOO_LARGE", setting: models.FixedLimit},
	engineio.LimitPostponed:  {code: "CONNECT_RATE", setting: "CONNECT_RATE"},
	engineio.LimitSessions:   {code: "CONNECTIONS_FULL", setting: "MAX_CONNECTIONS"},
	engineio.LimitPending:    {code: "UNAUTHENTICATED_FULL", setting: models.FixedLimit},
	engineio.LimitUnfinished: {code: "MESSAGE_MEMORY", setting: models.FixedLimit},
	engineio.LimitPayload:    {code: "MESSAGE_TOO_LARGE", setting: models.FixedLimit},
	engineio.LimitPackets:    {code: "PACKET_RATE", setting: "SOCKET_RATE"},
	engineio.LimitQueue:      {code: "SLOW_CLIENT", setting: "SOCKET_QUEUE_BYTES"},
}

// onConnectionRefused logs which limit refused a connection or ended it
// (engineio.Config.Refused). What breaks the protocol is counted alone: after a restart
// every client asks for a session that is not there.
func (a *App) onConnectionRefused(r engineio.Refusal) {
	refusal, ok := connectionRefusals[r.Limit]
	switch {
	case !ok, r.Limit == engineio.LimitPostponed && a.refusing.Load():
		return
	case r.Request == nil:
		a.failures.Refused(context.Background(), "connection ended", refusal.code, refusal.setting,
			slog.String("ip", r.Address), slog.String("user_id", r.Owner))
		return
	}
	a.failures.Refused(r.Request.Context(), "connection refused", refusal.code, refusal.setting,
		slog.String("ip", middleware.Network(r.Request)))
}
