package engineio_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"expenseflow/internal/engineio"
)

// The status codes by which frames at the edges of RFC 6455 and 7692 are answered.
func TestFramesAtTheEdgesOfTheRules(t *testing.T) {
	topBit := binary.BigEndian.AppendUint64([]byte{finText, 0x80 | 127}, 1<<63)
	tests := []struct {
		name     string
		deflated bool
		bytes    []byte
		code     int
	}{
		{"close of one byte", false, small(0x88, "x"), websocket.CloseProtocolError},
		{"close code 1014", false, small(0x88, "\x03\xf6"), 1014},
		{"close code 1005", false, small(0x88, "\x03\xed"), websocket.CloseProtocolError},
		{"close code 999", false, small(0x88, "\x03\xe7"), websocket.CloseProtocolError},
		{"close code 3000", false, small(0x88, "\x0b\xb8bye"), 3000},
		{"close code 5000", false, small(0x88, "\x13\x88"), websocket.CloseProtocolError},
		{"close without a code", false, small(0x88, ""), websocket.CloseNoStatusReceived},
		{"close reason that is no UTF-8", false, small(0x88, "\x03\xe8\xff"), websocket.CloseInvalidFramePayloadData},
		{"text that is no UTF-8", false, small(finText, "4\xff"), websocket.CloseInvalidFramePayloadData},
		{"length with its first bit set", false, append(topBit, 0, 0, 0, 0), websocket.CloseProtocolError},
		{"length over the limit", false, frame(finText, 1<<62, "4"), websocket.CloseMessageTooBig},
		{"compressed, not agreed on", false, small(finBomb, "4x"), websocket.CloseProtocolError},
		{"compressed continuation", true, append(small(text, "4"), small(0xc0, "x")...), websocket.CloseProtocolError},
		{"compressed twice over", true, append(small(text|0x40, "4"), small(0xc0, "x")...), websocket.CloseProtocolError},
		{"compressed ping", true, small(0xc9, "x"), websocket.CloseProtocolError},
		{"compressed pong", true, small(0xca, "x"), websocket.CloseProtocolError},
		{"compressed close", true, small(0xc8, "\x03\xe8"), websocket.CloseProtocolError},
		{"compressed garbage", true, small(finBomb, "\xff\xff\xff\xff"), websocket.CloseInvalidFramePayloadData},
		{"compressed text, no UTF-8", true, small(finBomb, string(packed([]byte("4\xff")))), websocket.CloseInvalidFramePayloadData},
		{"compressed to nothing at all", true, small(0xc2, ""), websocket.CloseInvalidFramePayloadData},
		{"compressed, cut", true, small(finBomb, string(packed([]byte("4 message"))[:5])), websocket.CloseInvalidFramePayloadData},
		{"compressed with the window of the last", true, keptWindow(), websocket.CloseInvalidFramePayloadData},
		{"second reserved bit", true, small(0xa1, "4"), websocket.CloseProtocolError},
		{"not masked", false, []byte{finText, 1, '4'}, websocket.CloseProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{PerMessageDeflate: true})
			h.dialer.EnableCompression = tt.deflated
			c, p := h.connect()
			_, _ = c.NetConn().Write(tt.bytes)
			if code := closeCode(c.NetConn()); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
			receive(t, p.closed, "the close")
			_ = c.Close()
		})
	}
}

