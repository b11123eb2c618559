package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode"
	"unicode/utf8"

	"expenseflow/internal/engineio"
	"expenseflow/internal/rawjson"
)

// A packetType is the first character of a packet (Socket.IO protocol, "Packet types").
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

// An inPacket is one complete packet of a client: its attachments have arrived. The
// binary types are represented as typeEvent and typeAck.
type inPacket struct {
	typ         packetType
	nsp         string
	id          int64             // noID if there is none
	args        []json.RawMessage // of events (without the name) and acks
	name        string            // of events
	data        json.RawMessage   // of CONNECT and CONNECT_ERROR; nil if it has no payload
	attachments [][]byte          // see placeholder.go for how args refer to them
	size        int               // bytes received for it
}

// limits bound one packet of a client.
type limits struct {
	attachments int
	bytes       int // of the packet and its attachments
	nspBytes    int
	depth       int
}

// Errors of the decoder. Each closes the connection.
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

// reservedEvents are the event names that have a meaning of their own in the client or
// server library (socket.io-parser, RESERVED_EVENTS).
var reservedEvents = map[string]bool{
	"connect":        true,
	"connect_error":  true,
	"disconnect":     true,
	"disconnecting":  true,
	"newListener":    true,
	"removeListener": true,
}

// A decoder turns the messages of one connection into packets. It must be used by one
// goroutine at a time.
type decoder struct {
	limits  *limits
	parser  parser
	pending *inPacket // whose attachments have not all arrived; usually nil
	missing int       // how many attachments of pending
}

// add decodes the next message. It returns nil without an error while attachments are
// outstanding. After an error the decoder must not be used again.
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

// addBinary adds one attachment.
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

// parse decodes one text message and returns how many attachments follow it. The packet's
// payload shares the memory of text.
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

// cutAttachments cuts "<count>-" off b.
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

// leadingDigits returns the digits that b begins with.
func leadingDigits(b []byte) []byte {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n]
}

// cutNamespace cuts "/name," off b, if it begins with one. The comma may be missing at
// the end of the packet.
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

// cutID cuts the digits before the payload off b.
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

// checkJSON returns an error unless b is one JSON value, without white space before it,
// that nests at most maxDepth containers. Depth is looked at first, for that is cheap.
func checkJSON(b []byte, maxDepth int) error {
	if rawjson.DeeperThan(maxDepth, b) {
		return errDepth
	}
	return refuseIf(rawjson.IsSpace(b[0]) || !json.Valid(b))
}

// setPayload stores the payload, which is valid JSON or empty. It returns an error if the
// type of the packet does not allow it.
func (p *inPacket) setPayload(b []byte) error {
	switch p.typ {
	case typeConnect:
		return p.setAuth(b)
	case typeDisconnect:
		return refuseIf(len(b) > 0)
	case typeEvent:
		return p.setEvent(b)
	case typeAck:
		return p.setAck(b)
	default: // only servers may send CONNECT_ERROR; the caller closes the connection
		return p.setError(b)
	}
}

// refuseIf returns errPayload if bad.
func refuseIf(bad bool) error {
	if bad {
		return errPayload
	}
	return nil
}

// setAuth stores the payload of a CONNECT: an object, or nothing.
func (p *inPacket) setAuth(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	p.data = b
	return refuseIf(b[0] != '{')
}

// setError stores the payload of a CONNECT_ERROR: an object, a string, or nothing.
func (p *inPacket) setError(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	p.data = b
	return refuseIf(b[0] != '{' && b[0] != '"')
}

// setAck splits the payload of an acknowledgement, which answers an id.
func (p *inPacket) setAck(b []byte) error {
	if len(b) == 0 || b[0] != '[' || p.id == noID {
		return errPayload
	}
	p.args = elements(b)
	return nil
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

// elements are the values of a valid array, which begins with "[". They share its memory.
func elements(array []byte) []json.RawMessage {
	list := make([]json.RawMessage, 0, 4) // a name and a few arguments
	for v := range rawjson.Elements(array) {
		list = append(list, v)
	}
	return list
}

// eventName returns the text of the first element of an event.
func eventName(raw json.RawMessage) (string, error) {
	switch c := raw[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return string(raw), nil
	case c != '"':
		return "", errPayload
	}
	name := rawjson.Text(raw)
	if reservedEvents[name] {
		return "", errReserved
	}
	return name, nil
}
