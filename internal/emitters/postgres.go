package emitters

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"expenseflow/internal/pubsub"
	"expenseflow/internal/socketio"
)

// The table in which @socket.io/postgres-emitter leaves what is too large for a
// notification. Who receives makes it, and removes what is old, as the adapters do.
const (
	createAttachments = `CREATE TABLE IF NOT EXISTS socket_io_attachments (
		id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea)`
	readAttachment    = "SELECT substr(payload, 1, $2) FROM socket_io_attachments WHERE id = $1"
	removeAttachments = "DELETE FROM socket_io_attachments WHERE created_at < now() - interval '30 seconds'"
)

// cleanInterval is how often old attachments are removed.
const cleanInterval = 30 * time.Second

// attachmentTimeout bounds reading an attachment: messages behind it wait.
const attachmentTimeout = 5 * time.Second

// AddPostgres receives from @socket.io/postgres-emitter, whose option channelPrefix is
// prefix.
func (r *Receiver) AddPostgres(broker *pubsub.Postgres, prefix string) {
	a := attachments{broker, &r.log}
	r.sources = append(r.sources, &source{
		name: "postgres", broker: broker,
		channels: pubsub.Channels{Names: []string{prefix + "#" + namespace}},
		decode: func(ctx context.Context, _, payload string) (message, result) {
			return decodeNotification(ctx, payload, a.read)
		},
		maintain: a.maintain,
	})
}

// attachments are those of the emitters.
type attachments struct {
	broker *pubsub.Postgres
	log    *pubsub.Log
}

// read returns the payload of an attachment, of one that is too large so much that it shows;
// nil if there is none.
func (a attachments) read(ctx context.Context, id int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, attachmentTimeout)
	defer cancel()
	return a.broker.ReadBytes(ctx, readAttachment, id, MaxPayload+1)
}

// maintain makes the table and removes old attachments until ctx ends.
func (a attachments) maintain(ctx context.Context) {
	statement := createAttachments
	for ctx.Err() == nil {
		running, cancel := context.WithTimeout(ctx, attachmentTimeout)
		err := a.broker.Exec(running, statement)
		cancel()
		if err != nil {
			a.log.Trouble(ctx, "large messages of emitters are not received or not removed", err)
			pubsub.Sleep(ctx, pubsub.LongestPause)
			continue
		}
		if statement == removeAttachments {
			pubsub.Sleep(ctx, cleanInterval)
		}
		statement = removeAttachments
	}
}

// The types of messages between the servers of the PostgreSQL adapter.
const (
	typeBroadcast         = 3
	typeDisconnectSockets = 6
)

// A notification is a message of the emitter, or with AttachmentID only its head.
type notification struct {
	UID          string          `json:"uid"`
	Type         int             `json:"type"`
	Data         json.RawMessage `json:"data"`
	AttachmentID json.RawMessage `json:"attachmentId"` // a number, or a string of one
}

// decodeNotification decodes a notification, which is JSON.
func decodeNotification(
	ctx context.Context, payload string, read func(context.Context, int64) ([]byte, error),
) (message, result) {
	var n notification
	switch {
	case !decodeJSON([]byte(payload), &n):
		return message{}, malformed
	case n.UID != emitterUID:
		return message{}, foreign
	case n.AttachmentID == nil:
		return n.decode(nil)
	}
	id, err := strconv.ParseInt(unquote(n.AttachmentID), 10, 64)
	if err != nil {
		return message{}, malformed
	}
	attached, err := read(ctx, id)
	switch {
	case err != nil || attached == nil:
		return message{}, missing
	case len(attached) > MaxPayload:
		return message{}, tooLarge
	}
	return decodeAttached(attached)
}

// unquote returns a JSON string without its quotes, and anything else as it is.
func unquote(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// decodeAttached decodes an attachment: a whole notification in msgpack.
func decodeAttached(data []byte) (message, result) {
	text, attachments, err := socketio.ReadMsgpack(data, maxDepth)
	var n notification
	if err != nil || json.Unmarshal(text, &n) != nil {
		return message{}, malformed
	}
	return n.decode(attachments)
}

// decode returns what a notification says.
func (n *notification) decode(attachments [][]byte) (message, result) {
	var data struct {
		Packet json.RawMessage `json:"packet"`
		Opts   optionsJSON     `json:"opts"`
		Close  bool            `json:"close"`
	}
	if n.Type == typeBroadcast || n.Type == typeDisconnectSockets {
		if json.Unmarshal(n.Data, &data) != nil {
			return message{}, malformed
		}
	}
	switch n.Type {
	case typeBroadcast:
		var p packetJSON
		if json.Unmarshal(data.Packet, &p) != nil {
			return message{}, malformed
		}
		return event(p, data.Opts, attachments)
	case typeDisconnectSockets:
		return message{rooms: data.Opts.Rooms, except: data.Opts.Except, closing: data.Close}, disconnected
	}
	return message{}, refused
}
