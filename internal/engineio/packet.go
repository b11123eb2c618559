package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"iter"
)

// A packetType is the first character of a packet in text form (section "Protocol").
type packetType byte

const (
	packetOpen    packetType = '0'
	packetClose   packetType = '1'
	packetPing    packetType = '2'
	packetPong    packetType = '3'
	packetMessage packetType = '4'
	packetUpgrade packetType = '5'
	packetNoop    packetType = '6'

	binaryPrefix = 'b'  // a binary message in a polling payload, as base64
	separator    = 0x1e // between the packets of a polling payload
)

// ErrParse comes with ReasonParse: the client sent a packet of no known type.
var ErrParse = errors.New("engineio: packet of unknown type")

// A packet is one decoded Engine.IO packet. data is a slice of the input, except for binary
// messages of a payload.
type packet struct {
	kind   packetType
	binary bool // only of messages
	data   []byte
}

// decodePacket decodes the text form of a packet, which is a WebSocket text message or a
// part of a polling payload (section "Packet encoding").
func decodePacket(text []byte) (packet, error) {
	if len(text) == 0 {
		return packet{}, ErrParse
	}
	switch c := text[0]; {
	case c == binaryPrefix:
		return packet{kind: packetMessage, binary: true, data: decodeBase64(text[1:])}, nil
	case c >= byte(packetOpen) && c <= byte(packetNoop):
		return packet{kind: packetType(c), data: text[1:]}, nil
	}
	return packet{}, ErrParse
}

// decodePayload yields the packets of a polling payload in order. It ends after the first
// malformed one; what comes before that still counts.
func decodePayload(payload []byte) iter.Seq2[packet, error] {
	return func(yield func(packet, error) bool) {
		for more := true; more; {
			var text []byte
			text, payload, more = bytes.Cut(payload, []byte{separator})
			p, err := decodePacket(text)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// decodeBase64 accepts what Node's Buffer.from does: both alphabets; other characters are
// skipped; the first "=" is the end.
func decodeBase64(text []byte) []byte {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	if n, err := base64.StdEncoding.Decode(out, text); err == nil {
		return out[:n]
	}
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		if c == '=' {
			break
		}
		clean = appendSextet(clean, c)
	}
	if len(clean)%4 == 1 { // six bits alone make no byte
		clean = clean[:len(clean)-1]
	}
	out = make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean) // only its own alphabet is left
	return out[:n]
}

// appendSextet appends c in the standard alphabet, or nothing if c is in neither.
func appendSextet(b []byte, c byte) []byte {
	switch {
	case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
		return append(b, c)
	case c == '-':
		return append(b, '+')
	case c == '_':
		return append(b, '/')
	}
	return b
}

// appendPayloadMessage appends a message in the form of a polling payload.
func appendPayloadMessage(b []byte, m Message) []byte {
	if m.Binary {
		return base64.StdEncoding.AppendEncode(append(b, binaryPrefix), m.Data)
	}
	return append(append(b, byte(packetMessage)), m.Data...)
}
