package sockets

import (
	"strings"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
)

// A SocketDescription is what an operator may know of a socket.
type SocketDescription struct {
	UserID   string `json:"userId"`
	DeviceID string `json:"deviceId"`
}

// DescribeSocket returns whose socket it is; nil before that is known. It takes no lock of
// the Hub.
func (h *Hub) DescribeSocket(socket *socketio.Socket) any {
	s, ok := socket.Data().(*session)
	if !ok {
		return nil
	}
	return SocketDescription{UserID: s.userID, DeviceID: s.device}
}

// OwnsRoom reports whether the Hub decides by rights who is in a room of this name.
func (h *Hub) OwnsRoom(room string) bool {
	return strings.HasPrefix(room, userRoom("")) || strings.HasPrefix(room, wire.Room("")) || strings.HasPrefix(room, dashboardRoom)
}
