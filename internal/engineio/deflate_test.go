package engineio_test

import (
	"bytes"
	"compress/flate"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// Offers of permessage-deflate, and whether they are agreed to (RFC 7692 sections 5 and 7).
func TestOffersOfCompression(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true})
	for offer, agreed := range map[string]bool{
		"permessage-deflate":                                                        true,
		"Permessage-Deflate":                                                        true,
		"permessage-deflate; client_max_window_bits":                                true,
		"permessage-deflate;client_max_window_bits = \"1\\5\" ":                     true,
		"permessage-deflate; client_max_window_bits=10; server_no_context_takeover": true,
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":         true,
		"permessage-deflate; unknown, permessage-deflate":                           true,
		", , x-other; a=\"b,c\\\"\", permessage-deflate":                            false, // a quoted value is a token too
		", , x-other; a=\"b\", permessage-deflate":                                  true,
		"permessage-deflate; unknown":                                               false,
		"permessage-deflate; server_max_window_bits=10":                             false,
		"permessage-deflate; server_max_window_bits=15":                             false,
		"permessage-deflate; client_max_window_bits=7":                              false,
		"permessage-deflate; client_max_window_bits=16":                             false,
		"permessage-deflate; client_max_window_bits=+9":                             false,
		"permessage-deflate; client_max_window_bits=09":                             false,
		"permessage-deflate; client_max_window_bits=\"\"":                           false,
		"permessage-deflate; client_max_window_bits=":                               false,
		"permessage-deflate; client_no_context_takeover=1":                          false,
		"permessage-deflate; client_max_window_bits; Client_Max_Window_Bits":        false,
		"permessage-deflate;":                                                       false,
		"permessage-deflate; ;":                                                     false,
		"permessage-deflate x":                                                      false,
		"permessage-deflate=1":                                                      false,
		"permessage-deflate, \"":                                                    false,
		"permessage-deflate; a=\"b":                                                 false,
		"permessage-deflate\u00e9":                                                  false,
		"x-permessage-deflate":                                                      false,
		"x-webkit-deflate-frame; no_context":                                        false,
		"x=\"; permessage-deflate\"":                                                false,
		"x; y=\"a\\\", permessage-deflate, z\"":                                     false,
	} {
		_, res := h.dialRaw(t, "Sec-WebSocket-Extensions: "+offer+"\r\n")
		want := ""
		if agreed {
			want = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		}
		if got := res.Header.Get("Sec-WebSocket-Extensions"); res.StatusCode != http.StatusSwitchingProtocols || got != want {
			t.Errorf("%s is answered with %d, %q", offer, res.StatusCode, got)
		}
	}
}

// The ways in which a compressed message may be written all arrive as the same message, by
// the examples of RFC 7692 section 7.2.3 and the cases of the Autobahn suite.
func TestFormsOfCompressedMessages(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true}, echoing)
	h.dialer.EnableCompression = true
	c, _ := h.connect()
	whole := packed([]byte("4Hello"))
	var bytewise []byte
	for i := range whole {
		op := byte(0)
		if i == 0 {
			op = text | 0x40
		}
		bytewise = append(bytewise, small(op, string(whole[i:i+1]))...)
	}
	parted := slices.Concat(small(text|0x40, string(whole[:3])), small(finPing, "x"), small(finMore, string(whole[3:])))
	flushed := levelled(flate.BestSpeed, "4He", "llo")
	for name, b := range map[string][]byte{
		"one frame":               small(finBomb, string(whole)),
		"a frame for each byte":   append(bytewise, small(finMore, "")...),
		"pings between":           parted,
		"an empty first frame":    append(small(text|0x40, ""), small(finMore, string(whole))...),
		"several blocks":          small(finBomb, string(flushed)),
		"stored, not compressed":  small(finBomb, string(levelled(flate.NoCompression, "4Hello"))),
		"a final block, and more": small(finBomb, string(final("4Hello"))+"\x00"),
		"Huffman codes alone":     small(finBomb, string(levelled(flate.HuffmanOnly, "4Hello"))),
		"not compressed":          small(finText, "4Hello"),
	} {
		t.Run(name, func(t *testing.T) {
			_, _ = c.NetConn().Write(b)
			if got := c.read(); got != "4Hello" {
				t.Errorf("got %q", got)
			}
		})
	}
	_, _ = c.NetConn().Write(small(0xc2, "\x00"))
	if got := c.read(); got != "b:" {
		t.Errorf("the empty message: got %q", got)
	}
}

