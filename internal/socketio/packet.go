package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"expenseflow/internal/engineio"
)

// packetType is the first character of a packet (Socket.IO protocol, "Packet types").
type packetType byte

const (
	typeConnect packetType = iota
	typeDisconnect
	typeEvent
	typeAck
	typeConnectError
	typeBinaryEvent
	typeBinaryAck
)

// maxSafeID is the largest id that a JavaScript number holds exactly.
const maxSafeID = 1<<53 - 1

// noID marks a packet that asks for no acknowledgement.
const noID int64 = -1

// An inPacket is one packet of a client, whole: its attachments have arrived.
// The two binary types are folded into typeEvent and typeAck.
type inPacket struct {
	typ         packetType
	nsp         string
	id          int64             // noID if there is none
	args        []json.RawMessage // of events (without the name) and acks
	name        string            // of events
	data        json.RawMessage   // of CONNECT and CONNECT_ERROR; nil if it has no payload
	attachments [][]byte          // each stands in args as appendPlaceholder writes it, and nothing else does
	size        int               // bytes received for it
}

// limits bound one packet of a client, whatever is in it.
type limits struct {
	attachments int
	bytes       int // of the packet and its attachments
	nspBytes    int
	depth       int
}

// Errors of the decoder. All of them close the connection.
var (
	errUnknownType = errors.New("unknown packet type")
	errAttachments = errors.New("illegal attachments")
	errTooMany     = errors.New("too many attachments")
	errTooLarge    = errors.New("packet and attachments are too large")
	errNamespace   = errors.New("illegal namespace")
	errID          = errors.New("illegal acknowledgement id")
	errPayload     = errors.New("invalid payload")
	errDepth       = errors.New("payload nested too deeply")
	errStrayBinary = errors.New("got binary data when not reconstructing a packet")
	errStrayText   = errors.New("got plaintext data when reconstructing a packet")
	errReserved    = errors.New("reserved event name")
)

// reservedIn are event names with a meaning of their own in one of the two
// libraries (socket.io-parser, RESERVED_EVENTS).
var reservedIn = map[string]bool{
	"connect":        true,
	"connect_error":  true,
	"disconnect":     true,
	"disconnecting":  true,
	"newListener":    true,
	"removeListener": true,
}

// A decoder turns the messages of one connection into packets. It is used by
// the reader alone.
type decoder struct {
	limits  *limits
	parser  parser
	pending *inPacket // waits for attachments; usually nil
	missing int
}

// add takes the next message. It returns nil without an error while attachments
// are outstanding. After an error the decoder must not be used again.
func (d *decoder) add(m engineio.Message) (*inPacket, error) {
	switch {
	case d.parser == parserMsgpack && m.Binary:
		return parseMsgpack(m.Data, d.limits)
	case d.parser == parserMsgpack:
		return nil, errNotText
	case m.Binary:
		return d.addBinary(m.Data)
	case d.pending != nil:
		return nil, errStrayText
	}
	p, missing, err := parse(m.Data, d.limits)
	if err != nil {
		return nil, err
	}
	if missing == 0 {
		return p, nil
	}
	d.pending, d.missing = p, missing
	return nil, nil
}

// addBinary takes one attachment.
func (d *decoder) addBinary(data []byte) (*inPacket, error) {
	p := d.pending
	if p == nil {
		return nil, errStrayBinary
	}
	if p.size += len(data); d.limits.bytes > 0 && p.size > d.limits.bytes {
		return nil, errTooLarge
	}
	p.attachments = append(p.attachments, data)
	if d.missing--; d.missing > 0 {
		return nil, nil
	}
	d.pending = nil
	if err := p.normalize(); err != nil {
		return nil, err
	}
	return p, nil
}

