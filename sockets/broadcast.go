package sockets

import (
	"fmt"

	"expenseflow/internal/socketio"
)

// namespace is the only one that clients use (docs/contract.md#socketio).
const namespace = "/"

// userRoom is the room of all sockets of a user. No client ever learns its name.
func userRoom(userID string) string { return "user:" + userID }

// A broadcaster sends states to several sessions.
type broadcaster struct{ nsp *socketio.Namespace }

// toUser sends a state to all sessions of a user.
func (b broadcaster) toUser(userID string, p *socketio.Packet) { sendStates(b.userSockets(userID), p) }

// toAll sends a state to all sessions.
func (b broadcaster) toAll(p *socketio.Packet) { sendStates(b.nsp.FetchSockets(), p) }

func (b broadcaster) userSockets(userID string) []*socketio.Socket {
	return b.nsp.To(userRoom(userID)).FetchSockets()
}

func sendStates(sockets []*socketio.Socket, p *socketio.Packet) {
	for _, socket := range sockets {
		if s, ok := socket.Data().(*session); ok {
			s.sendState(p)
		}
	}
}

// mustEncode makes an event of a payload of this package or of package wire, which can
// always be encoded.
func mustEncode(name string, payload any) *socketio.Packet {
	p, err := socketio.Encode(namespace, name, payload)
	if err != nil {
		panic(fmt.Errorf("sockets: encode %s: %w", name, err))
	}
	return p
}
