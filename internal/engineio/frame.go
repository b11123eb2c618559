package engineio

import (
	"encoding/binary"
	"math"
)

// Frames of RFC 6455 (section 5.2). Those that this package writes are whole messages of a
// server, so they are final and unmasked.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	frameFinal      = 0x80
	frameCompressed = 0x40 // RSV1, RFC 7692 section 6
	maxSmallFrame   = 125
)

// appendFrameHeader appends the header of a final, unmasked frame of n bytes.
func appendFrameHeader(b []byte, bits byte, n int) []byte {
	b = append(b, frameFinal|bits)
	switch {
	case n <= maxSmallFrame:
		return append(b, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
}

// frameHeaderSize returns the length of what appendFrameHeader appends.
func frameHeaderSize(n int) int {
	switch {
	case n <= maxSmallFrame:
		return 2
	case n <= math.MaxUint16:
		return 4
	}
	return 10
}

// appendTextFrame appends a packet that is not a message, in a text frame.
func appendTextFrame(b []byte, kind packetType, data string) []byte {
	b = appendFrameHeader(b, opText, 1+len(data))
	b = append(b, byte(kind))
	return append(b, data...)
}

// appendMessageFrame appends m in its own frame. A binary message has no packet type
// (section "Packet encoding", "WebSocket").
func appendMessageFrame(b []byte, m Message) []byte {
	if m.Binary {
		return append(appendFrameHeader(b, opBinary, len(m.Data)), m.Data...)
	}
	b = appendFrameHeader(b, opText, 1+len(m.Data))
	return append(append(b, byte(packetMessage)), m.Data...)
}

// frameSize returns the length of what appendMessageFrame appends.
func frameSize(m Message) int {
	n := payloadSize(m)
	return frameHeaderSize(n) + n
}

// payloadSize returns the length of the payload of m's frame.
func payloadSize(m Message) int {
	if m.Binary {
		return len(m.Data)
	}
	return 1 + len(m.Data)
}

// appendCloseFrame appends a close frame with a status code (RFC 6455 section 7.4).
func appendCloseFrame(b []byte, code uint16) []byte {
	return binary.BigEndian.AppendUint16(appendFrameHeader(b, opClose, 2), code)
}
