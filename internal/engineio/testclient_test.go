package engineio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// A reply is an HTTP answer read to its end.
type reply struct {
	Status int
	Body   string
	Header http.Header
}

// do sends a request; edit may change it before.
func (h *testServer) do(method, query, body string, edit ...func(*http.Request)) reply {
	h.t.Helper()
	got, err := h.try(context.Background(), method, query, body, edit...)
	if err != nil {
		h.t.Fatalf("%s ?%s: %v", method, query, err)
	}
	return got
}

func (h *testServer) try(ctx context.Context, method, query, body string, edit ...func(*http.Request)) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, h.base+"?"+query, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for _, f := range edit {
		f(r)
	}
	res, err := h.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, string(b), res.Header}, err
}

// An openPayload is the payload of the packet "open".
type openPayload struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpen(t testing.TB, packet string) (v openPayload) {
	t.Helper()
	text, ok := strings.CutPrefix(packet, "0")
	if err := json.Unmarshal([]byte(text), &v); !ok || err != nil {
		t.Fatalf("not an open packet: %q", packet)
	}
	return v
}

const newPolling = "EIO=4&transport=polling"

// poll opens a polling session and returns its query.
func (h *testServer) poll() (query string, p *peer) {
	h.t.Helper()
	got := h.do("GET", newPolling, "")
	if got.Status != http.StatusOK {
		h.t.Fatalf("handshake: %d %s", got.Status, got.Body)
	}
	return newPolling + "&sid=" + url.QueryEscape(parseOpen(h.t, got.Body).SID), h.peer()
}

// get polls and requires 200.
func (h *testServer) get(query string) string {
	h.t.Helper()
	got := h.do("GET", query, "")
	if got.Status != http.StatusOK {
		h.t.Fatalf("GET: %d %q", got.Status, got.Body)
	}
	return got.Body
}

// post sends packets and requires "ok".
func (h *testServer) post(query, body string) {
	h.t.Helper()
	if got := h.do("POST", query, body); got.Status != http.StatusOK || got.Body != "ok" {
		h.t.Fatalf("POST %q: %d %q", body, got.Status, got.Body)
	}
}

// later sends a request in the background.
func (h *testServer) later(method, query, body string) <-chan reply {
	c := make(chan reply, 1)
	go func() {
		got, _ := h.try(context.Background(), method, query, body)
		c <- got
	}()
	return c
}

const newWebSocket = "EIO=4&transport=websocket"

// A webSocketClient is a client's WebSocket connection.
type webSocketClient struct {
	*websocket.Conn
	t testing.TB
}

func (h *testServer) webSocketURL(query string) string {
	return "ws" + strings.TrimPrefix(h.base, "http") + "?" + query
}

// dial opens a WebSocket connection without reading from it.
func (h *testServer) dial(query string) *webSocketClient {
	h.t.Helper()
	c, res, err := h.dialer.Dial(h.webSocketURL(query), nil)
	if err != nil {
		h.t.Fatalf("dial ?%s: %v (%v)", query, err, res)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return &webSocketClient{c, h.t}
}

// connect opens a session over WebSocket.
func (h *testServer) connect() (*webSocketClient, *peer) {
	h.t.Helper()
	c := h.dial(newWebSocket)
	parseOpen(h.t, c.read())
	return c, h.peer()
}

// read returns the next message's text, or a binary one's bytes after "b:".
func (c *webSocketClient) read() string {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	kind, data, err := c.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if kind == websocket.BinaryMessage {
		return "b:" + string(data)
	}
	return string(data)
}

func (c *webSocketClient) write(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// code reads until the connection ends and returns the status code of the close frame, 0 if
// there was none.
func (c *webSocketClient) code() int {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	for {
		_, _, err := c.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code
		}
		if err != nil {
			return 0
		}
	}
}

// greeting is the first packet of a new session.
func (h *testServer) greeting(query string) string {
	h.t.Helper()
	if query == newWebSocket {
		return h.dial(query).read()
	}
	return h.do("GET", query, "").Body
}

// raw sends bytes over a connection of its own and reads one answer.
func (h *testServer) raw(request string) (int, http.Header, string) {
	h.t.Helper()
	c := h.tcp()
	if _, err := io.WriteString(c, request); err != nil {
		h.t.Fatalf("write: %v", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.t.Fatalf("response: %v", err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, string(body)
}

// tcp opens a bare connection.
func (h *testServer) tcp() *net.TCPConn {
	h.t.Helper()
	u, _ := url.Parse(h.base)
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		h.t.Fatalf("dial: %v", err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// eventually waits for what happens on another goroutine without a signal.
func (h *testServer) eventually(what string, ok func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("waited in vain until %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// held sends a GET and waits until the server has it.
func (h *testServer) held(query string) <-chan reply {
	h.t.Helper()
	before := h.reached.Load()
	c := h.later("GET", query, "")
	h.eventually("a GET arrived", func() bool { return h.reached.Load() > before })
	time.Sleep(time.Millisecond) // it is past the counter, not yet in the session; too early only makes a test weaker
	return c
}

// mustClose waits for the session's end; a nil cause stands for any.
func (p *peer) mustClose(t testing.TB, reason engineio.Reason, cause error) {
	t.Helper()
	got := receive(t, p.closed, "the close")
	if got.Reason != reason || cause != nil && !errors.Is(got.Err, cause) {
		t.Errorf("closed with %q (%v), want %q (%v)", got.Reason, got.Err, reason, cause)
	}
	select {
	case again := <-p.closed:
		t.Errorf("closed twice: %v", again)
	default:
	}
}

// texts reads n messages of a peer.
func texts(t testing.TB, p *peer, n int) []string {
	t.Helper()
	got := make([]string, n)
	for i := range got {
		got[i] = string(receive(t, p.messages, fmt.Sprintf("message %d", i)).Data)
	}
	return got
}

func echoing(p *peer) { p.onMessage = echo }

// webSocketOf turns a polling session's query into its upgrade's.
func webSocketOf(query string) string { return strings.Replace(query, "polling", "websocket", 1) }

// probe connects and has the probe answered.
func (h *testServer) probe(query string) *webSocketClient {
	h.t.Helper()
	c := h.dial(webSocketOf(query))
	c.write("2probe")
	if got := c.read(); got != "3probe" {
		h.t.Fatalf("probe answered by %q", got)
	}
	return c
}

// upgrade takes a polling session to WebSocket.
func (h *testServer) upgrade(query string, p *peer) *webSocketClient {
	h.t.Helper()
	c := h.probe(query)
	c.write("5")
	h.eventually("the session is upgraded", func() bool { return p.Transport() == engineio.WebSocket })
	return c
}

// from makes a handshake over polling that comes from an address, without a network.
func (h *testServer) from(addr, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/engine.io/?"+query, nil)
	r.RemoteAddr = addr
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}

// dialRaw shakes hands by hand and returns the answer's head.
func (h *testServer) dialRaw(t *testing.T, headers string) (net.Conn, *http.Response) {
	c := h.tcp()
	_, _ = fmt.Fprintf(c, "GET /engine.io/?%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: DXR4dX615eRds8nRmlhqtw==\r\n%s\r\n", newWebSocket, headers)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, res
}
