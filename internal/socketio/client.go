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
	PublicID() string
	Transport() string
	Handshake() *engineio.Handshake
	ReleaseHandshake()
	Done() <-chan struct{}
	Send(g *engineio.Group)
	TrySend(g *engineio.Group) bool
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
// inbox.mu. Sending to the session is allowed under any of them, for it never calls
// back.
type client struct {
	server  *Server
	session session
	inbox   inbox

	// Only Message uses these; the parser is fixed before there is a socket, and then
	// anybody may read it.
	decoder decoder
	begun   bool // the first message has arrived
	broken  bool // the client violated the protocol: nothing is read any more

	mu        sync.Mutex
	partial   *partialPacket // whose attachments have not all arrived; nil if there is none
	handshake *engineio.Handshake
	links     []link      // few, so a list
	timer     *time.Timer // closes a connection without sockets; nil while it has one
	closed    bool        // no socket is added any more
	holds     int         // the session, connects and a running inbox; at 0 the client has ended
}

// A link is a namespace that the client has joined or is joining.
type link struct {
	name   string
	socket *Socket            // nil while middleware runs
	cancel context.CancelFunc // ends the middleware's context; nil afterwards
}

func newClient(s *Server, sess session) *client {
	c := &client{server: s, session: sess, handshake: sess.Handshake(), decoder: decoder{limits: &s.limits}, holds: 1}
	sess.ReleaseHandshake()
	c.startTimerLocked()
	return c
}

func (c *client) startTimerLocked() {
	c.stopTimerLocked()
	c.timer = time.AfterFunc(c.server.cfg.ConnectTimeout, c.closeWithoutSocket)
}

func (c *client) stopTimerLocked() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// closeWithoutSocket closes the connection unless it has a socket by now.
func (c *client) closeWithoutSocket() {
	c.mu.Lock()
	joined := c.joinedLocked()
	c.mu.Unlock()
	if !joined {
		c.end(reasonForcedServer)
	}
}

// joinedLocked reports whether the client has a socket.
func (c *client) joinedLocked() bool {
	return slices.ContainsFunc(c.links, func(l link) bool { return l.socket != nil })
}

// findLocked returns the index of a namespace in links, or -1.
func (c *client) findLocked(name string) int {
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
		c.releasePartial()
		c.receive(p)
	case c.socket(c.decoder.pending.nsp) == nil: // the packet would be refused once it is complete
		c.violate(reasonForcedServer, errState)
	case !c.keepPartial(len(m.Data)):
		c.violate(reasonForced, errNoRoom)
	}
}

// errNoRoom means that the connection's owner has no bytes left for a packet.
var errNoRoom = errors.New("too many bytes of packets that are not handled")

// A partialPacket is what was reserved for a packet whose attachments have not all
// arrived.
type partialPacket struct {
	timer    *time.Timer // closes the connection if they do not arrive
	releases []func()    // give back the bytes that were reserved
}

// keepPartial reserves n more bytes for the packet that is not complete.
func (c *client) keepPartial(n int) bool {
	release, ok := c.session.Reserve(n)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.partial == nil {
		p := &partialPacket{}
		p.timer = time.AfterFunc(c.server.cfg.PacketTimeout, func() { c.closeIfPartial(p) })
		c.partial = p
	}
	c.partial.releases = append(c.partial.releases, release)
	return true
}

// closeIfPartial closes the connection if p is still not complete.
func (c *client) closeIfPartial(p *partialPacket) {
	c.mu.Lock()
	late := c.partial == p
	c.mu.Unlock()
	if late {
		c.end(reasonForced)
	}
}

// releasePartial gives back what was reserved for a packet that is complete now, or will
// not be.
func (c *client) releasePartial() {
	c.mu.Lock()
	p := c.partial
	c.partial = nil
	c.mu.Unlock()
	if p == nil {
		return
	}
	p.timer.Stop()
	for _, release := range p.releases {
		release()
	}
}

