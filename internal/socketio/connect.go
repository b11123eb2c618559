package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"expenseflow/internal/engineio"
)

// A ConnectError refuses a connection to a namespace for good (Socket.IO
// protocol, "Connection to a namespace": CONNECT_ERROR). The client raises
// connect_error with this message and data, and does not come back by itself.
type ConnectError struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"` // anything encoding/json takes
}

// Error implements error.
func (e *ConnectError) Error() string { return e.Message }

// ErrCloseTransport is what middleware returns to close the transport instead of
// refusing: the client tries again by itself, with growing pauses. It is the
// answer to trouble of ours.
var ErrCloseTransport = errors.New("socketio: close the transport")

// A Handshake is what opened a connection and what its CONNECT said. It must not
// be changed.
type Handshake struct {
	*engineio.Handshake

	// Auth is the payload of the CONNECT packet, a JSON object; {} if it had none.
	Auth json.RawMessage
}

var noAuth = json.RawMessage("{}")

// connect handles a CONNECT. While the namespace is being joined another one is
// ignored: clients send two when connect is called twice, and want one socket.
func (c *client) connect(nsp string, auth json.RawMessage) {
	ctx, err := c.reserve(nsp)
	if err != nil {
		c.violate(reasonForcedServer, err)
		return
	}
	if ctx == nil {
		return
	}
	if auth == nil {
		auth = noAuth
	}
	h := &Handshake{Handshake: c.opening(), Auth: auth}
	if n := c.server.static(nsp); n != nil && n.admitsAll() {
		c.admit(ctx, n, h)
		return
	}
	c.hold()
	go func() {
		defer c.release()
		c.negotiate(ctx, nsp, h)
	}()
}

// opening is what the connection's first request said.
func (c *client) opening() *engineio.Handshake {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hs
}

// forgetOpening lets go of the first request's headers and query.
func (c *client) forgetOpening() *engineio.Handshake {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hs = &engineio.Handshake{URL: c.hs.URL, RemoteAddr: c.hs.RemoteAddr, Secure: c.hs.Secure, Time: c.hs.Time}
	return c.hs
}

// reserve makes the link of a namespace that is being joined. It returns no
// context if that is under way already.
func (c *client) reserve(nsp string) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch i := c.find(nsp); {
	case i >= 0 && c.links[i].socket != nil:
		return nil, errState
	case i >= 0 || c.closed:
		return nil, nil
	case len(c.links) >= c.server.cfg.MaxNamespaces:
		return nil, fmt.Errorf("more than %d namespaces", len(c.links))
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.links = append(c.links, link{name: nsp, cancel: cancel})
	return ctx, nil
}

// negotiate asks the namespace whether the client may join.
func (c *client) negotiate(ctx context.Context, nsp string, h *Handshake) {
	n, err := c.server.find(nsp, h)
	if err != nil {
		c.refuse(nsp, err)
		return
	}
	defer n.release()
	c.admit(ctx, n, h)
}

// admit runs the middleware of n and joins the client to it.
func (c *client) admit(ctx context.Context, n *Namespace, h *Handshake) {
	s := newSocket(c, n, h)
	err := n.authorize(ctx, s)
	if err == nil {
		err = s.place(ctx)
	}
	if err != nil {
		s.discard()
		c.refuse(n.name, err)
		return
	}
	if !c.join(s) {
		s.discard()
	}
}

// join makes s the client's socket in its namespace. The answer to CONNECT is
// queued first, then broadcasts reach s, then OnConnect runs, then events. It
// reports false if the client has gone meanwhile.
func (c *client) join(s *Socket) bool {
	older, ok := c.connectSocket(s)
	if older != nil {
		older.evict()
	}
	return ok
}

// connectSocket does it, and returns the socket whose place s took.
func (c *client) connectSocket(s *Socket) (older *Socket, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(s.nsp.name)
	if c.closed || i < 0 {
		return nil, false
	}
	c.session.Establish(true)
	reply := s.parser().control(typeConnect, s.nsp.name, s.connectReply())
	older = s.nsp.add(s, func() { c.session.Send(reply) })
	c.links[i].cancel() // the socket is connected by now: see Use
	c.links[i] = link{name: s.nsp.name, socket: s}
	c.timer.Stop()
	if c.inbox.push(task{kind: taskOpen, socket: s}) {
		c.holds++
		c.server.workers.run(c)
	}
	return older, true
}

// connectReply is the payload of the answer to CONNECT.
func (s *Socket) connectReply() []byte {
	reply := struct {
		SID string `json:"sid"`
		PID string `json:"pid,omitempty"`
	}{SID: s.id, PID: s.PID()}
	b, _ := json.Marshal(reply) // cannot fail
	return b
}

// refuse answers a CONNECT that is not granted. The link goes first, so that the
// client may ask again at once.
func (c *client) refuse(nsp string, err error) {
	c.mu.Lock()
	i := c.find(nsp)
	if c.closed || i < 0 {
		c.mu.Unlock()
		return
	}
	c.links[i].cancel()
	c.links = slices.Delete(c.links, i, i+1)
	c.mu.Unlock()

	var refusal *ConnectError
	if errors.As(err, &refusal) {
		c.sendConnectError(nsp, refusal)
		return
	}
	if !errors.Is(err, ErrCloseTransport) {
		c.server.log.Error("socket.io middleware failed", slog.String("namespace", nsp), slog.Any("error", err))
	}
	c.end(reasonForcedServer)
}

// authorize runs the middleware of n. A panic counts as trouble of ours.
func (n *Namespace) authorize(ctx context.Context, s *Socket) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	for _, fn := range n.middleware() {
		if err := fn(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
