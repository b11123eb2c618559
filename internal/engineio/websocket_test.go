package engineio_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

func TestWebSocketCarriesPackets(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	c, p := h.connect()
	if p.Transport() != engineio.WebSocket {
		t.Errorf("transport %q", p.Transport())
	}
	for _, text := range []string{
		"4hello", "4", "4測試 🦄", "4" + strings.Repeat("x", 125), "4" + strings.Repeat("y", 70_000),
		"4" + strings.Repeat("z", 900_000),
	} {
		c.write(text)
		if got := c.read(); got != text {
			t.Errorf("sent %.20q and %d bytes more, got %.20q and %d", text, len(text), got, len(got))
		}
	}
	_ = c.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3, 4})
	if got := c.read(); got != "b:\x01\x02\x03\x04" {
		t.Errorf("binary came back as %q", got)
	}
	c.write("bAQID") // text that holds base64, as some proxies make it
	if got := c.read(); got != "b:\x01\x02\x03" {
		t.Errorf("base64 came back as %q", got)
	}
}

func TestWebSocketEnds(t *testing.T) {
	tests := []struct {
		name   string
		act    func(*webSocketClient, *peer)
		reason engineio.Reason
		cause  error
		code   int
	}{
		{"close packet", func(c *webSocketClient, _ *peer) { c.write("1") }, engineio.ReasonTransportClose, nil, 1000},
		{"unknown packet", func(c *webSocketClient, _ *peer) { c.write("abc") }, engineio.ReasonParse, nil, 1000},
		{"empty packet", func(c *webSocketClient, _ *peer) { c.write("") }, engineio.ReasonParse, nil, 1000},
		{
			"client's ping", func(c *webSocketClient, _ *peer) { c.write("2") }, engineio.ReasonTransportError,
			engineio.ErrHeartbeatDirection, 1000,
		},
		{
			"client's probe", func(c *webSocketClient, _ *peer) { c.write("2probe") }, engineio.ReasonTransportError,
			engineio.ErrHeartbeatDirection, 1000,
		},
		{
			"too long", func(c *webSocketClient, _ *peer) { c.write("4" + strings.Repeat("x", 2000)) }, engineio.ReasonTransportError, nil,
			1009,
		},
		{"not UTF-8", func(c *webSocketClient, _ *peer) { c.write("4\xff") }, engineio.ReasonTransportError, nil, 1007},
		{"close frame", func(c *webSocketClient, _ *peer) {
			_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4000, "bye"), time.Now().Add(patience))
		}, engineio.ReasonTransportClose, nil, 4000},
		{"connection lost", func(c *webSocketClient, _ *peer) { _ = c.NetConn().Close() }, engineio.ReasonTransportClose, nil, 0},
		{"server's close", func(_ *webSocketClient, p *peer) { p.Close(engineio.ReasonForced) }, engineio.ReasonForced, nil, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{MaxPayload: 1000})
			c, p := h.connect()
			tt.act(c, p)
			if code := c.code(); code != tt.code {
				t.Errorf("close code %d, want %d", code, tt.code)
			}
			got := receive(t, p.closed, "the close")
			if got.Reason != tt.reason || tt.cause != nil && !errors.Is(got.Err, tt.cause) {
				t.Errorf("closed with %q (%v), want %q", got.Reason, got.Err, tt.reason)
			}
			h.eventually("the session is gone", func() bool { return h.server.Len() == 0 })
		})
	}
}

func TestPacketsThatMeanNothingAreIgnored(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	c, _ := h.connect()
	for _, text := range []string{"0{}", "3", "3probe", "5", "6", "4still here"} {
		c.write(text)
	}
	if got := c.read(); got != "4still here" {
		t.Errorf("got %q", got)
	}
}

func TestMessagesBeforeABrokenOneStillCount(t *testing.T) {
	h := open(t, engineio.Config{})
	c, p := h.connect()
	c.write("4one")
	c.write("4two")
	c.write("zzz")
	c.write("4never")
	p.mustClose(t, engineio.ReasonParse, engineio.ErrParse)
	if got := texts(t, p, 2); got[0] != "one" || got[1] != "two" || len(p.messages) != 0 {
		t.Errorf("got %q and %d more", got, len(p.messages))
	}
}

func TestCloseSendsWhatIsQueuedFirst(t *testing.T) {
	h := open(t, engineio.Config{})
	c, p := h.connect()
	for range 100 {
		p.send(strings.Repeat("x", 10_000))
	}
	p.Close(engineio.ReasonForced)
	p.send("too late")
	n := 0
	for {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, data, err := c.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("ended by %v", err)
			}
			break
		}
		if n++; len(data) != 10_001 {
			t.Errorf("message %d has %d bytes", n, len(data))
		}
	}
	if n != 100 {
		t.Errorf("%d messages before the close", n)
	}
	p.mustClose(t, engineio.ReasonForced, nil)
}

func TestPongsAnswerWebSocketPings(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	c, _ := h.connect()
	pong := make(chan string, 1)
	c.SetPongHandler(func(text string) error { pong <- text; return nil })
	_ = c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(patience))
	c.write("4and data")
	if got := c.read(); got != "4and data" {
		t.Errorf("got %q", got)
	}
	if got := receive(t, pong, "the pong"); got != "are you there" {
		t.Errorf("pong %q", got)
	}
}

func TestOnlyWebSocket(t *testing.T) {
	h := open(t, engineio.Config{Transports: []string{engineio.WebSocket}})
	h.connect()
	if got := h.do("GET", newPolling, ""); got.Body != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("polling: %d %s", got.Status, got.Body)
	}
}

func TestPerMessageDeflate(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true}, echoing)
	h.dialer.EnableCompression = true
	c, p := h.connect()
	long := "4" + strings.Repeat("compress me ", 20_000)
	for _, text := range []string{"4short", long, "4" + strings.Repeat("🦄", 1000)} {
		c.write(text)
		if got := c.read(); got != text {
			t.Errorf("sent %d bytes, got %d", len(text), len(got))
		}
	}
	before := h.server.Stats().BytesOut
	shared := group(long[1:])
	p.Send(shared)
	c.read()
	h.eventually("it is counted", func() bool { return h.server.Stats().BytesOut > before })
	if n := h.server.Stats().BytesOut - before; n > 10_000 {
		t.Errorf("%d bytes of text took %d on the wire", len(long), n)
	}
	_ = c.WriteMessage(websocket.BinaryMessage, []byte(long))
	if got := c.read(); got != "b:"+long {
		t.Errorf("binary: %d bytes", len(got))
	}
}

func TestDeflateIsOfferedOnlyIfAskedFor(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	h.dialer.EnableCompression = true
	c, _ := h.connect()
	long := "4" + strings.Repeat("plain ", 1000)
	c.write(long)
	if got := c.read(); got != long {
		t.Errorf("got %d bytes", len(got))
	}
}
