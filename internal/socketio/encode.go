package socketio

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"expenseflow/internal/engineio"
)

// ErrReserved is what sending an event whose name means something to the client
// library itself gives: connect, connect_error, disconnect, disconnecting,
// newListener, removeListener.
var ErrReserved = errors.New("socketio: reserved event name")

// A Packet is one encoded event, for any number of sockets of its namespace. It
// does not change.
type Packet struct {
	nsp  string
	name string
	args []any // for OnAnyOutgoing

	body        []byte // the JSON array
	attachments [][]byte

	group atomic.Pointer[engineio.Group] // of the packet without an id
}

// Encode makes an event of namespace nsp once for everybody who is to get it.
// Arguments are anything that encoding/json takes, with [Binary] anywhere inside;
// a json.RawMessage is sent as it stands, after a check. The packet keeps args
// and the bytes of binaries: they must not change afterwards.
//
// Errors: ErrReserved, or that of an argument that cannot be encoded.
func Encode(nsp, event string, args ...any) (*Packet, error) {
	if reservedIn[event] {
		return nil, fmt.Errorf("%w: %q", ErrReserved, event)
	}
	if event == "" {
		return nil, errors.New("socketio: event without a name")
	}
	p := &Packet{nsp: cleanName(nsp), name: event, args: args}
	if err := p.encode(event, args); err != nil {
		return nil, fmt.Errorf("socketio: encode %q: %w", event, err)
	}
	return p, nil
}

// encode fills body and attachments.
func (p *Packet) encode(event string, args []any) error {
	w := argWriter{out: make([]byte, 0, 64)}
	if err := w.args(event, args); err != nil {
		return err
	}
	if !utf8.Valid(w.out) {
		return errors.New("not valid UTF-8") // a WebSocket client would hang up
	}
	p.body, p.attachments = w.out, w.attachments
	return nil
}

// Size is what the packet counts in a connection's queue, in bytes.
func (p *Packet) Size() int { return p.shared().Size() }

// shared is the group of the packet without an acknowledgement id.
func (p *Packet) shared() *engineio.Group {
	if g := p.group.Load(); g != nil {
		return g
	}
	g := newGroup(typeEvent, p.nsp, noID, p.body, p.attachments)
	if p.group.CompareAndSwap(nil, g) {
		return g
	}
	return p.group.Load()
}

// withID is a group of the packet that asks for an acknowledgement.
func (p *Packet) withID(id int64) *engineio.Group {
	return newGroup(typeEvent, p.nsp, id, p.body, p.attachments)
}

// newGroup makes the messages of one packet (Socket.IO protocol, "Packet
// encoding"): its text and its attachments behind it.
func newGroup(typ packetType, nsp string, id int64, body []byte, attachments [][]byte) *engineio.Group {
	text := appendHeader(make([]byte, 0, len(body)+len(nsp)+24), typ, len(attachments), nsp, id)
	text = append(text, body...)
	if len(attachments) == 0 {
		return engineio.NewGroup(engineio.Message{Data: text})
	}
	msgs := make([]engineio.Message, 1, len(attachments)+1)
	msgs[0].Data = text
	for _, a := range attachments {
		msgs = append(msgs, engineio.Message{Data: a, Binary: true})
	}
	return engineio.NewGroup(msgs...)
}

// appendHeader writes everything before the payload:
// "<type>[<attachments>-][<namespace>,][<id>]".
func appendHeader(b []byte, typ packetType, attachments int, nsp string, id int64) []byte {
	if attachments > 0 {
		b = append(b, '0'+byte(typ)+byte(typeBinaryEvent-typeEvent))
		b = strconv.AppendInt(b, int64(attachments), 10)
		b = append(b, '-')
	} else {
		b = append(b, '0'+byte(typ))
	}
	if nsp != "/" {
		b = append(b, nsp...)
		b = append(b, ',')
	}
	if id != noID {
		b = strconv.AppendInt(b, id, 10)
	}
	return b
}

// encodeAck makes the answer to a client's event.
func encodeAck(nsp string, id int64, args []any) (*engineio.Group, error) {
	var p Packet
	if err := p.encode("", args); err != nil {
		return nil, fmt.Errorf("socketio: encode acknowledgement: %w", err)
	}
	return newGroup(typeAck, nsp, id, p.body, p.attachments), nil
}

// control makes a packet without attachments: CONNECT, DISCONNECT, CONNECT_ERROR.
func control(typ packetType, nsp string, payload []byte) *engineio.Group {
	return newGroup(typ, nsp, noID, payload, nil)
}

// cleanName is a namespace's name as it travels: "chat" is "/chat".
func cleanName(name string) string {
	if name == "" || name[0] != '/' {
		return "/" + name
	}
	return name
}
