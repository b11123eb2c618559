package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/engineio"
)

// ErrDisconnected is what using a socket gives that is not connected: any more,
// or, in middleware, not yet.
var ErrDisconnected = errors.New("socketio: socket is not connected")

// ErrTooManyAcks is what EmitAck gives when as many answers of the socket are
// outstanding as Config.MaxPendingAcks allows.
var ErrTooManyAcks = errors.New("socketio: too many acknowledgements are outstanding")

// Why a socket was disconnected, in the words of the Node.js server. Others come
// from Engine.IO: "transport close", "transport error", "ping timeout", "parse
// error", and "slow" for a client that took nothing for too long.
const (
	reasonForced           = engineio.Reason("forced close")        // CloseTransport, or a malformed packet
	reasonForcedServer     = engineio.Reason("forced server close") // a packet out of place, or no CONNECT in time
	reasonShutdown         = "server shutting down"
	reasonClientDisconnect = "client namespace disconnect"
	reasonServerDisconnect = "server namespace disconnect"

	// ReasonReplaced is why a socket ended whose client came back on another
	// connection, with the same id: it has not left. See [Recovery].
	ReasonReplaced = "replaced"
)

// A phase is where a socket stands.
type phase int32

const (
	phaseConnecting phase = iota // middleware runs
	phaseOpen
	phaseLeft  // the client has gone; events it sent before are still handled
	phaseEnded // the server ended it; nothing is handled any more
)

// A Socket is one client in one namespace.
type Socket struct {
	id     string
	nsp    *Namespace
	client *client
	phase  atomic.Int32
	trail  *trail // nil unless it can be recovered

	// Guarded by nsp.mu.
	rooms   []*room
	removed bool // joins nothing any more

	mu        sync.Mutex
	handshake *Handshake
	data      any
	hooks     *hooks // nil while there are none
	acks      map[int64]func(*inPacket)
	ctx       context.Context // made when the first event comes
	cancel    context.CancelFunc
	over      bool        // its context has ended
	grace     *time.Timer // ends it after the client has gone
	reason    string      // why it ended
}

// hooks are the listeners of one socket. A list is replaced, never changed, so
// it may be read without the lock once it was fetched.
type hooks struct {
	events        map[string][]func(context.Context, *Event)
	any           []func(context.Context, *Event)
	outgoing      []func(event string, args []any)
	disconnecting []func(reason string)
	disconnect    []func(reason string)
	drain         []func()
}

func newSocket(c *client, n *Namespace, h *Handshake) *Socket {
	return &Socket{id: newID(), nsp: n, client: c, handshake: h}
}

// newID makes 120 random bits in 20 characters. It is not the session id of
// Engine.IO, which is a secret between the client and the server.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.URLEncoding.EncodeToString(b[:])
}

// ID is the socket's id, which the client knows too. It is new for each
// connection, unless that was recovered. The socket is always in the room of that
// name. With a Recovery the id that middleware sees is not the last one.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket belongs.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Handshake is how the connection began. With Config.ReleaseHandshake it loses
// Header, Query and Auth when the OnConnect listeners have returned.
func (s *Socket) Handshake() *Handshake {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handshake
}

// releaseHandshake lets go of what is big in it.
func (s *Socket) releaseHandshake() {
	h := &Handshake{Handshake: s.client.forgetOpening(), Auth: noAuth}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handshake = h
}

// Transport is the name of the transport in use: "polling" or "websocket".
func (s *Socket) Transport() string { return s.client.session.Transport() }

// parser spells the socket's packets.
func (s *Socket) parser() parser { return s.client.decoder.parser }

// SetOwner says to whom what the connection's messages occupy is counted, instead of
// to its address: see engineio.Config.MaxUnfinished. It may be called in middleware.
func (s *Socket) SetOwner(name string) { s.client.session.SetOwner(name) }

// Connected tells whether the client is there, as far as is known. It is false
// in middleware.
func (s *Socket) Connected() bool { return s.at() == phaseOpen }

func (s *Socket) at() phase { return phase(s.phase.Load()) }

// Queued is how many bytes wait to be sent on the socket's connection.
func (s *Socket) Queued() int { return s.client.session.Queued() }

// Data is what SetData stored, nil before.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData keeps a value of the application with the socket.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// On adds a handler for an event. Handlers of one event run in the order in which
// they were added. The context ends with the socket: at once when the server
// ends it, and otherwise when the last event that came before the end was
// handled, at the latest after Config.HandlerGrace.
//
// Listeners that are added in OnConnect miss nothing: events wait for it.
// [Namespace.On] does the same for all sockets at once and costs them nothing.
func (s *Socket) On(event string, fn func(context.Context, *Event)) {
	s.hook(func(h *hooks) {
		if h.events == nil {
			h.events = map[string][]func(context.Context, *Event){}
		}
		h.events[event] = with(h.events[event], fn)
	})
}

