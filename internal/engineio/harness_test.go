package engineio_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"expenseflow/internal/engineio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon bounds what should happen at once; it is long only for loaded machines.
const soon = 10 * time.Second

// A closing is what Receiver.Closed was told.
type closing struct {
	Reason engineio.Reason
	Err    error
}

// A peer is the server's side of one session: a Receiver that remembers.
type peer struct {
	*engineio.Session
	messages  chan engineio.Message
	drained   chan struct{}
	closed    chan closing
	onMessage func(*peer, engineio.Message) // instead of remembering
	onDrained func(*peer)
}

func (p *peer) Message(m engineio.Message) {
	if p.onMessage != nil {
		p.onMessage(p, m)
		return
	}
	p.messages <- m
}

func (p *peer) Drained() {
	if p.onDrained != nil {
		p.onDrained(p)
		return
	}
	p.drained <- struct{}{}
}

func (p *peer) Closed(reason engineio.Reason, err error) { p.closed <- closing{reason, err} }

// send queues text.
func (p *peer) send(text string) { p.Send(group(text)) }

func group(text string) *engineio.Group {
	return engineio.NewGroup(engineio.Message{Data: []byte(text)})
}

// echo is an onMessage that sends everything back.
func echo(p *peer, m engineio.Message) { p.Send(engineio.NewGroup(m)) }

// A house is a server under test and the clients' way to it.
type house struct {
	t      testing.TB
	server *engineio.Server
	http   *http.Server
	client *http.Client
	dialer *websocket.Dialer
	base   string // "http://host/engine.io/"
	peers  chan *peer
	setup  func(*peer) // called by Open

	reached atomic.Int64 // requests the server was given
}

func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	h.reached.Add(1)
	h.server.ServeHTTP(w, r)
}

func (h *house) Open(s *engineio.Session) engineio.Receiver {
	p := &peer{
		Session: s, messages: make(chan engineio.Message, 1<<10),
		drained: make(chan struct{}, 1<<10), closed: make(chan closing, 2),
	}
	if h.setup != nil {
		h.setup(p)
	}
	select {
	case h.peers <- p:
	default: // storms do not collect them
	}
	return p
}

var quiet = slog.New(slog.DiscardHandler)

// open starts a house on a TCP port of its own.
func open(t testing.TB, cfg engineio.Config, setup ...func(*peer)) *house {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return openOn(t, cfg, ln, (&net.Dialer{}).DialContext, setup...)
}

// openInMemory starts a house without a network, for tests in which time is not
// the machine's.
func openInMemory(t testing.TB, cfg engineio.Config, setup ...func(*peer)) *house {
	ln := newPipeListener()
	return openOn(t, cfg, ln, ln.dial, setup...)
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func openOn(t testing.TB, cfg engineio.Config, ln net.Listener, dial dialFunc, setup ...func(*peer)) *house {
	h := &house{t: t, peers: make(chan *peer, 1<<10)}
	for _, f := range setup {
		h.setup = f
	}
	cfg.Logger = quiet
	h.server = engineio.New(cfg, h)
	h.http = &http.Server{Handler: http.HandlerFunc(h.serve), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	h.base = "http://" + ln.Addr().String() + "/engine.io/"
	h.client = &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 100}}
	h.dialer = &websocket.Dialer{NetDialContext: dial}
	served := make(chan struct{})
	go func() { defer close(served); _ = h.http.Serve(ln) }()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		h.cut()
		_ = h.http.Close()
		<-served
	})
	return h
}

// cut ends the server without waiting for clients, and fails if anything of it
// goes on.
func (h *house) cut() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.server.Shutdown(ctx); errors.Is(err, engineio.ErrReceiversBusy) {
		h.t.Errorf("Shutdown: %v", err)
	}
}

// shutdown ends the server as main would.
func (h *house) shutdown() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		h.t.Errorf("Shutdown: %v", err)
	}
}

// peer waits for the next session.
func (h *house) peer() *peer {
	h.t.Helper()
	return receive(h.t, h.peers, "a session")
}

// receive waits for a value that should come soon.
func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(soon):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// A reply is an HTTP answer read to its end.
type reply struct {
	Status int
	Body   string
	Header http.Header
}

// do sends a request; edit may change it before.
func (h *house) do(method, query, body string, edit ...func(*http.Request)) reply {
	h.t.Helper()
	got, err := h.try(context.Background(), method, query, body, edit...)
	if err != nil {
		h.t.Fatalf("%s ?%s: %v", method, query, err)
	}
	return got
}

func (h *house) try(ctx context.Context, method, query, body string, edit ...func(*http.Request)) (reply, error) {
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

// A hello is the payload of the packet "open".
type hello struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseHello(t testing.TB, packet string) (v hello) {
	t.Helper()
	text, ok := strings.CutPrefix(packet, "0")
	if err := json.Unmarshal([]byte(text), &v); !ok || err != nil {
		t.Fatalf("not an open packet: %q", packet)
	}
	return v
}

const newPolling = "EIO=4&transport=polling"

// poll opens a polling session and returns its query.
func (h *house) poll() (query string, p *peer) {
	h.t.Helper()
	got := h.do("GET", newPolling, "")
	if got.Status != http.StatusOK {
		h.t.Fatalf("handshake: %d %s", got.Status, got.Body)
	}
	return newPolling + "&sid=" + url.QueryEscape(parseHello(h.t, got.Body).SID), h.peer()
}

// get polls and requires 200.
func (h *house) get(query string) string {
	h.t.Helper()
	got := h.do("GET", query, "")
	if got.Status != http.StatusOK {
		h.t.Fatalf("GET: %d %q", got.Status, got.Body)
	}
	return got.Body
}

// post sends packets and requires "ok".
func (h *house) post(query, body string) {
	h.t.Helper()
	if got := h.do("POST", query, body); got.Status != http.StatusOK || got.Body != "ok" {
		h.t.Fatalf("POST %q: %d %q", body, got.Status, got.Body)
	}
}

// later runs a request beside the test.
func (h *house) later(method, query, body string) <-chan reply {
	c := make(chan reply, 1)
	go func() {
		got, _ := h.try(context.Background(), method, query, body)
		c <- got
	}()
	return c
}

const newWebSocket = "EIO=4&transport=websocket"

// A socket is a client's WebSocket connection.
type socket struct {
	*websocket.Conn
	t testing.TB
}

func (h *house) webSocketURL(query string) string {
	return "ws" + strings.TrimPrefix(h.base, "http") + "?" + query
}

// dial opens a WebSocket connection without reading from it.
func (h *house) dial(query string) *socket {
	h.t.Helper()
	c, res, err := h.dialer.Dial(h.webSocketURL(query), nil)
	if err != nil {
		h.t.Fatalf("dial ?%s: %v (%v)", query, err, res)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return &socket{c, h.t}
}

// connect opens a session over WebSocket.
func (h *house) connect() (*socket, *peer) {
	h.t.Helper()
	c := h.dial(newWebSocket)
	parseHello(h.t, c.read())
	return c, h.peer()
}

// read returns the next message's text, or a binary one's bytes after "b:".
func (c *socket) read() string {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(soon))
	kind, data, err := c.ReadMessage()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if kind == websocket.BinaryMessage {
		return "b:" + string(data)
	}
	return string(data)
}

func (c *socket) write(text string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// code reads on until the connection ends and returns the close frame's status.
func (c *socket) code() int {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(soon))
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

// A pipeListener is a network of one process.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
