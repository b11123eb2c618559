package socketio

import (
	"bytes"
	"encoding/json"
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
	offset      string // of EncodeAt
	id          int64  // noID unless it asks for an acknowledgement
	plain       bool   // never compressed

	forms [2]form // by parser
}

// A form is a packet as one parser spells it, made when it is needed.
type form struct {
	group   atomic.Pointer[engineio.Group] // as it is
	stamped atomic.Pointer[engineio.Group] // with its offset behind the arguments
}

// Encode makes an event of namespace nsp once for everybody who is to get it.
// Arguments are anything that encoding/json takes, with [Binary] anywhere inside;
// a json.RawMessage is sent as it stands, after a check. The packet keeps args
// and the bytes of binaries: they must not change afterwards.
//
// Errors: ErrReserved, or that of an argument that cannot be encoded.
func Encode(nsp, event string, args ...any) (*Packet, error) {
	return EncodeAt(nsp, "", event, args...)
}

// EncodeAt makes an event that tells a client how far it has come: for a socket
// that can be recovered, offset follows the arguments, and comes back in the
// client's next CONNECT. Others get the event as Encode makes it. See [Recovery].
func EncodeAt(nsp, offset, event string, args ...any) (*Packet, error) {
	if reservedIn[event] {
		return nil, fmt.Errorf("%w: %q", ErrReserved, event)
	}
	if event == "" {
		return nil, errors.New("socketio: event without a name")
	}
	p := &Packet{nsp: cleanName(nsp), name: event, args: args, offset: offset, id: noID}
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

// Size is about what the packet counts in a connection's queue, in bytes.
func (p *Packet) Size() int { return p.shared(parserJSON).Size() }

// derive is a packet of the same event that asks for an acknowledgement, unless id
// is noID, and may be never compressed.
func (p *Packet) derive(id int64, plain bool) *Packet {
	if id == p.id && plain == p.plain {
		return p
	}
	return &Packet{
		nsp: p.nsp, name: p.name, args: p.args, body: p.body, attachments: p.attachments,
		offset: p.offset, id: id, plain: plain,
	}
}

// shared is the packet as it is.
func (p *Packet) shared(by parser) *engineio.Group {
	return once(&p.forms[by].group, func() *engineio.Group { return p.make(by, p.body) })
}

// withOffset is the packet with an offset behind its arguments.
func (p *Packet) withOffset(by parser, offset string) *engineio.Group {
	build := func() *engineio.Group { return p.make(by, appendOffset(p.body, offset)) }
	if offset != p.offset {
		return build()
	}
	return once(&p.forms[by].stamped, build)
}

// once returns what slot holds, and lets build make it if there is nothing.
func once(slot *atomic.Pointer[engineio.Group], build func() *engineio.Group) *engineio.Group {
	if g := slot.Load(); g != nil {
		return g
	}
	slot.CompareAndSwap(nil, build())
	return slot.Load()
}

// make is a group of the packet with another body.
func (p *Packet) make(by parser, body []byte) *engineio.Group {
	g := by.group(typeEvent, p.nsp, p.id, body, p.attachments)
	if p.plain {
		return g.Uncompressed()
	}
	return g
}

// appendOffset is a copy of the array in body with one more element.
func appendOffset(body []byte, offset string) []byte {
	text, _ := json.Marshal(offset) // cannot fail
	out := make([]byte, 0, len(body)+len(text)+1)
	out = append(out, body[:len(body)-1]...)
	out = append(out, ',')
	out = append(out, text...)
	return append(out, ']')
}

// moves tells whether the client would take the last element of the event for an
// offset, because it is a string: its last argument or, without any, its name. An
// event that asks for an acknowledgement has a function there.
func (p *Packet) moves() bool {
	elements := bytes.TrimRight(p.body[:len(p.body)-1], " \t\n\r")
	return p.id == noID && elements[len(elements)-1] == '"'
}

// group makes the messages of one packet. body is its payload in JSON, without the
// attachments; it may be empty.
func (by parser) group(typ packetType, nsp string, id int64, body []byte, attachments [][]byte) *engineio.Group {
	if by == parserMsgpack {
		return msgpackGroup(typ, nsp, id, body, attachments)
	}
	return textGroup(typ, nsp, id, body, attachments)
}

// textGroup makes a packet's text and its attachments behind it (Socket.IO
// protocol, "Packet encoding").
func textGroup(typ packetType, nsp string, id int64, body []byte, attachments [][]byte) *engineio.Group {
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

// ack makes the answer to a client's event.
func (by parser) ack(nsp string, id int64, args []any) (*engineio.Group, error) {
	var p Packet
	if err := p.encode("", args); err != nil {
		return nil, fmt.Errorf("socketio: encode acknowledgement: %w", err)
	}
	return by.group(typeAck, nsp, id, p.body, p.attachments), nil
}

// control makes a packet without attachments: CONNECT, DISCONNECT, CONNECT_ERROR.
func (by parser) control(typ packetType, nsp string, payload []byte) *engineio.Group {
	return by.group(typ, nsp, noID, payload, nil)
}

// cleanName is a namespace's name as it travels: "chat" is "/chat".
func cleanName(name string) string {
	if name == "" || name[0] != '/' {
		return "/" + name
	}
	return name
}
