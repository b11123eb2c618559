package engineio

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateThreshold is the size of a frame's payload in bytes from which it is compressed, as
// in the reference server. RFC 7692 allows that smaller ones are not.
const deflateThreshold = 1024

// deflateTail is at the end of every flushed block and is not sent (RFC 7692 section 7.2.1).
var deflateTail = []byte{0x00, 0x00, 0xff, 0xff}

// deflaters are reset before each use (no context takeover), so that a message that is
// compressed once serves every connection.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // errs only for an invalid level
	return w
}}

// deflatedFrames returns the group as WebSocket frames for a connection with
// permessage-deflate: those of other connections, unless one of them is compressed.
func (g *Group) deflatedFrames() []byte {
	if !g.compressible {
		return g.webSocketFrames()
	}
	return g.encoded(&g.deflated, encodeDeflatedFrames)
}

// isCompressible reports whether m's frame has deflateThreshold bytes.
func isCompressible(m Message) bool { return payloadSize(m) >= deflateThreshold }

func encodeDeflatedFrames(msgs []Message) []byte {
	var b []byte
	for _, m := range msgs {
		b = appendDeflatedFrame(b, m)
	}
	return b
}

// appendDeflatedFrame appends m compressed, or uncompressed if that is not longer.
func appendDeflatedFrame(b []byte, m Message) []byte {
	if !isCompressible(m) {
		return appendMessageFrame(b, m)
	}
	packed := deflate(m)
	if len(packed) >= payloadSize(m) {
		return appendMessageFrame(b, m)
	}
	bits := byte(opText | frameCompressed)
	if m.Binary {
		bits = opBinary | frameCompressed
	}
	return append(appendFrameHeader(b, bits, len(packed)), packed...)
}

// deflate compresses the payload of m's frame.
func deflate(m Message) []byte {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if !m.Binary {
		_, _ = w.Write([]byte{byte(packetMessage)}) // a bytes.Buffer takes everything
	}
	_, _ = w.Write(m.Data)
	_ = w.Flush()
	return bytes.TrimSuffix(out.Bytes(), deflateTail)
}
