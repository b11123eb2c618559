package socketio

import (
	"context"
	"errors"
	"sync"
)

// ErrTooManyRooms is what Join gives beyond Config.MaxRooms.
var ErrTooManyRooms = errors.New("socketio: socket is in too many rooms")

// A Middleware decides whether a socket may join. nil lets it, after the other
// middleware; a [*ConnectError], also wrapped, refuses it for good;
// [ErrCloseTransport] closes the transport so that the client tries again, and so
// does any other error, which is logged as ours. The context ends when the client
// goes away or the socket has joined; Socket.Connected tells which. Middleware of
// different sockets runs concurrently.
type Middleware func(ctx context.Context, s *Socket) error

// A Namespace is a channel of its own on the clients' connections, with its own
// sockets and rooms (Socket.IO protocol, "Connection to a namespace").
//
// One that [Server.OfMatch] returned has no sockets itself: it is the pattern of
// the namespaces that clients ask for, which have its middleware and listeners,
// and what is broadcast in it reaches all of them.
type Namespace struct {
	name   string
	server *Server
	setup  *setup

	// Of a pattern: which names it takes, and the namespaces that exist now,
	// guarded by server.mu.
	match    func(name string, h *Handshake) bool
	children map[string]*Namespace

	// Of a child: its pattern, and how many connections are being made, guarded
	// by server.mu. It is forgotten when it is empty.
	parent *Namespace
	joins  int

	mu      sync.Mutex
	sockets map[string]*Socket
	list    []*Socket // all sockets; nil after a change, else never changed
	rooms   map[string]*room
}

// A setup is what an application gave a namespace. Lists are replaced, never
// changed.
type setup struct {
	mu       sync.RWMutex
	guards   []Middleware
	connects []func(*Socket)
	events   map[string][]func(context.Context, *Event)
	any      []func(context.Context, *Event)
}

func newNamespace(s *Server, name string) *Namespace {
	return &Namespace{
		name: name, server: s, setup: &setup{},
		sockets: map[string]*Socket{}, rooms: map[string]*room{},
	}
}

// Name is the namespace's name, which begins with a slash; "" for a pattern.
func (n *Namespace) Name() string { return n.name }

// Use adds middleware. Middleware runs in the order in which it was added, for
// each CONNECT, also for one that comes back.
func (n *Namespace) Use(fn func(ctx context.Context, s *Socket) error) {
	n.setup.mu.Lock()
	defer n.setup.mu.Unlock()
	n.setup.guards = with(n.setup.guards, fn)
}

// OnConnect adds a listener for sockets that have joined. It runs before any event
// of the socket is handled and may block no longer than these may wait. The
// socket is connected then, or was and is not any more.
func (n *Namespace) OnConnect(fn func(s *Socket)) {
	n.setup.mu.Lock()
	defer n.setup.mu.Unlock()
	n.setup.connects = with(n.setup.connects, fn)
}

// On adds a handler for an event of every socket of the namespace. It runs before
// those of Socket.On and costs no memory for each socket. See there for the
// context.
func (n *Namespace) On(event string, fn func(context.Context, *Event)) {
	n.setup.mu.Lock()
	defer n.setup.mu.Unlock()
	if n.setup.events == nil {
		n.setup.events = map[string][]func(context.Context, *Event){}
	}
	n.setup.events[event] = with(n.setup.events[event], fn)
}

// OnAny adds a handler for every event of every socket, which runs before those
// of On.
func (n *Namespace) OnAny(fn func(context.Context, *Event)) {
	n.setup.mu.Lock()
	defer n.setup.mu.Unlock()
	n.setup.any = with(n.setup.any, fn)
}

func (n *Namespace) middleware() []Middleware {
	n.setup.mu.RLock()
	defer n.setup.mu.RUnlock()
	return n.setup.guards
}

func (n *Namespace) connectListeners() []func(*Socket) {
	n.setup.mu.RLock()
	defer n.setup.mu.RUnlock()
	return n.setup.connects
}

func (n *Namespace) handlers(event string) (any, named []func(context.Context, *Event)) {
	n.setup.mu.RLock()
	defer n.setup.mu.RUnlock()
	return n.setup.any, n.setup.events[event]
}

// admitsAll tells whether nobody needs to be asked before a client joins.
func (n *Namespace) admitsAll() bool {
	return len(n.middleware()) == 0 && n.server.cfg.Recovery == nil
}

// Len is how many sockets are connected.
func (n *Namespace) Len() int {
	total := 0
	for _, sp := range n.spaces() {
		sp.mu.Lock()
		total += len(sp.sockets)
		sp.mu.Unlock()
	}
	return total
}

// Socket returns the connected socket of an id, nil if there is none.
func (n *Namespace) Socket(id string) *Socket {
	for _, sp := range n.spaces() {
		sp.mu.Lock()
		s := sp.sockets[id]
		sp.mu.Unlock()
		if s != nil {
			return s
		}
	}
	return nil
}

// spaces are the namespaces that have sockets: n itself, or its children.
func (n *Namespace) spaces() []*Namespace {
	if n.match == nil {
		return []*Namespace{n}
	}
	n.server.mu.RLock()
	defer n.server.mu.RUnlock()
	list := make([]*Namespace, 0, len(n.children))
	for _, child := range n.children {
		list = append(list, child)
	}
	return list
}

// add makes s one of the namespace's sockets when it has been announced to its
// client. A broadcast sees both or none of that: so it never comes before the answer
// to CONNECT, and never misses a client that has the answer. The newest connection
// owns an id: the one that had it is returned.
func (n *Namespace) add(s *Socket, announce func()) (older *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	announce()
	s.phase.Store(int32(phaseOpen))
	older = n.sockets[s.id]
	n.sockets[s.id] = s
	n.list = nil
	return older
}

// remove takes s out of the namespace and its rooms for good.
func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	s.removed = true
	for _, r := range s.rooms {
		n.drop(r, s)
	}
	s.rooms = nil
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
		n.list = nil
	}
	n.mu.Unlock()
	n.reap()
}

// release gives back what Server.find held.
func (n *Namespace) release() {
	if n.parent == nil {
		return
	}
	n.server.mu.Lock()
	n.joins--
	n.server.mu.Unlock()
	n.reap()
}

// reap forgets a child that nobody is in and nobody joins.
func (n *Namespace) reap() {
	if n.parent == nil {
		return
	}
	n.server.mu.Lock()
	defer n.server.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.joins == 0 && len(n.sockets) == 0 && n.parent.children[n.name] == n {
		delete(n.parent.children, n.name)
	}
}