// levelled compresses parts as one message, each in a block of its own.
func levelled(level int, parts ...string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, level)
	for _, part := range parts {
		_, _ = w.Write([]byte(part))
		_ = w.Flush()
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// final compresses a message into a stream with its end.
func final(message string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write([]byte(message))
	_ = w.Close()
	return b.Bytes()
}

// keptWindow is two messages of a client that keeps its window although it agreed not to.
func keptWindow() []byte {
	message := "4" + strings.Repeat("once more with feeling ", 3)
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	var frames []byte
	for range 2 {
		b.Reset()
		_, _ = w.Write([]byte(message))
		_ = w.Flush()
		frames = append(frames, small(finBomb, string(bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})))...)
	}
	return frames
}

// What decompresses to more than a message may have is stopped there: in one frame or in
// many, and at the smaller bound of a client that was not accepted yet.
func TestFragmentedCompressionBombs(t *testing.T) {
	bomb := deflated(1 << 20)
	half := len(bomb) / 2
	fragments := append(frame(text|0x40, uint64(half), string(bomb[:half])),
		frame(finMore, uint64(len(bomb)-half), string(bomb[half:]))...)
	early := deflated(1 << 16)
	for name, tt := range map[string]struct {
		bytes []byte
		early int64
	}{
		"in fragments":        {bytes: fragments},
		"before it is joined": {bytes: frame(finBomb, uint64(len(early)), string(early)), early: 1 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, engineio.Config{PerMessageDeflate: true, MaxPayload: 1 << 17, MaxEarlyPayload: tt.early})
			h.dialer.EnableCompression = true
			c, p := h.connect()
			_, _ = c.NetConn().Write(tt.bytes)
			if code := c.code(); code != websocket.CloseMessageTooBig {
				t.Errorf("closed with %d", code)
			}
			p.mustClose(t, engineio.ReasonTransportError, nil)
		})
	}
}

// A thousand bytes that decompress to a megabyte cost what a megabyte costs.
func TestCompressedMessagesAreCountedAsTheyAreRead(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true, PacketRate: 1, PacketBurst: 500})
	h.dialer.EnableCompression = true
	c, p := h.connect()
	message := deflated(1 << 19)
	for range 20 {
		if _, err := c.NetConn().Write(frame(finBomb, uint64(len(message)), string(message))); err != nil {
			break
		}
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrFlood)
	if n := len(p.messages); n > 5 {
		t.Errorf("%d of them were handled", n)
	}
}

// A broadcast is compressed once, however many connections it goes to, and what is too
// small for that is in memory once for all connections.
func TestABroadcastIsCompressedOnce(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true})
	plain, p1 := h.connect()
	h.dialer.EnableCompression = true
	small, p2 := h.connect()
	again, p3 := h.connect()
	long := strings.Repeat("compress me ", 1000)
	before := h.server.Stats().BytesOut
	shared, little := group(long), group("little")
	for _, p := range []*peer{p1, p2, p3} {
		p.Send(shared)
		p.Send(little)
	}
	for _, c := range []*webSocketClient{plain, small, again} {
		if got := c.read(); got != "4"+long {
			t.Errorf("got %d bytes", len(got))
		}
		if got := c.read(); got != "4little" {
			t.Errorf("got %q", got)
		}
	}
	h.eventually("all is counted", func() bool { return h.server.Stats().BytesOut > before+int64(len(long)) })
	if n := h.server.Stats().BytesOut - before; n > int64(len(long))+2000 {
		t.Errorf("%d bytes on the wire for one connection without compression and two with it", n)
	}
}