// joinCost is how many packets a CONNECT or DISCONNECT counts as: middleware may query a
// database.
const joinCost = 10

// errState means that a packet does not fit the state of its namespace.
var errState = errors.New("packet does not fit the state of the namespace")

// violate closes the connection of a client that violated the protocol.
func (c *client) violate(r engineio.Reason, err error) {
	c.broken = true
	c.server.errors.Add(1)
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
		s.acknowledged(p)
	default:
		c.unlink(s, reasonClientDisconnect, phaseLeft)
	}
}

// socket returns the client's socket in a namespace, nil if it has none yet.
func (c *client) socket(nsp string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.findLocked(nsp); i >= 0 {
		return c.links[i].socket
	}
	return nil
}

// event puts an event into the inbox.
func (c *client) event(s *Socket, p *inPacket) {
	s.nsp.counts.received.of(p.name).add(p.size)
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

// smallEvent is the size in bytes up to which no bytes are reserved for an event that
// waits for its handler.
const smallEvent = 4 << 10

// push adds a task that never waits.
func (c *client) push(t task) {
	if c.inbox.push(t) {
		c.start()
	}
}

// start has a worker run the inbox.
func (c *client) start() {
	c.hold()
	c.server.workers.run(c)
}

// work runs the tasks of the inbox until there are none.
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

// hold and release count what keeps the client from having ended. A caller of hold is
// counted already, or has found a link under mu: the session's own count ends only when
// there are no links.
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

// unlink ends one socket; the connection remains. A client that has no socket left must
// join a namespace again within the connect timeout. unlink reports false if the socket
// had ended before.
func (c *client) unlink(s *Socket, reason string, ph phase) bool {
	c.mu.Lock()
	i := c.findLocked(s.nsp.name)
	if c.closed || i < 0 || c.links[i].socket != s {
		c.mu.Unlock()
		return false
	}
	c.links = slices.Delete(c.links, i, i+1)
	if !c.joinedLocked() {
		c.startTimerLocked()
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
	for _, s := range c.sockets() {
		s.drained()
	}
}

// sockets returns the sockets that have joined.
func (c *client) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*Socket, 0, len(c.links))
	for _, l := range c.links {
		if l.socket != nil {
			list = append(list, l.socket)
		}
	}
	return list
}

// end closes the connection once what is queued was sent, and ends its sockets now. The
// client comes back by itself.
func (c *client) end(r engineio.Reason) {
	c.session.Close(r)
	c.endSockets(string(r))
}

// Closed implements engineio.Receiver.
func (c *client) Closed(reason engineio.Reason, _ error) {
	c.endSockets(string(reason))
	c.releasePartial()
	c.release()
}

// endSockets ends every socket, and every CONNECT that is in progress.
func (c *client) endSockets(reason string) {
	if c.server.stopping.Load() {
		reason = reasonShutdown
	}
	links := c.takeLinks()
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

// takeLinks marks the client as closed and returns its links; if there are any, the
// caller must release the client afterwards.
func (c *client) takeLinks() []link {
	c.mu.Lock()
	defer c.mu.Unlock()
	links := c.links
	c.links = nil
	if len(links) > 0 {
		c.holds++
	}
	c.closed = true
	c.stopTimerLocked()
	return links
}

// disconnect disconnects every socket for good and closes the connection.
func (c *client) disconnect() {
	for _, s := range c.sockets() {
		s.Disconnect(false)
	}
	c.end(reasonForcedServer)
}

// sendConnectError refuses a namespace.
func (c *client) sendConnectError(nsp string, e *ConnectError) {
	payload, err := json.Marshal(e)
	if err != nil { // Data cannot be encoded: a fault of the application
		c.server.log.Error("socket.io connect error has bad data", slog.Any("error", err))
		payload, _ = json.Marshal(&ConnectError{Message: e.Message})
	}
	c.session.Send(c.decoder.parser.control(typeConnectError, nsp, payload))
}
