package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/engineio"
)

// ErrDisconnected is returned for a socket that is not connected any more or, in
// middleware, not yet.
var ErrDisconnected = errors.New("socketio: socket is not connected")

// Why a socket was disconnected, in the words of the Node.js server. Others come from
// Engine.IO: "transport close", "transport error", "ping timeout", "parse error", and
// "slow" for a client that did not read for too long.
const (
	reasonForced           = engineio.Reason("forced close")        // CloseTransport, or a malformed packet
	reasonForcedServer     = engineio.Reason("forced server close") // a packet out of place, or no CONNECT in time
	reasonShutdown         = "server shutting down"
	reasonClientDisconnect = "client namespace disconnect"
	reasonServerDisconnect = "server namespace disconnect"

	// ReasonReplaced means that the client came back on another connection with the
	// same id: it has not left. See [Recovery].
	ReasonReplaced = "replaced"
)

// A phase is the state of a socket.
type phase int32

const (
	phaseConnecting phase = iota // middleware runs
	phaseOpen
	phaseLeft  // the client has left; events that it sent before are still handled
	phaseEnded // the server ended it; nothing is handled any more
)

// A Socket is one client in one namespace. Its methods are safe for concurrent use, and
// may be called from its own handlers and listeners. None of them waits for the client but
// EmitAck.
type Socket struct {
	id       string
	nsp      *Namespace
	client   *client
	phase    atomic.Int32
	recovery *recoveryState // nil unless it can be recovered

	// Guarded by nsp.mu.
	rooms   []*room
	removed bool // joins no room any more

	mu        sync.Mutex
	handshake *Handshake
	data      any
	listeners *listeners                 // nil while there are none
	acks      map[int64]chan<- *inPacket // who waits for an acknowledgement, by id
	ctx       context.Context            // of handlers; made for the first event
	cancel    context.CancelFunc
	over      bool        // ctx has ended
	grace     *time.Timer // ends ctx after the client has left
	reason    string      // why it ended
}

// listeners are those of one socket. A list is replaced, never changed, so it may be
// read without the lock once it was fetched.
type listeners struct {
	events     map[string][]EventHandler
	disconnect []func(reason string)
	drain      []func()
}

func newSocket(c *client, n *Namespace, h *Handshake) *Socket {
	return &Socket{id: newID(), nsp: n, client: c, handshake: h}
}

// newID returns 120 random bits in 20 characters. It is not the session id of Engine.IO,
// which is a secret between the client and the server.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.URLEncoding.EncodeToString(b[:])
}

// ID returns the socket's id, which the client knows too. It is new for each connection
// unless that was recovered. The socket is always in the room of that name. With a
// Recovery the id may change after middleware.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace that the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Handshake tells how the connection began. With Config.ReleaseHandshake it has no
// Header, Query and Auth after the OnConnect listeners have returned.
func (s *Socket) Handshake() *Handshake {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handshake
}

// releaseHandshake drops the large parts of the handshake.
func (s *Socket) releaseHandshake() {
	h := newHandshake(s.client.releaseOpening(), nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handshake = h
}

// ClientID returns a name of the socket's connection, which it shares with the client's
// sockets in other namespaces. It is no secret.
func (s *Socket) ClientID() string { return s.client.session.PublicID() }

// Transport returns engineio.Polling or engineio.WebSocket, whichever carries data now.
func (s *Socket) Transport() string { return s.client.session.Transport() }

// parser is how the packets of the socket's connection are encoded.
func (s *Socket) parser() parser { return s.client.decoder.parser }

// SetOwner names the user for whom the memory of the connection's messages is counted,
// instead of its address: see engineio.Config.MaxUnfinished. It may be called in
// middleware.
func (s *Socket) SetOwner(name string) { s.client.session.SetOwner(name) }

// Connected reports whether the client is connected, as far as is known. It is false in
// middleware.
func (s *Socket) Connected() bool { return s.currentPhase() == phaseOpen }

func (s *Socket) currentPhase() phase { return phase(s.phase.Load()) }

// Data returns the value that SetData stored, nil before.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData stores a value of the application with the socket.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// On adds a handler for an event. Handlers of one event run one after the other, in the
// order in which they were added; events of one connection likewise. The context ends
// with the socket: at once when the server ends it, and otherwise when the last event
// that came before the end was handled, at the latest after Config.HandlerGrace.
//
// A handler that is added in OnConnect misses no event. [Namespace.On] adds one for all
// sockets at once, which costs no memory for each socket.
func (s *Socket) On(event string, fn EventHandler) {
	s.addListener(func(l *listeners) {
		if l.events == nil {
			l.events = map[string][]EventHandler{}
		}
		l.events[event] = appendCopy(l.events[event], fn)
	})
}

// OnDisconnect adds a listener that runs when the socket has ended and has left its
// rooms. It runs exactly once for a socket for which OnConnect ran, after the events
// that came before the end.
func (s *Socket) OnDisconnect(fn func(reason string)) {
	s.addListener(func(l *listeners) { l.disconnect = appendCopy(l.disconnect, fn) })
}

// OnDrain adds a listener that runs when there is room again after a refused TrySend. It
// may run without need, and must not block.
func (s *Socket) OnDrain(fn func()) {
	s.addListener(func(l *listeners) { l.drain = appendCopy(l.drain, fn) })
}

func (s *Socket) addListener(add func(*listeners)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		s.listeners = &listeners{}
	}
	add(s.listeners)
}