// OnAny adds a handler for every event, which runs before those of On.
func (s *Socket) OnAny(fn func(context.Context, *Event)) {
	s.hook(func(h *hooks) { h.any = with(h.any, fn) })
}

// OnAnyOutgoing adds a listener that hears of each event that is sent to this
// socket, on the goroutine that sends it. It must not block.
func (s *Socket) OnAnyOutgoing(fn func(event string, args []any)) {
	s.hook(func(h *hooks) { h.outgoing = with(h.outgoing, fn) })
}

// OnDisconnecting adds a listener that runs when the socket has ended and is
// still in its rooms.
func (s *Socket) OnDisconnecting(fn func(reason string)) {
	s.hook(func(h *hooks) { h.disconnecting = with(h.disconnecting, fn) })
}

// OnDisconnect adds a listener that runs when the socket has ended and has left
// its rooms. It runs exactly once for a socket that OnConnect was told of, after
// the events that came before the end.
func (s *Socket) OnDisconnect(fn func(reason string)) {
	s.hook(func(h *hooks) { h.disconnect = with(h.disconnect, fn) })
}

// OnDrain adds a listener that is told when there is room again after a refused
// TrySend. It may be called without need and must not block.
func (s *Socket) OnDrain(fn func()) {
	s.hook(func(h *hooks) { h.drain = with(h.drain, fn) })
}

func (s *Socket) hook(add func(*hooks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hooks == nil {
		s.hooks = &hooks{}
	}
	add(s.hooks)
}

// with appends to a copy.
func with[T any](list []T, v T) []T {
	return append(list[:len(list):len(list)], v)
}

// listeners returns a copy of the lists.
func (s *Socket) listeners() (h hooks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hooks != nil {
		h = *s.hooks
	}
	return h
}

// handlers are those of one event, the socket's after the namespace's.
func (s *Socket) handlers(event string) (any, named []func(context.Context, *Event)) {
	any, named = s.nsp.handlers(event)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hooks == nil {
		return any, named
	}
	return append(any[:len(any):len(any)], s.hooks.any...), append(named[:len(named):len(named)], s.hooks.events[event]...)
}

// Emit sends an event to this client. Arguments are as with [Encode]. It never
// waits for the network; a client for whom too much waits is closed as slow.
// Errors: those of Encode, and ErrDisconnected.
func (s *Socket) Emit(event string, args ...any) error {
	p, err := Encode(s.nsp.name, event, args...)
	if err != nil {
		return err
	}
	return s.Send(p)
}

// Send sends a packet as Emit does. It panics if the packet is of another
// namespace.
func (s *Socket) Send(p *Packet) error {
	checkNamespace(p, s.nsp)
	if !s.Connected() {
		return ErrDisconnected
	}
	s.transmit(p, sendAlways)
	return nil
}

// TrySend sends a packet unless the connection's queue is full
// (engineio.Config.QueueBytes) or the socket has ended. If it was full, OnDrain
// follows when it is worth trying again. It panics if the packet is of another
// namespace.
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

// A sendMode says for whom a packet is dropped.
type sendMode uint8

const (
	sendAlways   sendMode = iota // nobody
	sendIfRoom                   // a full queue, which asks again
	sendVolatile                 // a client that cannot take it now
)

// transmit queues p in the form that this socket gets, and reports whether it was
// taken.
func (s *Socket) transmit(p *Packet, mode sendMode) bool {
	if s.trail != nil {
		return s.trail.transmit(s, p, mode)
	}
	taken := s.enqueue(p.shared(s.parser()), mode)
	if taken {
		s.tellOutgoing(p)
	}
	return taken
}

// send queues a group that no listener hears of.
func (s *Socket) send(g *engineio.Group) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	s.client.session.Send(g)
	return nil
}

func (s *Socket) tellOutgoing(p *Packet) {
	s.mu.Lock()
	var list []func(string, []any)
	if s.hooks != nil {
		list = s.hooks.outgoing
	}
	s.mu.Unlock()
	for _, fn := range list {
		fn(p.name, p.args)
	}
}

// EmitAck sends an event and waits for the client's answer. Binary in it stands
// in base64, so that it decodes into a Binary or a []byte. Without a deadline in
// ctx it waits as long as the socket is connected. A handler must give one: when
// Config.MaxInbox more events wait, the connection is not read, and the answer
// cannot come.
//
// Errors: those of Emit, ErrTooManyAcks, and the context's.
func (s *Socket) EmitAck(ctx context.Context, event string, args ...any) ([]json.RawMessage, error) {
	return (&Emitter{socket: s}).EmitAck(ctx, event, args...)
}

