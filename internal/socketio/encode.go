package socketio

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"expenseflow/internal/engineio"
	"expenseflow/internal/rawjson"
)

// ErrReserved is returned for an event whose name has a meaning of its own in client
// libraries: connect, connect_error, disconnect, disconnecting, newListener,
// removeListener.
var ErrReserved = errors.New("socketio: reserved event name")

// A Packet is one encoded event, for any number of sockets of its namespace. It is
// immutable and may be sent by several goroutines at once.
type Packet struct {
	nsp, event string

	body        []byte // the JSON array of name and arguments
	attachments [][]byte
	offset      string // of EncodeAt
	id          int64  // noID unless it asks for an acknowledgement
	size        int    // bytes of body and attachments

	count atomic.Pointer[eventCount] // of the namespace in which it was sent last; nil before
	forms [2]form                    // by parser
}

// A form is a packet as one parser encodes it, made when it is first needed.
type form struct {
	plain      atomic.Pointer[engineio.Group] // without an offset
	withOffset atomic.Pointer[engineio.Group] // with Packet.offset behind the arguments
}

// Encode encodes an event of namespace nsp once for everybody who is to get it.
// Arguments are anything that encoding/json takes. A json.RawMessage is sent as it is,
// after a check; what [Event.Values] returned is sent with its attachments. Bytes of
// arguments must not change afterwards.
//
// Errors: ErrReserved, or that of an argument that cannot be encoded.
func Encode(nsp, event string, args ...any) (*Packet, error) {
	return EncodeAt(nsp, "", event, args...)
}

// EncodeAt encodes an event of the application's log: a socket that can be recovered
// gets offset behind the arguments, and its client sends it back in the next CONNECT.
// Other sockets get the event as Encode makes it. See [Recovery].
func EncodeAt(nsp, offset, event string, args ...any) (*Packet, error) {
	if reservedEvents[event] {
		return nil, fmt.Errorf("%w: %q", ErrReserved, event)
	}
	if event == "" {
		return nil, errors.New("socketio: event without a name")
	}
	p := &Packet{nsp: cleanName(nsp), event: event, offset: offset, id: noID}
	if err := p.encode(event, args); err != nil {
		return nil, fmt.Errorf("socketio: encode %q: %w", event, err)
	}
	return p, nil
}

// encode fills body and attachments.
func (p *Packet) encode(event string, args []any) error {
	w := argWriter{out: make([]byte, 0, 64)}
	if err := w.array(event, args); err != nil {
		return err
	}
	if !utf8.Valid(w.out) {
		return errors.New("not valid UTF-8") // a WebSocket client would close the connection
	}
	p.body, p.attachments, p.size = w.out, w.attachments, len(w.out)
	for _, a := range w.attachments {
		p.size += len(a)
	}
	return nil
}

// group returns the packet as it is sent to connections of a parser.
func (p *Packet) group(by parser) *engineio.Group {
	return loadOrMake(&p.forms[by].plain, func() *engineio.Group {
		return by.group(typeEvent, p.nsp, p.id, p.body, p.attachments)
	})
}

// groupWithOffset returns the packet with an offset behind its arguments. It is encoded
// once for all who get the packet's own offset.
func (p *Packet) groupWithOffset(by parser, offset string) *engineio.Group {
	build := func() *engineio.Group {
		return by.group(typeEvent, p.nsp, p.id, appendOffset(p.body, offset), p.attachments)
	}
	if offset != p.offset {
		return build()
	}
	return loadOrMake(&p.forms[by].withOffset, build)
}

// loadOrMake returns the group in slot. If there is none, it stores the one that build
// makes.
func loadOrMake(slot *atomic.Pointer[engineio.Group], build func() *engineio.Group) *engineio.Group {
	if g := slot.Load(); g != nil {
		return g
	}
	slot.CompareAndSwap(nil, build())
	return slot.Load()
}

// appendOffset returns a copy of the array in body with one more element.
func appendOffset(body []byte, offset string) []byte {
	out := make([]byte, 0, len(body)+len(offset)+3)
	out = append(out, body[:len(body)-1]...)
	out = rawjson.AppendString(append(out, ','), offset)
	return append(out, ']')
}

// endsInString reports whether a client would take the last element of the event for an
// offset because it is a string: its last argument or, without any, its name. An event
// that asks for an acknowledgement has a function there.
func (p *Packet) endsInString() bool {
	elements := bytes.TrimRight(p.body[:len(p.body)-1], " \t\n\r")
	return p.id == noID && elements[len(elements)-1] == '"'
}

// group encodes one packet. body is its payload in JSON, without the attachments; it may
// be empty.
func (by parser) group(typ packetType, nsp string, id int64, body []byte, attachments [][]byte) *engineio.Group {
	if by == parserMsgpack {
		return msgpackGroup(typ, nsp, id, body, attachments)
	}
	return textGroup(typ, nsp, id, body, attachments)
}

// textGroup encodes a packet as a text message with its attachments behind it (Socket.IO
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

// appendHeader appends everything before the payload:
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

// ack encodes the acknowledgement of a client's event.
func (by parser) ack(nsp string, id int64, args []any) (*engineio.Group, error) {
	var p Packet
	if err := p.encode("", args); err != nil {
		return nil, fmt.Errorf("socketio: encode acknowledgement: %w", err)
	}
	return by.group(typeAck, nsp, id, p.body, p.attachments), nil
}

// control encodes a packet without attachments: CONNECT, DISCONNECT, CONNECT_ERROR.
func (by parser) control(typ packetType, nsp string, payload []byte) *engineio.Group {
	return by.group(typ, nsp, noID, payload, nil)
}

// cleanName returns the name of a namespace with its slash: "chat" is "/chat".
func cleanName(name string) string {
	if name == "" || name[0] != '/' {
		return "/" + name
	}
	return name
}