// closeCode reads the close frame that comes next, since the client's library takes
// not every code.
func closeCode(c net.Conn) int {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var head, code [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil || head[0] != 0x88 {
		return 0
	}
	if head[1] == 0 {
		return websocket.CloseNoStatusReceived
	}
	_, _ = io.ReadFull(c, code[:])
	return int(binary.BigEndian.Uint16(code[:]))
}

// However a message is fragmented, masked, compressed and mixed with pings, it arrives whole.
func TestMessagesArriveHoweverTheyAreCut(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true, MaxPayload: 1 << 20}, echoing)
	h.dialer.EnableCompression = true
	rapid.Check(t, func(rt *rapid.T) {
		c, p := h.connect()
		defer c.Close()
		message := "4" + strings.Repeat("aé€😀", rapid.IntRange(0, 5000).Draw(rt, "length"))
		payload, first := []byte(message), byte(text)
		if rapid.Bool().Draw(rt, "compressed") {
			payload, first = packed(payload), text|0x40
		}
		var b []byte
		for last := false; !last; first = more {
			n := rapid.IntRange(0, len(payload)).Draw(rt, "cut")
			if last = rapid.Bool().Draw(rt, "last"); last {
				n, first = len(payload), first|0x80
			}
			b = append(b, masked(first, payload[:n], rapid.Uint32().Draw(rt, "mask"))...)
			payload = payload[n:]
			if !last && rapid.Bool().Draw(rt, "ping") {
				b = append(b, small(finPing, "x")...)
			}
		}
		_, _ = c.NetConn().Write(b)
		if got := c.read(); got != message {
			rt.Fatalf("%d bytes of %d", len(got), len(message))
		}
		_ = c.Close()
		receive(t, p.closed, "the close")
	})
}

// masked makes a frame of any length with a mask.
func masked(first byte, payload []byte, mask uint32) []byte {
	key := binary.LittleEndian.AppendUint32(nil, mask)
	b := append(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, uint64(len(payload))), key...)
	for i, c := range payload {
		b = append(b, c^key[i&3])
	}
	return b
}

// packed compresses a message as permessage-deflate sends it.
func packed(message []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = w.Write(message)
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// A second transport that did not complete its upgrade was closed without a close frame.
func TestAnUpgradeThatTimesOutIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{UpgradeTimeout: 2 * time.Second})
		query, _ := h.poll()
		c := h.dial(webSocketOf(query))
		if code := c.code(); code != websocket.CloseNormalClosure {
			t.Errorf("closed with %d", code)
		}
	})
}

// An empty binary message is not nil, which would become null further on.
func TestAnEmptyBinaryMessageIsThere(t *testing.T) {
	h := open(t, engineio.Config{})
	c, p := h.connect()
	_ = c.WriteMessage(websocket.BinaryMessage, nil)
	if got := receive(t, p.messages, "the message"); !got.Binary || got.Data == nil {
		t.Errorf("got %+v", got)
	}
}

// A flood went on for two seconds after its session had ended, and cost a core.
func TestAFloodIsNotReadAfterItsEnd(t *testing.T) {
	h := open(t, engineio.Config{PacketRate: 10, PacketBurst: 10})
	c, p := h.connect()
	sent := 0
	for err := error(nil); err == nil; {
		var n int
		n, err = c.NetConn().Write(bytes.Repeat(small(finText, "6"), 10_000))
		sent += n
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrFlood)
	if sent > 64<<20 { // most of it in the kernel's buffers
		t.Errorf("%d bytes were taken", sent)
	}
}

// A client whose connection was being closed could have a thousand more messages of a
// megabyte read.
func TestLargeFramesAfterTheCloseAreNotReadForLong(t *testing.T) {
	h := open(t, engineio.Config{})
	c, p := h.connect()
	c.write("1")
	receive(t, p.closed, "the close")
	large, sent := frame(finText, 1<<20, strings.Repeat("x", 1<<20)), 0
	for err := error(nil); err == nil && sent < 1<<30; {
		var n int
		n, err = c.NetConn().Write(large)
		sent += n
	}
	if sent > 64<<20 { // most of it in the kernel's buffers
		t.Errorf("%d bytes were taken", sent)
	}
}

// What a client sends between the close frame and its answer is read and dropped.
func TestFramesAfterTheCloseAreSkipped(t *testing.T) {
	h := open(t, engineio.Config{})
	c, p := h.connect()
	c.write("1")
	receive(t, p.closed, "the close")
	_, _ = c.NetConn().Write(append(frame(finText, 3000, strings.Repeat("x", 3000)), small(0x88, "\x03\xe8")...))
	if code := c.code(); code != websocket.CloseNormalClosure {
		t.Errorf("closed with %d", code)
	}
	if _, err := c.NetConn().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("then %v", err)
	}
}