// currentListeners returns a copy of the lists.
func (s *Socket) currentListeners() (l listeners) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners != nil {
		l = *s.listeners
	}
	return l
}

// handlersOf returns the handlers of one event in the order in which they run.
func (s *Socket) handlersOf(event string) (any, named []EventHandler) {
	any, named = s.nsp.eventHandlers(event)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		return any, named
	}
	return any, append(named[:len(named):len(named)], s.listeners.events[event]...)
}

// Emit sends an event to this client. Arguments are encoded as [Encode] does. It never
// waits for the network; a client for which too much waits is closed as slow. Errors:
// those of Encode, and ErrDisconnected.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := Encode(s.nsp.name, event, args...)
	if err != nil {
		return err
	}
	return s.Send(p)
}

// Send sends a packet as Emit does. It panics if the packet is of another namespace.
func (s *Socket) Send(p *Packet) error {
	checkNamespace(p, s.nsp)
	if !s.Connected() {
		return ErrDisconnected
	}
	s.transmit(p, sendAlways)
	return nil
}

// TrySend sends a packet and reports true, unless the connection's queue is full
// (engineio.Config.QueueBytes) or the socket has ended. If the queue was full, OnDrain
// runs when it is worth trying again. It panics if the packet is of another namespace.
func (s *Socket) TrySend(p *Packet) bool {
	checkNamespace(p, s.nsp)
	return s.Connected() && s.transmit(p, sendIfRoom)
}

// checkNamespace panics if p is not of n: the client would deliver it elsewhere.
func checkNamespace(p *Packet, n *Namespace) {
	if p.nsp != n.name {
		panic(fmt.Sprintf("socketio: packet of namespace %q sent in %q", p.nsp, n.name))
	}
}

// A sendMode says whether a full queue refuses a packet.
type sendMode uint8

const (
	sendAlways sendMode = iota
	sendIfRoom
)

// transmit queues p in the form that this socket gets, and reports whether it was
// queued.
func (s *Socket) transmit(p *Packet, mode sendMode) (queued bool) {
	if s.recovery != nil {
		queued = s.recovery.transmit(s, p, mode)
	} else {
		queued = s.enqueue(p.group(s.parser()), mode)
	}
	if queued {
		s.sent(p)
	}
	return queued
}

// sent counts a packet that was queued, and tells the Observer of it.
func (s *Socket) sent(p *Packet) {
	s.nsp.countSent(p)
	if o := s.nsp.server.observer.Load(); o != nil {
		(*o).Sent(s, p)
	}
}

func (s *Socket) enqueue(g *engineio.Group, mode sendMode) bool {
	if mode == sendIfRoom {
		return s.client.session.TrySend(g)
	}
	s.client.session.Send(g)
	return true
}

// send queues a group that is not an event.
func (s *Socket) send(g *engineio.Group) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	s.client.session.Send(g)
	return nil
}

// Join puts the socket into rooms. A socket that has ended joins nothing. It returns
// ErrTooManyRooms, and joins none of them, if the socket would be in more than
// Config.MaxRooms; and, after it has joined, the error of Recovery.Remember.
func (s *Socket) Join(rooms ...string) error {
	if err := s.nsp.join(s, rooms); err != nil {
		return err
	}
	return s.rememberRooms()
}

// Leave takes the socket out of a room. The error is that of Recovery.Remember.
func (s *Socket) Leave(room string) error {
	s.nsp.leave(s, room)
	return s.rememberRooms()
}

// Rooms returns the names of the rooms that the socket is in, its own id first.
func (s *Socket) Rooms() []string { return s.nsp.roomsOf(s) }

