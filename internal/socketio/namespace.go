package socketio

import (
	"context"
	"errors"
	"sync"
)

// ErrTooManyRooms is returned by Join beyond Config.MaxRooms.
var ErrTooManyRooms = errors.New("socketio: socket is in too many rooms")

// Middleware decides whether a socket may join a namespace. nil accepts it, after the
// other middleware; a [*ConnectError], also wrapped, refuses it for good;
// [ErrCloseTransport] closes the transport so that the client tries again, and so does
// any other error, which is logged as a server error.
//
// The context ends when the client goes away or the socket has joined; Socket.Connected
// tells which. Middleware of different sockets runs concurrently.
type Middleware func(ctx context.Context, s *Socket) error

// A Namespace is a communication channel with its own sockets and rooms, multiplexed
// over the clients' connections (Socket.IO protocol, "Connection to a namespace").
//
// Its methods are safe for concurrent use. Handlers that are added later apply to what
// happens later, so add them before the server is reachable.
type Namespace struct {
	name     string
	server   *Server
	handlers handlers
	counts   counts

	mu      sync.Mutex
	sockets map[string]*Socket
	list    []*Socket // all sockets; nil after a change, else immutable
	rooms   map[string]*room
}

// handlers are what an application gave a namespace. A list is replaced, never changed,
// so it may be read without the lock once it was fetched.
type handlers struct {
	mu         sync.RWMutex
	middleware []Middleware
	connect    []func(*Socket)
	disconnect []func(s *Socket, reason string)
	drain      []func(*Socket)
	events     map[string][]EventHandler
	any        []EventHandler
}

// An EventHandler handles one event of a client. See [Socket.On] for its context.
type EventHandler = func(ctx context.Context, e *Event)

func newNamespace(s *Server, name string) *Namespace {
	n := &Namespace{name: name, server: s, sockets: map[string]*Socket{}, rooms: map[string]*room{}}
	n.CountEvents(nil, nil)
	return n
}

// Name returns the namespace's name, which begins with a slash.
func (n *Namespace) Name() string { return n.name }

// Use adds middleware. Middleware runs in the order in which it was added, for each
// CONNECT, including that of a client that comes back.
func (n *Namespace) Use(fn Middleware) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	n.handlers.middleware = appendCopy(n.handlers.middleware, fn)
}

// OnConnect adds a listener for sockets that have joined. It runs before any event of
// the socket is handled, and these wait until it returns. The socket may have
// disconnected meanwhile.
func (n *Namespace) OnConnect(fn func(s *Socket)) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	n.handlers.connect = appendCopy(n.handlers.connect, fn)
}

// OnDisconnect adds a listener for all sockets of the namespace, which runs before those of
// [Socket.OnDisconnect] and costs no memory for each socket.
func (n *Namespace) OnDisconnect(fn func(s *Socket, reason string)) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	n.handlers.disconnect = appendCopy(n.handlers.disconnect, fn)
}

// OnDrain adds a listener for all sockets of the namespace, as OnDisconnect does. It may run
// before OnConnect. See [Socket.OnDrain].
func (n *Namespace) OnDrain(fn func(s *Socket)) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	n.handlers.drain = appendCopy(n.handlers.drain, fn)
}

// On adds a handler for an event of every socket of the namespace. It runs before those
// of Socket.On, which explains the context, and costs no memory for each socket.
func (n *Namespace) On(event string, fn EventHandler) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	if n.handlers.events == nil {
		n.handlers.events = map[string][]EventHandler{}
	}
	n.handlers.events[event] = appendCopy(n.handlers.events[event], fn)
}

// OnAny adds a handler for every event of every socket, which runs before those of On.
func (n *Namespace) OnAny(fn EventHandler) {
	n.handlers.mu.Lock()
	defer n.handlers.mu.Unlock()
	n.handlers.any = appendCopy(n.handlers.any, fn)
}

// appendCopy appends to a copy of list.
func appendCopy[T any](list []T, v T) []T {
	return append(list[:len(list):len(list)], v)
}

func (n *Namespace) middleware() []Middleware {
	n.handlers.mu.RLock()
	defer n.handlers.mu.RUnlock()
	return n.handlers.middleware
}

func (n *Namespace) connectListeners() []func(*Socket) {
	n.handlers.mu.RLock()
	defer n.handlers.mu.RUnlock()
	return n.handlers.connect
}

func (n *Namespace) disconnectListeners() []func(*Socket, string) {
	n.handlers.mu.RLock()
	defer n.handlers.mu.RUnlock()
	return n.handlers.disconnect
}

func (n *Namespace) drainListeners() []func(*Socket) {
	n.handlers.mu.RLock()
	defer n.handlers.mu.RUnlock()
	return n.handlers.drain
}

func (n *Namespace) eventHandlers(event string) (any, named []EventHandler) {
	n.handlers.mu.RLock()
	defer n.handlers.mu.RUnlock()
	return n.handlers.any, n.handlers.events[event]
}

// admitsAll reports whether every client may join without being checked.
func (n *Namespace) admitsAll() bool {
	return len(n.middleware()) == 0 && n.server.cfg.Recovery == nil
}

// add makes s one of the namespace's sockets once announce has told its client. A
// broadcast sees both or neither of these: so it never comes before the answer to
// CONNECT, and never misses a client that has the answer. The newest connection owns an
// id: the socket that had it is returned.
func (n *Namespace) add(s *Socket, announce func()) (replaced *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	announce()
	s.phase.Store(int32(phaseOpen))
	replaced = n.sockets[s.id]
	n.sockets[s.id] = s
	n.list = nil
	return replaced
}

// remove takes s out of the namespace and its rooms for good.
func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.removed = true
	for _, r := range s.rooms {
		n.leaveLocked(r, s)
	}
	s.rooms = nil
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
		n.list = nil
		n.observeLeftLocked(s, s.id)
	}
}
