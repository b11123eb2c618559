package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/engineio"
)

// A session is what this package needs of an [engineio.Session].
type session interface {
	Handshake() *engineio.Handshake
	ReleaseHandshake()
	Transport() string
	Done() <-chan struct{}
	Send(g *engineio.Group)
	TrySend(g *engineio.Group) bool
	SendVolatile(g *engineio.Group) bool
	Queued() int
	Close(r engineio.Reason)
	Establish(known bool)
	SetOwner(name string)
	Reserve(n int) (release func(), ok bool)
	Charge(n int) bool
}

// A client is one connection: an Engine.IO session and its sockets, one for each
// namespace it has joined. It is the session's Receiver.
//
// Locks are taken in this order: client.mu, then Namespace.mu, then Socket.mu or
// inbox.mu. Sending to the session is allowed under any of them, for it never
// calls back.
type client struct {
	server  *Server
	session session
	inbox   inbox

	// The reader's own.
	decoder decoder // its parser is fixed before there is a socket, and everybody's to read
	begun   bool    // the first message has come
	broken  bool    // the client broke the protocol: nothing is read any more

	mu     sync.Mutex
	part   *assembly // of a packet whose attachments are not all here
	hs     *engineio.Handshake
	links  []link      // few, so a list
	timer  *time.Timer // closes a connection without sockets
	closed bool        // it ends: no socket is added any more
	holds  int         // the session, connects and a running inbox; 0 ends the client
}

// A link is a namespace that the client has joined or asked for.
type link struct {
	name   string
	socket *Socket            // nil while middleware runs
	cancel context.CancelFunc // ends the middleware's context; nil afterwards
}

func newClient(s *Server, sess session) *client {
	c := &client{server: s, session: sess, hs: sess.Handshake(), decoder: decoder{limits: &s.limits}, holds: 1}
	sess.ReleaseHandshake()
	c.timer = time.AfterFunc(s.cfg.ConnectTimeout, c.expire)
	return c
}

// expire closes the connection if it has no socket by now.
func (c *client) expire() {
	c.mu.Lock()
	joined := c.joined()
	c.mu.Unlock()
	if !joined {
		c.end(reasonForcedServer)
	}
}

// joined tells whether the client has a socket. c.mu is held.
func (c *client) joined() bool {
	return slices.ContainsFunc(c.links, func(l link) bool { return l.socket != nil })
}

// find returns the place of a namespace in links, or -1. c.mu is held.
func (c *client) find(name string) int {
	return slices.IndexFunc(c.links, func(l link) bool { return l.name == name })
}

// Message implements engineio.Receiver.
func (c *client) Message(m engineio.Message) {
	if c.broken {
		return
	}
	if !c.begun && m.Binary {
		c.decoder.parser = parserMsgpack
	}
	c.begun = true
	p, err := c.decoder.add(m)
	switch {
	case err != nil:
		c.violate(reasonForced, err)
	case p != nil:
		c.assembled()
		c.receive(p)
	case c.socket(c.decoder.pending.nsp) == nil: // it would be refused when it is whole
		c.violate(reasonForcedServer, errState)
	case !c.assemble(len(m.Data)):
		c.violate(reasonForced, errNoRoom)
	}
}

// errNoRoom is a packet for which the connection's owner has no bytes left.
var errNoRoom = errors.New("too many bytes of packets that are not handled")

// An assembly is a packet whose attachments are not all here yet.
type assembly struct {
	timer    *time.Timer // ends the connection if they do not come
	releases []func()    // give back what was reserved for it
}

// assemble keeps n more bytes of a packet that is not whole.
func (c *client) assemble(n int) bool {
	release, ok := c.session.Reserve(n)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.part == nil {
		part := &assembly{}
		part.timer = time.AfterFunc(c.server.cfg.PacketTimeout, func() { c.giveUp(part) })
		c.part = part
	}
	c.part.releases = append(c.part.releases, release)
	return true
}

// giveUp ends the connection unless the packet became whole.
func (c *client) giveUp(part *assembly) {
	c.mu.Lock()
	late := c.part == part
	c.mu.Unlock()
	if late {
		c.end(reasonForced)
	}
}

// assembled is told that a packet is whole, or of no use any more.
func (c *client) assembled() {
	c.mu.Lock()
	part := c.part
	c.part = nil
	c.mu.Unlock()
	if part == nil {
		return
	}
	part.timer.Stop()
	for _, release := range part.releases {
		release()
	}
}

// joinCost is how many packets a CONNECT or DISCONNECT counts as: it may ask a
// database.
const joinCost = 10

// errState is a packet that does not fit the state of its namespace.
var errState = errors.New("packet does not fit the state of the namespace")

// violate closes the connection of a client that broke the protocol.
func (c *client) violate(r engineio.Reason, err error) {
	c.broken = true
	c.server.log.Debug("socket.io protocol violation", slog.Any("error", err))
	c.end(r)
}

