package sockets

import (
	"slices"
	"strings"

	"expenseflow/internal/socketio"
)

// Emit sends an event that another program of the application made (internal/emitters). It
// is in no log: a socket whose queue is full, or that is not connected, misses it. If it
// ends in a string or has no argument, each socket gets its offset behind the arguments
// (docs/contract.md#recovery).
//
// rooms are "user:<id>" or a bare id of a user, as the original's programs name both. No
// room is everybody. Other rooms have nobody in them; Emit returns how many of the rooms
// were such. Who is in one of except gets nothing. It does not block.
func (h *Hub) Emit(rooms, except []string, p *socketio.Packet) (unknown int) {
	addressed, unknown := h.inRooms(rooms, except)
	for _, s := range addressed {
		s.sendEphemeral(p)
	}
	return unknown
}

// DisconnectSockets ends sockets for good, and their connections too if closing. Rooms are
// those of Emit.
func (h *Hub) DisconnectSockets(rooms, except []string, closing bool) (unknown int) {
	addressed, unknown := h.inRooms(rooms, except)
	for _, s := range addressed {
		s.socket.Disconnect(closing)
	}
	return unknown
}

// inRooms returns the sessions in any of the rooms but in none of except.
func (h *Hub) inRooms(rooms, except []string) (addressed []*session, unknown int) {
	known := make([]string, 0, len(rooms))
	for _, room := range rooms {
		if userID, ok := userOfRoom(room); ok {
			known = append(known, userRoom(userID))
		} else {
			unknown++
		}
	}
	if len(rooms) > 0 && len(known) == 0 {
		return nil, unknown // without rooms, To addresses everybody
	}
	excepted := usersOfRooms(except)
	for _, socket := range h.send.nsp.To(known...).FetchSockets() {
		if s, ok := socket.Data().(*session); ok && !slices.Contains(excepted, s.userID) {
			addressed = append(addressed, s)
		}
	}
	return addressed, unknown
}

func usersOfRooms(rooms []string) (userIDs []string) {
	for _, room := range rooms {
		if userID, ok := userOfRoom(room); ok {
			userIDs = append(userIDs, userID)
		}
	}
	return userIDs
}

// userIDLength is that of the id of a user: hex digits (ledger.NewID).
const userIDLength = 24

// userOfRoom returns the user whose room a program means by this name.
func userOfRoom(name string) (userID string, ok bool) {
	userID = strings.TrimPrefix(name, "user:")
	notHex := func(c rune) bool { return !strings.ContainsRune("0123456789abcdef", c) }
	return userID, len(userID) == userIDLength && !strings.ContainsFunc(userID, notHex)
}
