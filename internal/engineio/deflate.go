package engineio

import (
	"bytes"
	"net/http"
	"strconv"
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

// offersDeflate tells whether one of the client's offers is a permessage-deflate
// that is kept as the server does it: no context taken over on either side, and no
// smaller window for what the server sends. An offer with a parameter that is
// unknown, invalid or there twice is declined (RFC 7692 section 7).
func offersDeflate(h http.Header) bool {
	for offer := range strings.SplitSeq(strings.Join(h.Values("Sec-WebSocket-Extensions"), ","), ",") {
		name, params, _ := strings.Cut(offer, ";")
		if strings.EqualFold(strings.TrimSpace(name), "permessage-deflate") && acceptableDeflate(params) {
			return true
		}
	}
	return false
}

func acceptableDeflate(params string) bool {
	seen := make(map[string]bool)
	for param := range strings.SplitSeq(params, ";") {
		name, value, valued := strings.Cut(strings.TrimSpace(param), "=")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
		bits, err := strconv.Atoi(value)
		window := err == nil && bits >= 8 && bits <= 15
		switch {
		case param == params && name == "":
			return true // no parameter at all
		case seen[name]:
			return false
		case name == "server_no_context_takeover" || name == "client_no_context_takeover":
			if valued {
				return false
			}
		case name == "client_max_window_bits":
			if valued && !window {
				return false
			}
		default: // server_max_window_bits too: the deflaters have no smaller window
			return false
		}
		seen[name] = true
	}
	return true
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
