package emitters

import (
	"context"
	"encoding/json"
	"strings"

	"expenseflow/internal/pubsub"
	"expenseflow/internal/socketio"
)

// AddRedis receives from @socket.io/redis-emitter, whose option key is prefix.
func (r *Receiver) AddRedis(broker *pubsub.Redis, prefix string) {
	requests := prefix + "-request#" + namespace + "#"
	r.sources = append(r.sources, &source{
		name: "redis", broker: broker,
		// The name of a single room comes behind the channel's, and may be anything.
		channels: pubsub.Channels{
			Names: []string{requests}, Patterns: []string{pubsub.EscapePattern(prefix+"#"+namespace+"#") + "*"},
		},
		decode: func(_ context.Context, channel, payload string) (message, result) {
			if channel == requests {
				return decodeRequest(payload)
			}
			return decodeBroadcast(payload)
		},
	})
}

// decodeBroadcast decodes an event: [uid, packet, options] in msgpack.
func decodeBroadcast(payload string) (message, result) {
	text, attachments, err := socketio.ReadMsgpack([]byte(payload), maxDepth)
	var parts []json.RawMessage
	if err != nil || json.Unmarshal(text, &parts) != nil || len(parts) != 3 {
		return message{}, malformed
	}
	var uid string
	if json.Unmarshal(parts[0], &uid) != nil {
		return message{}, malformed
	}
	if uid != emitterUID {
		return message{}, foreign
	}
	var p packetJSON
	var to optionsJSON
	if json.Unmarshal(parts[1], &p) != nil || json.Unmarshal(parts[2], &to) != nil {
		return message{}, malformed
	}
	return event(p, to, attachments)
}

// The types of requests between the servers of the Redis adapter.
const requestDisconnect = 4

// decodeRequest decodes a command, which is JSON.
func decodeRequest(payload string) (message, result) {
	if !strings.HasPrefix(payload, "{") {
		return message{}, foreign // servers also write msgpack there
	}
	var request struct {
		Type  *int        `json:"type"`
		Opts  optionsJSON `json:"opts"`
		Close bool        `json:"close"`
	}
	switch {
	case !decodeJSON([]byte(payload), &request) || request.Type == nil:
		return message{}, malformed
	case *request.Type != requestDisconnect:
		return message{}, refused
	}
	return message{rooms: request.Opts.Rooms, except: request.Opts.Except, closing: request.Close}, disconnected
}
