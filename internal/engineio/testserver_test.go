package engineio_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"expenseflow/internal/engineio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for what should happen at once; it is long for loaded machines.
const patience = 30 * time.Second

// A closeCall has the arguments of Receiver.Closed.
type closeCall struct {
	Reason engineio.Reason
	Err    error
}

// A peer is the server's side of one session: a Receiver that records its calls.
type peer struct {
	*engineio.Session
	messages  chan engineio.Message
	drained   chan struct{}
	closed    chan closeCall
	onMessage func(*peer, engineio.Message) // instead of recording
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

func (p *peer) Closed(reason engineio.Reason, err error) { p.closed <- closeCall{reason, err} }

// send queues text.
func (p *peer) send(text string) { p.Send(group(text)) }

func group(text string) *engineio.Group {
	return engineio.NewGroup(engineio.Message{Data: []byte(text)})
}

// echo is an onMessage that sends everything back.
func echo(p *peer, m engineio.Message) { p.Send(engineio.NewGroup(m)) }

// A testServer is a server under test together with a raw client of it: requests are
// written as query and body, packets as text.
type testServer struct {
	t      testing.TB
	server *engineio.Server
	http   *http.Server
	client *http.Client
	dialer *websocket.Dialer
	base   string // "http://host/engine.io/"
	peers  chan *peer
	setup  func(*peer) // called by Open

	reached atomic.Int64 // requests that arrived at the server
}

func (h *testServer) serve(w http.ResponseWriter, r *http.Request) {
	h.reached.Add(1)
	h.server.ServeHTTP(w, r)
}

func (h *testServer) Open(s *engineio.Session) engineio.Receiver {
	p := &peer{
		Session: s, messages: make(chan engineio.Message, 1<<10),
		drained: make(chan struct{}, 1<<10), closed: make(chan closeCall, 2),
	}
	if h.setup != nil {
		h.setup(p)
	}
	select {
	case h.peers <- p:
	default: // tests with many sessions do not collect them
	}
	return p
}

// open starts a server on a TCP port of its own.
func open(t testing.TB, cfg engineio.Config, setup ...func(*peer)) *testServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	return openOn(t, cfg, ln, (&net.Dialer{}).DialContext, setup...)
}

// openWithoutNetwork starts a server whose connections are pipes, for tests with
// testing/synctest.
func openWithoutNetwork(t testing.TB, cfg engineio.Config, setup ...func(*peer)) *testServer {
	ln := newPipeListener()
	return openOn(t, cfg, ln, ln.dial, setup...)
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func openOn(t testing.TB, cfg engineio.Config, ln net.Listener, dial dialFunc, setup ...func(*peer)) *testServer {
	h := &testServer{t: t, peers: make(chan *peer, 1<<10)}
	for _, f := range setup {
		h.setup = f
	}
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

// cut ends the server without waiting for clients, and fails if anything of it still
// runs.
func (h *testServer) cut() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.server.Shutdown(ctx); errors.Is(err, engineio.ErrReceiversBusy) {
		h.t.Errorf("Shutdown: %v", err)
	}
}

// shutdown ends the server as main would.
func (h *testServer) shutdown() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		h.t.Errorf("Shutdown: %v", err)
	}
}

// peer waits for the next session.
func (h *testServer) peer() *peer {
	h.t.Helper()
	return receive(h.t, h.peers, "a session")
}

// receive waits for a value that should come at once.
func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// A pipeListener accepts connections that are pipes within the process.
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
