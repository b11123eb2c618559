package emitters

import (
	"encoding/json"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/socketio"
)

// maxDepth is how deep the containers of a message may nest.
const maxDepth = 64

// emitterUID is what an emitter writes where servers write their own id.
const emitterUID = "emitter"

// The types of packets (Socket.IO protocol, "Packet types") that are events. Some emitters
// mark those with binary values.
const (
	packetEvent       = 2
	packetBinaryEvent = 5
)

// A packetJSON is the packet of an event, a part of the payload.
type packetJSON struct {
	Type int               `json:"type"`
	Data []json.RawMessage `json:"data"` // the name and the arguments
	NSP  string            `json:"nsp"`
}

// optionsJSON are whom a message is for.
type optionsJSON struct {
	Rooms  []string `json:"rooms"`
	Except []string `json:"except"`
}

// event makes the message of a packet. attachments are those that its arguments name.
func event(p packetJSON, to optionsJSON, attachments [][]byte) (message, result) {
	if p.NSP != namespace {
		return message{}, foreign
	}
	if p.Type != packetEvent && p.Type != packetBinaryEvent || len(p.Data) == 0 || p.Data[0][0] != '"' {
		return message{}, malformed
	}
	e := socketio.Event{Args: p.Data[1:], Attachments: attachments}
	packet, err := socketio.Encode(namespace, rawjson.Text(p.Data[0]), e.Values()...)
	if err != nil {
		return message{}, malformed
	}
	return message{rooms: to.Rooms, except: to.Except, packet: packet}, emitted
}

// decodeJSON stores a JSON text in v. It reports whether that was possible.
func decodeJSON(text []byte, v any) bool {
	return !rawjson.DeeperThan(maxDepth, text) && json.Unmarshal(text, v) == nil
}
