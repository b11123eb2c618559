package socketio

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

// A wire is an Engine.IO session without transports: what the client says goes
// straight to the receiver, what the server says is kept.
type wire struct {
	t        *testing.T
	receiver engineio.Receiver
	done     chan struct{}
	turn     chan struct{} // held while the receiver is told something, as the engine does

	mu       sync.Mutex
	sent     []string // binary messages as "<hex>"
	onSend   func()   // called once something was sent
	queued   int
	limit    int // of TrySend, in bytes; 0: none
	refused  bool
	stuck    bool // nothing volatile goes out
	closed   bool
	reason   engineio.Reason
	known    bool         // see Establish
	reserved atomic.Int64 // bytes
	closings sync.WaitGroup
}

func (w *wire) Handshake() *engineio.Handshake {
	return &engineio.Handshake{
		URL: "/socket.io/?EIO=4&transport=websocket&room=7", RemoteAddr: "192.0.2.1:1234",
		Header: http.Header{"User-Agent": {"test"}}, Query: url.Values{"room": {"7"}}, Time: time.Now(),
	}
}

func (w *wire) ReleaseHandshake() {}
func (w *wire) SetOwner(string)   {}
func (w *wire) Charge(n int) bool { return true }

// Establish keeps what was said last.
func (w *wire) Establish(known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = known
}

// Reserve keeps count, up to 10 MB.
func (w *wire) Reserve(n int) (release func(), ok bool) {
	if w.reserved.Add(int64(n)) > 10_000_000 {
		w.reserved.Add(int64(-n))
		return nil, false
	}
	return func() { w.reserved.Add(int64(-n)) }, true
}
func (w *wire) Transport() string     { return engineio.WebSocket }
func (w *wire) Done() <-chan struct{} { return w.done }

func (w *wire) Queued() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued
}

func (w *wire) Send(g *engineio.Group) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(g)
}

func (w *wire) put(g *engineio.Group) bool {
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

func (w *wire) TrySend(g *engineio.Group) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit > 0 && w.queued >= w.limit {
		w.refused = true
		return false
	}
	return w.put(g)
}

func (w *wire) SendVolatile(g *engineio.Group) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.stuck && w.put(g)
}

func (w *wire) Close(r engineio.Reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed, w.reason = true, r
	close(w.done)
	w.closings.Go(func() {
		w.turn <- struct{}{}
		w.receiver.Closed(r, nil)
		<-w.turn
	})
}

// drop is the network's end of the session.
func (w *wire) drop() { w.Close(engineio.ReasonTransportClose) }

// drain empties the queue as a fast network does.
func (w *wire) drain() {
	w.mu.Lock()
	w.queued = 0
	refused := w.refused
	w.refused = false
	w.mu.Unlock()
	if refused {
		w.receiver.Drained()
	}
}

// say delivers messages of the client: "<hex>" is binary.
func (w *wire) say(messages ...string) {
	for _, m := range messages {
		msg := engineio.Message{Data: []byte(m)}
		var data []byte
		if _, err := fmt.Sscanf(m, "<%x>", &data); err == nil {
			msg = engineio.Message{Data: data, Binary: true}
		}
		w.deliver(msg)
	}
}

// deliver hands over one message, unless the session has closed.
func (w *wire) deliver(m engineio.Message) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	select {
	case <-w.done:
	default:
		w.receiver.Message(m)
	}
}

// newWire opens a connection to s.
func newWire(t *testing.T, s *Server) *wire {
	w := &wire{t: t, done: make(chan struct{}), turn: make(chan struct{}, 1)}
	w.receiver = s.open(w)
	return w
}

// heard returns what was sent since the last call, when the server has nothing
// left to do. It works in a synctest bubble.
func (w *wire) heard() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// expect compares what was sent since the last call.
func (w *wire) expect(want ...string) {
	w.t.Helper()
	if got := w.heard(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("client heard %q, want %q", got, want)
	}
}

// expectClosed checks that the connection was closed, for that reason.
func (w *wire) expectClosed(reason engineio.Reason) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed || w.reason != reason {
		w.t.Errorf("closed %v for %q, want %q", w.closed, w.reason, reason)
	}
}

func (w *wire) expectOpen() {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.t.Errorf("closed for %q, want open", w.reason)
	}
}

// A bubble is a server in a synctest bubble.
type bubble struct {
	*Server
	t     *testing.T
	wires []*wire
}

// inBubble runs fn with a server whose time is the test's.
func inBubble(t *testing.T, cfg Config, fn func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if cfg.Logger == nil {
			cfg.Logger = slog.New(slog.DiscardHandler)
		}
		b := &bubble{Server: New(cfg), t: t}
		fn(b)
		for _, w := range b.wires {
			w.drop()
			w.closings.Wait()
		}
		if err := b.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// dial opens a connection.
func (b *bubble) dial() *wire {
	w := newWire(b.t, b.Server)
	b.wires = append(b.wires, w)
	return w
}

// join opens a connection and joins a namespace.
func (b *bubble) join(nsp string) (*wire, *Socket) {
	b.t.Helper()
	w := b.dial()
	return w, b.joinOn(w, nsp)
}

// joinOn joins a namespace on a connection.
func (b *bubble) joinOn(w *wire, nsp string) *Socket {
	b.t.Helper()
	before := ids(b.socketsOf(nsp))
	w.say(string(appendHeader(nil, typeConnect, 0, nsp, noID)))
	w.heard()
	for _, s := range b.socketsOf(nsp) {
		if !before[s.ID()] {
			return s
		}
	}
	b.t.Fatalf("no socket in %s", nsp)
	return nil
}

func (b *bubble) socketsOf(nsp string) []*Socket {
	if n := b.static(nsp); n != nil {
		return n.FetchSockets()
	}
	var list []*Socket
	for _, p := range b.patterns {
		for _, s := range p.FetchSockets() {
			if s.Namespace().Name() == nsp {
				list = append(list, s)
			}
		}
	}
	return list
}

func ids(sockets []*Socket) map[string]bool {
	m := map[string]bool{}
	for _, s := range sockets {
		m[s.ID()] = true
	}
	return m
}

// pass lets the bubble's time pass, and everything happen that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