// Disconnect ends the socket for good: the client is told and does not come back by
// itself. With closing it ends all sockets of the connection that way and closes it.
// Events that were received and not yet handled are dropped, and contexts of handlers
// end.
func (s *Socket) Disconnect(closing bool) {
	if closing {
		s.client.disconnect()
		return
	}
	if s.client.unlink(s, reasonServerDisconnect, phaseEnded) {
		s.client.session.Send(s.parser().control(typeDisconnect, s.nsp.name, nil))
	}
}

// CloseTransport closes the whole connection without a Socket.IO disconnect, once what
// is queued was sent. The client reconnects by itself.
func (s *Socket) CloseTransport() { s.client.end(reasonForced) }

// end marks the socket as ended and has its listeners run after the events that came
// before. It is called once.
func (s *Socket) end(reason string, ph phase) {
	s.mu.Lock()
	s.phase.Store(int32(ph))
	s.reason = reason
	acks := s.acks
	s.acks = nil
	if ph == phaseLeft {
		s.grace = time.AfterFunc(s.nsp.server.cfg.HandlerGrace, s.cancelContext)
	}
	s.mu.Unlock()
	for _, answer := range acks {
		answer <- nil
	}
	if ph == phaseEnded {
		s.cancelContext()
	}
	s.client.push(task{kind: taskClose, socket: s})
}

// discard forgets a socket that was not connected.
func (s *Socket) discard() {
	s.phase.Store(int32(phaseEnded))
	s.nsp.remove(s)
}

// opened runs the OnConnect listeners. If one panics, the client lacks handlers, so it
// must connect again.
func (s *Socket) opened() {
	if o := s.nsp.server.observer.Load(); o != nil {
		s.nsp.connected(s, *o)
	}
	s.follow()
	for _, fn := range s.nsp.connectListeners() {
		if !s.withoutPanic("connect", func() { fn(s) }) {
			s.CloseTransport()
			return
		}
	}
	s.beginRemembering()
	if s.nsp.server.cfg.ReleaseHandshake {
		s.releaseHandshake()
	}
}

// dispatch runs the handlers of one event.
func (s *Socket) dispatch(e *Event) {
	if o := s.nsp.server.observer.Load(); o != nil {
		(*o).Received(e)
	}
	any, named := s.handlersOf(e.Name)
	for _, fn := range any {
		s.handle(fn, e)
	}
	for _, fn := range named {
		s.handle(fn, e)
	}
}

// handle runs one handler unless the server has ended the socket. A panic costs that
// event and nothing else.
func (s *Socket) handle(fn EventHandler, e *Event) {
	if s.currentPhase() != phaseEnded {
		s.withoutPanic(e.Name, func() { fn(s.context(), e) })
	}
}

// finish takes the socket out of its rooms and runs the OnDisconnect listeners.
func (s *Socket) finish() {
	s.phase.Store(int32(phaseEnded)) // an event that was still on its way comes too late
	s.unfollow()
	s.nsp.remove(s)
	s.nsp.counts.disconnects.Add(1)
	if o := s.nsp.server.observer.Load(); o != nil && s.reason != ReasonReplaced {
		(*o).Disconnected(s, s.reason)
	}
	for _, fn := range s.nsp.disconnectListeners() {
		s.withoutPanic("disconnect", func() { fn(s, s.reason) })
	}
	for _, fn := range s.currentListeners().disconnect {
		s.withoutPanic("disconnect", func() { fn(s.reason) })
	}
	s.cancelContext()
}

// withoutPanic runs fn and reports whether it returned; if it panicked, that is logged.
func (s *Socket) withoutPanic(event string, fn func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			s.nsp.counts.errors.Add(1)
			s.nsp.server.log.Error("socket.io handler panicked", slog.String("namespace", s.nsp.name),
				slog.String("event", event), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
		}
	}()
	fn()
	return true
}

// drained runs the OnDrain listeners.
func (s *Socket) drained() {
	for _, fn := range s.nsp.drainListeners() {
		fn(s)
	}
	for _, fn := range s.currentListeners().drain {
		fn()
	}
}

// context returns the context of the socket's handlers, made when it is first needed.
func (s *Socket) context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		if s.over {
			s.cancel()
		}
	}
	return s.ctx
}

// cancelContext ends the context of the socket's handlers.
func (s *Socket) cancelContext() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.cancel != nil {
		s.cancel()
	}
	if s.grace != nil {
		s.grace.Stop()
	}
}