// receive handles one packet.
func (c *client) receive(p *inPacket) {
	if (p.typ == typeConnect || p.typ == typeDisconnect) && !c.session.Charge(joinCost) {
		return
	}
	if p.typ == typeConnect {
		if c.inbox.awaitRoom(c.server.cfg.MaxInbox, c.session.Done) {
			c.connect(p.nsp, p.data)
		}
		return
	}
	s := c.socket(p.nsp)
	switch {
	case s == nil || p.typ == typeConnectError:
		c.violate(reasonForcedServer, errState)
	case p.typ == typeEvent:
		c.event(s, p)
	case p.typ == typeAck:
		s.answered(p)
	default:
		c.unlink(s, reasonClientDisconnect, phaseLeft)
	}
}

// socket is the client's socket in a namespace, nil if it has none yet.
func (c *client) socket(nsp string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.find(nsp); i >= 0 {
		return c.links[i].socket
	}
	return nil
}

// event puts an event into the inbox.
func (c *client) event(s *Socket, p *inPacket) {
	e := &Event{Name: p.name, Args: p.args, Attachments: p.attachments, socket: s, id: p.id, size: p.size}
	if p.size > smallEvent {
		release, ok := c.session.Reserve(p.size)
		if !ok {
			c.violate(reasonForced, errNoRoom)
			return
		}
		e.release = release
	}
	cfg := &c.server.cfg
	start, ok := c.inbox.pushEvent(task{kind: taskEvent, socket: s, event: e}, cfg.MaxInbox, cfg.maxInboxBytes(), c.session.Done)
	if !ok {
		e.done()
	}
	if start {
		c.start()
	}
}

// smallEvent is the size up to which an event that waits for its handler is not
// counted, in bytes.
const smallEvent = 4 << 10

// push adds a task that never waits.
func (c *client) push(t task) {
	if c.inbox.push(t) {
		c.start()
	}
}

// start has the inbox run.
func (c *client) start() {
	c.hold()
	c.server.workers.run(c)
}

// work runs tasks until there are none.
func (c *client) work() {
	defer c.release()
	for {
		t, ok := c.inbox.next()
		if !ok {
			return
		}
		switch t.kind {
		case taskOpen:
			t.socket.opened()
		case taskEvent:
			t.socket.dispatch(t.event)
			t.event.done()
		case taskClose:
			t.socket.finish()
		}
	}
}

// hold and release count what keeps the client from having ended. Whoever holds is
// counted already, or has found a link under mu: the session's own count goes only
// when the links are gone.
func (c *client) hold() {
	c.mu.Lock()
	c.holds++
	c.mu.Unlock()
}

func (c *client) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds--; c.holds == 0 {
		c.server.clients.Done()
	}
}

// unlink ends one socket; the connection stays. A client that has no socket left
// must join a namespace again within the connect timeout.
func (c *client) unlink(s *Socket, reason string, ph phase) bool {
	c.mu.Lock()
	i := c.find(s.nsp.name)
	if c.closed || i < 0 || c.links[i].socket != s {
		c.mu.Unlock()
		return false
	}
	c.links = slices.Delete(c.links, i, i+1)
	if !c.joined() {
		c.timer.Reset(c.server.cfg.ConnectTimeout)
		c.session.Establish(false)
	}
	c.holds++
	c.mu.Unlock()
	defer c.release()
	s.end(reason, ph)
	return true
}

// Drained implements engineio.Receiver.
func (c *client) Drained() {
	c.mu.Lock()
	links := slices.Clone(c.links)
	c.mu.Unlock()
	for _, l := range links {
		if l.socket != nil {
			l.socket.drained()
		}
	}
}

// end closes the connection, after what is queued was sent, and ends its sockets
// now. The client comes back by itself.
func (c *client) end(r engineio.Reason) {
	c.session.Close(r)
	c.endSockets(string(r))
}

// Closed implements engineio.Receiver.
func (c *client) Closed(reason engineio.Reason, _ error) {
	c.endSockets(string(reason))
	c.assembled()
	c.release()
}

// endSockets ends every socket, and every attempt to become one.
func (c *client) endSockets(reason string) {
	if c.server.stopping.Load() {
		reason = reasonShutdown
	}
	links := c.close()
	if len(links) == 0 {
		return
	}
	defer c.release()
	for _, l := range links {
		if l.socket == nil {
			l.cancel()
			continue
		}
		l.socket.end(reason, phaseLeft)
	}
}

// close forgets the links and returns them; if there are any, the caller releases
// the client afterwards.
func (c *client) close() []link {
	c.mu.Lock()
	defer c.mu.Unlock()
	links := c.links
	c.links = nil
	if len(links) > 0 {
		c.holds++
	}
	c.closed = true
	c.timer.Stop()
	return links
}

// disconnect tells every namespace goodbye for good, then closes.
func (c *client) disconnect() {
	c.mu.Lock()
	links := slices.Clone(c.links)
	c.mu.Unlock()
	for _, l := range links {
		if l.socket != nil {
			l.socket.Disconnect(false)
		}
	}
	c.end(reasonForcedServer)
}

// sendConnectError refuses a namespace.
func (c *client) sendConnectError(nsp string, e *ConnectError) {
	payload, err := json.Marshal(e)
	if err != nil { // Data cannot be encoded: it is the application's
		c.server.log.Error("socket.io connect error has bad data", slog.Any("error", err))
		payload, _ = json.Marshal(&ConnectError{Message: e.Message})
	}
	c.session.Send(c.decoder.parser.control(typeConnectError, nsp, payload))
}
