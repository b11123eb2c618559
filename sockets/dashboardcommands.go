package sockets

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// dashboardCommands handles the commands of dashboards (docs/contract.md#dashboard).
//
// The subscription is kept as a room of the socket, whose name says the days: rooms are
// remembered for a page whose connection is recovered, which does not subscribe again.
type dashboardCommands struct{ watchers *watchers }

// subscribe handles dashboard:subscribe {from?, to?}. The answer has the dashboard, and
// dashboard:update follows with it and with each change. A further subscription
// replaces the one before.
func (d *dashboardCommands) subscribe(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	from, to, err := wire.ParseDashboardSubscribe(arg)
	if err != nil {
		return receipt{}, err
	}
	days := dayRange{from, to}
	if err := setDashboardRoom(s.socket, days.room()); err != nil {
		return receipt{}, err
	}
	shown, err := d.show(ctx, s, days)
	if err != nil {
		_ = setDashboardRoom(s.socket, "") // it is not subscribed
		return receipt{}, err
	}
	return receipt{Dashboard: shown.doc}, nil
}

// show subscribes a session and sends it the dashboard.
func (d *dashboardCommands) show(ctx context.Context, s *session, days dayRange) (*dashboard, error) {
	w := d.watchers.of(s)
	if w == nil {
		return nil, socketio.ErrDisconnected
	}
	return w.dashboards.show(ctx, s, days)
}

// unsubscribe handles dashboard:unsubscribe. Without a subscription it does nothing.
func (d *dashboardCommands) unsubscribe(_ context.Context, s *session, _ json.RawMessage) (receipt, error) {
	if w := d.watchers.of(s); w != nil {
		w.dashboards.unsubscribe(s)
	}
	return receipt{}, setDashboardRoom(s.socket, "")
}

// dashboardRoom begins the names of the rooms that keep subscriptions.
const dashboardRoom = "dashboard:"

// setDashboardRoom has the socket be in one of these rooms alone; "" is in none.
func setDashboardRoom(socket *socketio.Socket, room string) error {
	for _, name := range socket.Rooms() {
		if strings.HasPrefix(name, dashboardRoom) && name != room {
			if err := socket.Leave(name); err != nil {
				return err
			}
		}
	}
	if room == "" {
		return nil
	}
	return socket.Join(room)
}

// room returns the name of the room that keeps a subscription to these days.
func (d dayRange) room() string {
	return dashboardRoom + formatDayRef(d.from) + "/" + formatDayRef(d.to)
}

// dayRangeOf reads what room wrote. ok is false for any other room.
func dayRangeOf(room string) (days dayRange, ok bool) {
	text, ok := strings.CutPrefix(room, dashboardRoom)
	from, to, _ := strings.Cut(text, "/")
	first, okFirst := parseDayRef(from)
	last, okLast := parseDayRef(to)
	return dayRange{first, last}, ok && okFirst && okLast
}

func formatDayRef(r models.DayRef) string {
	switch {
	case r.IsZero():
		return ""
	case r.IsDay:
		return r.Day.String()
	}
	return r.At.Format(time.RFC3339Nano)
}

// parseDayRef reads what formatDayRef wrote.
func parseDayRef(text string) (models.DayRef, bool) {
	if text == "" {
		return models.DayRef{}, true
	}
	if d, ok := models.ParseDay(text); ok {
		return models.DayRefOf(d), true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return models.DayRef{At: at.UTC()}, err == nil
}
