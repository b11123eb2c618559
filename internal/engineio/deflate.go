package engineio

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateThreshold is the smallest message worth compressing, in bytes; smaller
// ones go uncompressed, which RFC 7692 allows per message.
const deflateThreshold = 1024

// deflateTail ends every flushed block and is not sent (RFC 7692 section 7.2.1).
var deflateTail = []byte{0x00, 0x00, 0xff, 0xff}

// deflaters are reset before each use: no context takeover, so that a message
// compressed once serves every connection.
var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // errs only for an invalid level
	return w
}}

// wantsNarrow tells whether a client asks the server for a smaller window than the
// deflaters have. Such an offer must be kept or declined (RFC 7692 section 7.1.2.1).
func wantsNarrow(h http.Header) bool {
	return slices.ContainsFunc(h.Values("Sec-WebSocket-Extensions"), func(offer string) bool {
		return strings.Contains(offer, "server_max_window_bits")
	})
}

func encodeDeflatedFrames(msgs []Message) []byte {
	var b []byte
	for _, m := range msgs {
		b = appendDeflatedFrame(b, m)
	}
	return b
}

// appendDeflatedFrame adds m compressed, or as it is when that is not shorter.
func appendDeflatedFrame(b []byte, m Message) []byte {
	if len(m.Data) < deflateThreshold {
		return appendMessageFrame(b, m)
	}
	packed := deflate(m)
	if len(packed) >= len(m.Data) {
		return appendMessageFrame(b, m)
	}
	bits := byte(opText | frameCompressed)
	if m.Binary {
		bits = opBinary | frameCompressed
	}
	return append(appendFrameHeader(b, bits, len(packed)), packed...)
}

// deflate compresses what an uncompressed frame of m would carry.
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
