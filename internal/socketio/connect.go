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
	"expenseflow/internal/rawjson"
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

// ErrCloseTransport is returned by middleware to close the transport instead of refusing
// the client, which then tries again by itself with growing pauses. It is the answer to
// server errors.
var ErrCloseTransport = errors.New("socketio: close the transport")

// A Handshake is the request that opened a connection together with the payload of the
// CONNECT. It must not be changed.
type Handshake struct {
	*engineio.Handshake

	// Auth is the payload of the CONNECT packet, a JSON object; {} if it had none.
	Auth json.RawMessage

	// AuthFields are the members of Auth by their exact keys. Of a key that was sent
	// twice the last value counts, as in JavaScript.
	AuthFields map[string]json.RawMessage
}

var noAuth = json.RawMessage("{}")

// newHandshake takes over the payload of a CONNECT packet: a valid object, or nil.
func newHandshake(opening *engineio.Handshake, auth json.RawMessage) *Handshake {
	if auth == nil {
		auth = noAuth
	}
	return &Handshake{Handshake: opening, Auth: auth, AuthFields: parseAuth(auth)}
}

// parseAuth is the only place in which the payload of a CONNECT packet is parsed.
func parseAuth(auth json.RawMessage) map[string]json.RawMessage {
	if len(auth) == len(noAuth) {
		return nil
	}
	fields := make(map[string]json.RawMessage)
	for key, value := range rawjson.Members(auth) {
		fields[rawjson.Text(key)] = value
	}
	return fields
}

// errNoNamespace refuses a CONNECT for a namespace that does not exist.
var errNoNamespace = &ConnectError{Message: "Invalid namespace"}

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
	n := c.server.namespace(nsp)
	if n == nil {
		c.refuse(nsp, errNoNamespace)
		return
	}
	h := newHandshake(c.opening(), auth)
	if n.admitsAll() {
		c.admit(ctx, n, h)
		return
	}
	c.hold()
	go func() {
		defer c.release()
		c.admit(ctx, n, h)
	}()
}

// opening returns the handshake of the connection's first request.
func (c *client) opening() *engineio.Handshake {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handshake
}

// releaseOpening drops the headers and query of the connection's first request.
func (c *client) releaseOpening() *engineio.Handshake {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.handshake
	c.handshake = &engineio.Handshake{URL: h.URL, RemoteAddr: h.RemoteAddr, Secure: h.Secure, Time: h.Time, Label: h.Label}
	return c.handshake
}

// reserve adds a link for a namespace that is being joined. It returns no context if
// that is in progress already, or the client has closed.
func (c *client) reserve(nsp string) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch i := c.findLocked(nsp); {
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

// admit runs the middleware of n and the Recovery, and joins the client to n.
func (c *client) admit(ctx context.Context, n *Namespace, h *Handshake) {
	s := newSocket(c, n, h)
	err := n.runMiddleware(ctx, s)
	if err == nil {
		err = s.resume(ctx)
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

// join makes s the client's socket in its namespace. The answer to CONNECT is queued
// first, then broadcasts reach s, then OnConnect runs, then events are handled. It
// reports false if the client has closed meanwhile.
func (c *client) join(s *Socket) bool {
	replaced, ok := c.connectSocket(s)
	if replaced != nil {
		replaced.evict()
	}
	return ok
}

// connectSocket does what join says, and returns the socket whose id s took over.
func (c *client) connectSocket(s *Socket) (replaced *Socket, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.findLocked(s.nsp.name)
	if c.closed || i < 0 {
		return nil, false
	}
	c.session.Establish(true)
	reply := s.parser().control(typeConnect, s.nsp.name, s.connectReply())
	replaced = s.nsp.add(s, func() { c.session.Send(reply) })
	s.nsp.counts.connects.Add(1)
	c.links[i].cancel() // the socket is connected by now: see Middleware
	c.links[i] = link{name: s.nsp.name, socket: s}
	c.stopTimerLocked()
	if c.inbox.push(task{kind: taskOpen, socket: s}) {
		c.holds++
		c.server.workers.run(c)
	}
	return replaced, true
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

// refuse answers a CONNECT that was refused or failed. The link is removed first, so
// that the client may ask again at once.
func (c *client) refuse(nsp string, err error) {
	c.mu.Lock()
	i := c.findLocked(nsp)
	if c.closed || i < 0 {
		c.mu.Unlock()
		return
	}
	c.links[i].cancel()
	c.links = slices.Delete(c.links, i, i+1)
	c.mu.Unlock()

	c.server.countError(nsp)
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

// runMiddleware returns the first error of n's middleware. A panic is a server error.
func (n *Namespace) runMiddleware(ctx context.Context, s *Socket) (err error) {
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