// inlined are the arguments with attachments in base64.
func (p *inPacket) inlined() []json.RawMessage {
	for i := range p.args {
		p.args[i] = inline(p.args[i], p.attachments)
	}
	return p.args
}

// expect calls fn once with the answer to id, or with nil when the socket ends
// first. fn must not block.
func (s *Socket) expect(id int64, fn func(*inPacket)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.Connected():
		return ErrDisconnected
	case len(s.acks) >= s.nsp.server.cfg.MaxPendingAcks:
		return ErrTooManyAcks
	case s.acks == nil:
		s.acks = map[int64]func(*inPacket){}
	}
	s.acks[id] = fn
	return nil
}

// forget gives an answer up.
func (s *Socket) forget(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropAck(id)
}

// dropAck takes the callback of id out. s.mu is held.
func (s *Socket) dropAck(id int64) func(*inPacket) {
	fn := s.acks[id]
	delete(s.acks, id)
	if len(s.acks) == 0 {
		s.acks = nil
	}
	return fn
}

// answered handles an ACK. One that nobody waits for is ignored: it was late.
func (s *Socket) answered(p *inPacket) {
	s.mu.Lock()
	fn := s.dropAck(p.id)
	s.mu.Unlock()
	if fn != nil {
		fn(p)
	}
}

// Join puts the socket into rooms. A socket that has ended joins nothing. It
// returns ErrTooManyRooms, and joins none of them, if the socket would be in more
// than Config.MaxRooms; and, after it has joined, the error of Recovery.Remember.
func (s *Socket) Join(rooms ...string) error {
	if err := s.nsp.join(s, rooms); err != nil {
		return err
	}
	return s.remember()
}

// Leave takes the socket out of a room. The error is that of Recovery.Remember.
func (s *Socket) Leave(room string) error {
	s.nsp.leave(s, room)
	return s.remember()
}

// Rooms are the rooms the socket is in, its own id first.
func (s *Socket) Rooms() []string { return s.nsp.roomsOf(s) }

// Disconnect ends the socket for good: the client is told and does not come back
// by itself. With closing it ends all sockets of the connection that way and
// closes it. Events that were received and not yet handled are dropped, and
// contexts of handlers end.
func (s *Socket) Disconnect(closing bool) {
	if closing {
		s.client.disconnect()
		return
	}
	if s.client.unlink(s, reasonServerDisconnect, phaseEnded) {
		s.client.session.Send(s.parser().control(typeDisconnect, s.nsp.name, nil))
	}
}

// CloseTransport closes the whole connection without a goodbye, after what is
// queued was sent. The client reconnects by itself.
func (s *Socket) CloseTransport() { s.client.end(reasonForced) }

// end marks the socket as ended and has its listeners told, behind the events
// that came before. It is called once.
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
	for _, fn := range acks {
		fn(nil)
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

// opened tells OnConnect. Should a listener panic, the client is left without its
// handlers, so it must come again.
func (s *Socket) opened() {
	s.follow()
	for _, fn := range s.nsp.connectListeners() {
		if !s.guard("connect", func() { fn(s) }) {
			s.CloseTransport()
			return
		}
	}
	s.settle()
	if s.nsp.server.cfg.ReleaseHandshake {
		s.releaseHandshake()
	}
}

// dispatch handles one event.
func (s *Socket) dispatch(e *Event) {
	any, named := s.handlers(e.Name)
	for _, fn := range any {
		s.handle(fn, e)
	}
	for _, fn := range named {
		s.handle(fn, e)
	}
}

// handle runs one handler unless the server has ended the socket. A panic costs
// that event and nothing else.
func (s *Socket) handle(fn func(context.Context, *Event), e *Event) {
	if s.at() != phaseEnded {
		s.guard(e.Name, func() { fn(s.context(), e) })
	}
}

// finish tells the listeners that the socket has ended and takes it out of its
// rooms in between.
func (s *Socket) finish() {
	s.phase.Store(int32(phaseEnded)) // an event that was still on its way comes too late
	s.unfollow()
	h := s.listeners()
	for _, fn := range h.disconnecting {
		s.guard("disconnecting", func() { fn(s.reason) })
	}
	s.nsp.remove(s)
	for _, fn := range h.disconnect {
		s.guard("disconnect", func() { fn(s.reason) })
	}
	s.cancelContext()
}

// guard runs fn and reports whether it came back without a panic.
func (s *Socket) guard(event string, fn func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			s.nsp.server.log.Error("socket.io handler panicked", slog.String("namespace", s.nsp.name),
				slog.String("event", event), slog.Any("panic", r), slog.String("stack", string(debug.Stack())))
		}
	}()
	fn()
	return true
}

// drained tells OnDrain.
func (s *Socket) drained() {
	for _, fn := range s.listeners().drain {
		fn()
	}
}

// context is the socket's, made when it is first needed.
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

// cancelContext ends it.
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
