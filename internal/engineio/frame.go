package engineio

import (
	"encoding/binary"
	"math"
)

// The frames that this package writes itself (RFC 6455 section 5.2): whole
// messages of a server, hence final and unmasked.
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

// appendFrameHeader adds the header of a final, unmasked frame of n bytes.
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

// frameHeaderSize is the length of what appendFrameHeader adds.
func frameHeaderSize(n int) int {
	switch {
	case n <= maxSmallFrame:
		return 2
	case n <= math.MaxUint16:
		return 4
	}
	return 10
}

// appendTextFrame adds a text frame: the packets that are not messages.
func appendTextFrame(b []byte, kind packetType, data string) []byte {
	b = appendFrameHeader(b, opText, 1+len(data))
	b = append(b, byte(kind))
	return append(b, data...)
}

// appendMessageFrame adds m in its own frame; a binary message goes without a
// packet type (section "Packet encoding", "WebSocket").
func appendMessageFrame(b []byte, m Message) []byte {
	if m.Binary {
		return append(appendFrameHeader(b, opBinary, len(m.Data)), m.Data...)
	}
	b = appendFrameHeader(b, opText, 1+len(m.Data))
	return append(append(b, byte(packetMessage)), m.Data...)
}

// frameSize is the length of what appendMessageFrame adds.
func frameSize(m Message) int {
	n := len(m.Data)
	if !m.Binary {
		n++
	}
	return frameHeaderSize(n) + n
}

// appendCloseFrame adds a close frame with a status code (RFC 6455 section 7.4).
func appendCloseFrame(b []byte, code uint16) []byte {
	return binary.BigEndian.AppendUint16(appendFrameHeader(b, opClose, 2), code)
}
