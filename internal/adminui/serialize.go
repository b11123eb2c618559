package adminui

import (
	"encoding/json"
	"net"
	"strings"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/socketio"
)

// A shownSocket is a socket as the page shows it.
type shownSocket struct {
	ID        string         `json:"id"`
	ClientID  string         `json:"clientId"`
	Transport string         `json:"transport"`
	Namespace string         `json:"nsp"`
	Data      any            `json:"data"`
	Handshake shownHandshake `json:"handshake"`
	Rooms     []string       `json:"rooms"`
}

// A shownHandshake is the first request of a socket. Its headers and query are not kept by
// the server, and would have tokens and cookies.
type shownHandshake struct {
	Address string   `json:"address"`
	Headers struct{} `json:"headers"`
	Query   struct{} `json:"query"`
	Issued  int64    `json:"issued"` // ms since 1970
	Secure  bool     `json:"secure"`
	Time    string   `json:"time"`
	URL     string   `json:"url"`
	XDomain bool     `json:"xdomain"`
}

// describeSocket returns what is shown of s. It may be called with the namespace locked.
func describeSocket(s *socketio.Socket, rooms []string, describe func(*socketio.Socket) any) shownSocket {
	h := s.Handshake()
	address, _, err := net.SplitHostPort(h.RemoteAddr)
	if err != nil {
		address = h.RemoteAddr
	}
	return shownSocket{
		ID: s.ID(), ClientID: s.ClientID(), Transport: s.Transport(), Namespace: s.Namespace().Name(), Data: describe(s),
		Handshake: shownHandshake{
			Address: address, Issued: h.Time.UnixMilli(), Secure: h.Secure, URL: h.URL,
			Time: h.Time.UTC().Format("Mon Jan 02 2006 15:04:05 GMT+0000 (UTC)"),
		},
		Rooms: rooms[:min(len(rooms), maxRooms)],
	}
}

// isoTime is a time as JavaScript writes it.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// shown returns the arguments of a record with which its event is sent to the page.
func (u *UI) shown(r *record) []any {
	switch {
	case r.payload != nil:
		return append(r.args, u.redacted(r.payload), isoTime(r.at))
	case r.event == updated:
		return r.args
	}
	return append(r.args, isoTime(r.at))
}

// updated is the one event of the page that has no time.
const updated = "socket_updated"

// sizeOf returns about how many bytes payloadOf returns.
func sizeOf(e *socketio.Event) (n int) {
	n = len(e.Name)
	for _, arg := range e.Args {
		n += len(arg) + 1
	}
	return n
}

// payloadOf returns a copy of an event in the form of Packet.Payload.
func payloadOf(e *socketio.Event) json.RawMessage {
	b := rawjson.AppendString([]byte{'['}, e.Name)
	for _, arg := range e.Args {
		b = append(append(b, ','), arg...)
	}
	return append(b, ']')
}

// redacted returns what may be shown of a payload, with a note in place of the arguments if
// that is much.
func (u *UI) redacted(payload json.RawMessage) json.RawMessage {
	shown := payload
	if u.opts.Redact != nil {
		shown = u.opts.Redact(payload)
	}
	if len(shown) <= maxPayload {
		return shown
	}
	return tooLarge(nameIn(payload))
}

// nameIn returns the name in a payload.
func nameIn(payload json.RawMessage) string {
	for first := range rawjson.Elements(payload) {
		return rawjson.Text(first)
	}
	return ""
}

// tooLarge returns what is shown of an event with this name in place of its payload.
func tooLarge(name string) json.RawMessage {
	b := rawjson.AppendString([]byte{'['}, strings.ToValidUTF8(name[:min(len(name), maxName)], ""))
	return append(b, `,"(too large to be shown)"]`...)
}