// parse reads one text message and tells how many attachments follow it.
// The packet's payload points into text.
func parse(text []byte, lim *limits) (p *inPacket, missing int, err error) {
	if len(text) == 0 || text[0] < '0' || text[0] > '6' || !utf8.Valid(text) {
		return nil, 0, errUnknownType
	}
	p = &inPacket{typ: packetType(text[0] - '0'), nsp: "/", id: noID, size: len(text)}
	rest := text[1:]
	if p.typ == typeBinaryEvent || p.typ == typeBinaryAck {
		if missing, rest, err = cutAttachments(rest, lim.attachments); err != nil {
			return nil, 0, err
		}
		p.typ -= typeBinaryEvent - typeEvent
	}
	if p.nsp, rest, err = cutNamespace(rest, lim.nspBytes); err != nil {
		return nil, 0, err
	}
	if p.id, rest, err = cutID(rest); err != nil {
		return nil, 0, err
	}
	if len(rest) > 0 {
		if err := checkJSON(rest, lim.depth); err != nil {
			return nil, 0, err
		}
	}
	return p, missing, p.setPayload(rest)
}

// cutAttachments reads "<count>-".
func cutAttachments(b []byte, most int) (n int, rest []byte, err error) {
	digits := leadingDigits(b)
	if len(digits) == 0 || len(digits) == len(b) || b[len(digits)] != '-' {
		return 0, nil, errAttachments
	}
	n, err = strconv.Atoi(string(digits))
	if err != nil || n > most {
		return 0, nil, errTooMany
	}
	return n, b[len(digits)+1:], nil
}

// leadingDigits is the run of digits that b begins with.
func leadingDigits(b []byte) []byte {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n]
}

// cutNamespace reads "/name," if the packet has one. The comma may be missing
// at the end of the packet.
func cutNamespace(b []byte, most int) (nsp string, rest []byte, err error) {
	if len(b) == 0 || b[0] != '/' {
		return "/", b, nil
	}
	name, rest, _ := bytes.Cut(b, []byte{','})
	if len(name) > most || bytes.IndexFunc(name, unicode.IsControl) >= 0 {
		return "", nil, errNamespace
	}
	return string(name), rest, nil
}

// cutID reads the digits before the payload.
func cutID(b []byte) (id int64, rest []byte, err error) {
	digits := leadingDigits(b)
	if len(digits) == 0 {
		return noID, b, nil
	}
	id, err = strconv.ParseInt(string(digits), 10, 64)
	if err != nil || id > maxSafeID {
		return 0, nil, errID
	}
	return id, b[len(digits):], nil
}

// setPayload checks whether the payload, JSON or nothing, fits the type, and keeps
// it.
func (p *inPacket) setPayload(b []byte) error {
	switch p.typ {
	case typeConnect:
		return p.setAuth(b)
	case typeDisconnect:
		return refuseIf(len(b) > 0)
	case typeEvent:
		return p.setEvent(b)
	case typeAck:
		p.args = elements(b)
		return refuseIf(len(b) == 0 || b[0] != '[' || p.id == noID)
	default: // CONNECT_ERROR is said by servers alone; the caller closes
		return p.setError(b)
	}
}

// refuseIf is errPayload when bad.
func refuseIf(bad bool) error {
	if bad {
		return errPayload
	}
	return nil
}

// setAuth keeps the payload of a CONNECT, which is an object or absent.
func (p *inPacket) setAuth(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	p.data = b
	return refuseIf(b[0] != '{')
}

// setError keeps the payload of a CONNECT_ERROR, which is an object, a string or
// absent.
func (p *inPacket) setError(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	p.data = b
	return refuseIf(b[0] != '{' && b[0] != '"')
}

// setEvent splits the payload of an event into its name and arguments. The name
// is a string or, as the reference allows, a number.
func (p *inPacket) setEvent(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return errPayload
	}
	all := elements(b)
	if len(all) == 0 {
		return errPayload
	}
	name, err := eventName(all[0])
	if err != nil {
		return err
	}
	p.name, p.args = name, all[1:]
	return nil
}

// eventName is the text of the first element of an event.
func eventName(raw json.RawMessage) (string, error) {
	switch c := raw[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return string(raw), nil
	case c != '"':
		return "", errPayload
	}
	name, err := unquote(raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errPayload, err)
	}
	if reservedIn[name] {
		return "", errReserved
	}
	return name, nil
}

// unquote gives the text of a JSON string that was found valid, as UTF-8 too. Names
// of events hardly ever have anything escaped, and are then what stands there.
func unquote(raw json.RawMessage) (text string, err error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	err = json.Unmarshal(raw, &text)
	return text, err
}
