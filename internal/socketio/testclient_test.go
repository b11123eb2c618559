package socketio

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

// A testClient is a client without a transport: an Engine.IO session that hands what the
// client sends to the receiver and keeps what the server sends. Messages are written as
// the text of packets; a binary one is "<hex>".
type testClient struct {
	t        *testing.T
	receiver engineio.Receiver
	done     chan struct{}
	calling  chan struct{} // has a value while a method of the receiver runs: one at a time

	mu       sync.Mutex
	sent     []string // by the server, since the last call of received
	onSend   func()   // called once something was sent
	queued   int
	limit    int // of TrySend, in bytes; 0: none
	refused  bool
	closed   bool
	reason   engineio.Reason
	known    bool         // see Establish
	reserved atomic.Int64 // bytes
	closings sync.WaitGroup
}

func (w *testClient) Handshake() *engineio.Handshake {
	return &engineio.Handshake{
		URL: "/socket.io/?EIO=4&transport=websocket&room=7", RemoteAddr: "192.0.2.1:1234",
		Header: http.Header{"User-Agent": {"test"}}, Query: url.Values{"room": {"7"}}, Time: time.Now(),
	}
}

func (w *testClient) ReleaseHandshake() {}
func (w *testClient) SetOwner(string)   {}
func (w *testClient) Charge(n int) bool { return true }

// Establish stores what it was given last.
func (w *testClient) Establish(known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = known
}

// Reserve counts the bytes, up to 10 MB.
func (w *testClient) Reserve(n int) (release func(), ok bool) {
	if w.reserved.Add(int64(n)) > 10_000_000 {
		w.reserved.Add(int64(-n))
		return nil, false
	}
	return func() { w.reserved.Add(int64(-n)) }, true
}
func (w *testClient) Done() <-chan struct{} { return w.done }

func (w *testClient) Send(g *engineio.Group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keep(g)
}

// keep keeps the messages of a group. w.mu is held.
func (w *testClient) keep(g *engineio.Group) bool {
	if w.closed {
		return false
	}
	for _, m := range g.Messages() {
		text := string(m.Data)
		if m.Binary {
			text = fmt.Sprintf("<%x>", m.Data)
		}
		w.sent = append(w.sent, text)
	}
	w.queued += g.Size()
	if w.onSend != nil {
		w.onSend()
	}
	return true
}

func (w *testClient) TrySend(g *engineio.Group) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit > 0 && w.queued >= w.limit {
		w.refused = true
		return false
	}
	return w.keep(g)
}

func (w *testClient) Close(r engineio.Reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed, w.reason = true, r
	close(w.done)
	w.closings.Go(func() {
		w.calling <- struct{}{}
		w.receiver.Closed(r, nil)
		<-w.calling
	})
}

// drop ends the session as a broken network does.
func (w *testClient) drop() { w.Close(engineio.ReasonTransportClose) }

// drain empties the queue as a client that reads fast does.
func (w *testClient) drain() {
	w.mu.Lock()
	w.queued = 0
	refused := w.refused
	w.refused = false
	w.mu.Unlock()
	if refused {
		w.receiver.Drained()
	}
}

// send delivers messages of the client: "<hex>" is binary.
func (w *testClient) send(messages ...string) {
	for _, m := range messages {
		msg := engineio.Message{Data: []byte(m)}
		var data []byte
		if _, err := fmt.Sscanf(m, "<%x>", &data); err == nil {
			msg = engineio.Message{Data: data, Binary: true}
		}
		w.deliver(msg)
	}
}

// deliver hands one message to the receiver, unless the session has closed.
func (w *testClient) deliver(m engineio.Message) {
	w.calling <- struct{}{}
	defer func() { <-w.calling }()
	select {
	case <-w.done:
	default:
		w.receiver.Message(m)
	}
}

// PublicID and Transport implement session.
func (w *testClient) PublicID() string  { return "a client" }
func (w *testClient) Transport() string { return engineio.WebSocket }

// newTestClient opens a connection to s.
func newTestClient(t *testing.T, s *Server) *testClient {
	w := &testClient{t: t, done: make(chan struct{}), calling: make(chan struct{}, 1)}
	w.receiver = s.open(w)
	return w
}

// received returns what was sent since the last call, when the server has nothing
// left to do. It works in a synctest bubble.
func (w *testClient) received() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// expect compares what was sent since the last call.
func (w *testClient) expect(want ...string) {
	w.t.Helper()
	if got := w.received(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("client received %q, want %q", got, want)
	}
}

// expectClosed checks that the connection was closed, for that reason.
func (w *testClient) expectClosed(reason engineio.Reason) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed || w.reason != reason {
		w.t.Errorf("closed %v for %q, want %q", w.closed, w.reason, reason)
	}
}

func (w *testClient) expectOpen() {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.t.Errorf("closed for %q, want open", w.reason)
	}
}

// A fixture is a server in a synctest bubble and its clients.
type fixture struct {
	*Server
	t       *testing.T
	clients []*testClient
}

// withServer runs fn with a server in a synctest bubble.
func withServer(t *testing.T, cfg Config, fn func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Logger == nil {
			cfg.Logger = slog.New(slog.DiscardHandler)
		}
		b := &fixture{Server: New(cfg), t: t}
		fn(b)
		for _, w := range b.clients {
			w.drop()
			w.closings.Wait()
		}
		if err := b.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// queuedBytes is how many bytes wait to be sent.
func (w *testClient) queuedBytes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}

// dial opens a connection.
func (b *fixture) dial() *testClient {
	w := newTestClient(b.t, b.Server)
	b.clients = append(b.clients, w)
	return w
}

// join opens a connection and joins a namespace.
func (b *fixture) join(nsp string) (*testClient, *Socket) {
	b.t.Helper()
	w := b.dial()
	return w, b.joinOn(w, nsp)
}

// joinOn joins a namespace on a connection.
func (b *fixture) joinOn(w *testClient, nsp string) *Socket {
	b.t.Helper()
	before := ids(b.socketsOf(nsp))
	w.send(string(appendHeader(nil, typeConnect, 0, nsp, noID)))
	w.received()
	for _, s := range b.socketsOf(nsp) {
		if !before[s.ID()] {
			return s
		}
	}
	b.t.Fatalf("no socket in %s", nsp)
	return nil
}

func (b *fixture) socketsOf(nsp string) []*Socket {
	if n := b.namespace(nsp); n != nil {
		return n.FetchSockets()
	}
	return nil
}

func ids(sockets []*Socket) map[string]bool {
	m := map[string]bool{}
	for _, s := range sockets {
		m[s.ID()] = true
	}
	return m
}

// pass lets time pass in the bubble, and everything happen that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// len is how many sockets the namespace has, whether they are connected or not.
func (n *Namespace) len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sockets)
}

// socket returns the socket of an id, nil if there is none.
func (n *Namespace) socket(id string) *Socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sockets[id]
}

// roomNames are the rooms that have members, sorted.
func (n *Namespace) roomNames() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.rooms))
}
