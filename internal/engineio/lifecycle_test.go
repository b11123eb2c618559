package engineio_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

func TestSessionThatIsClosedInOpen(t *testing.T) {
	h := open(t, engineio.Config{}, func(p *peer) {
		p.send("no room for you")
		p.Close("turned away")
	})
	first := h.do("GET", newPolling, "").Body
	if !strings.HasSuffix(first, "\x1e4no room for you") {
		t.Errorf("polling handshake %q", first)
	}
	hello, _, _ := strings.Cut(first, "\x1e")
	if got := h.get(newPolling + "&sid=" + parseOpen(t, hello).SID); got != "1" {
		t.Errorf("next poll %q", got)
	}
	h.peer().mustClose(t, "turned away", nil)
	c, p := h.connect()
	if got := c.read(); got != "4no room for you" {
		t.Errorf("websocket got %q", got)
	}
	if code := c.code(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	p.mustClose(t, "turned away", nil)
}

func TestQueueFilledInOpenIsDrained(t *testing.T) {
	big := group(strings.Repeat("x", 10_000))
	for _, query := range []string{newPolling, newWebSocket} {
		h := open(t, engineio.Config{QueueBytes: 5_000}, func(p *peer) {
			for p.TrySend(big) {
			}
		})
		h.greeting(query)
		receive(t, h.peer().drained, "Drained")
	}
}

func TestOverAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "engine.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	h := openOn(t, engineio.Config{}, named{ln}, dial, echoing)
	c, _ := h.connect()
	for range 100 {
		c.write("4hello")
		if got := c.read(); got != "4hello" {
			t.Fatalf("got %q", got)
		}
	}
}

// named gives a listener an address that fits into a URL.
type named struct{ net.Listener }

func (named) Addr() net.Addr { return pipeAddr{} }

func TestBrokenUpgradeHandshakeLeavesPollingAlone(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	query, _ := h.poll()
	status, header, body := h.raw("GET /engine.io/?" + webSocketOf(query) +
		" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	if status != http.StatusBadRequest || header.Get("Sec-WebSocket-Version") != "13" {
		t.Errorf("got %d %v %q", status, header, body)
	}
	h.post(query, "4hello")
	if got := h.get(query); got != "4hello" {
		t.Errorf("polling: %q", got)
	}
}

func TestUpgradeDuringAShutdownIsCutOff(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	p.send("fetch me first")
	down := make(chan error, 1)
	go func() { down <- h.server.Shutdown(context.Background()) }()
	h.eventually("newcomers are refused", func() bool { return h.do("GET", newPolling, "").Status == 503 })
	if code := h.dial(webSocketOf(query)).code(); code != websocket.CloseAbnormalClosure {
		t.Errorf("closed with %d", code)
	}
	if got := h.get(query); got != "4fetch me first" {
		t.Errorf("polling: %q", got)
	}
	if got := h.get(query); got != "1" {
		t.Errorf("polling: %q", got)
	}
	if err := receive(t, down, "Shutdown"); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestClosedSessionRefusesPosts(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	p.Close(engineio.ReasonForced)
	h.post(query, "4nobody listens") // the client does not know yet
	h.get(query)
	if got := h.do("POST", query, "4x"); got.Status != 400 {
		t.Errorf("POST: %d", got.Status)
	}
	if len(p.messages) > 0 {
		t.Error("a message was delivered after Close")
	}
}

// Whatever bytes follow a WebSocket handshake, the session ends once and leaves nothing
// behind.
func FuzzWebSocketBytes(f *testing.F) {
	f.Add(small(finText, "4hello"))
	f.Add(append(small(text, "4a"), small(finMore, "b")...))
	f.Add(frame(finText, 1<<63, "4"))
	f.Add(small(finPing, "x"))
	f.Add(small(0x88, "\x03\xe8bye"))
	f.Add(small(finBomb, "\x00\x00"))
	f.Add(small(finBomb, string(packed([]byte("4 a message, compressed")))))
	f.Add(append(small(text|0x40, "\xf2\x48"), small(finMore, "\xcd\xc9\xc9\x07\x00")...))
	f.Add([]byte("\x81\x05hello"))
	h := openWithoutNetwork(f, engineio.Config{MaxPayload: 1000, PerMessageDeflate: true}, func(p *peer) { p.onMessage = echo })
	h.dialer.EnableCompression = true
	f.Fuzz(func(t *testing.T, bytes []byte) {
		here := &testServer{t: t, dialer: h.dialer, base: h.base, peers: h.peers}
		c, p := here.connect()
		go func() {
			for {
				if _, _, err := c.NextReader(); err != nil {
					return
				}
			}
		}()
		_, _ = c.NetConn().Write(bytes)
		_ = c.NetConn().Close()
		receive(t, p.closed, "the close")
	})
}
