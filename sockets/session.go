package sockets

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A session is one socket of a signed-in user.
type session struct {
	hub     *Hub
	token   models.Credential // checked again whenever it changes something
	socket  *socketio.Socket
	userID  string
	key     string    // names the token among sign-outs
	tokenID string    // names the token in changes; "" for the original's tokens
	expires time.Time // when the token does
	issued  time.Time // when the token was
	browser string    // names the browser by its cookie (auth.Browser); "" if it has none
	hello   wire.Hello
	device  string // deviceOf
	name    string // the user's
	asOf    int64  // the newest change when the token was looked at
	pid     string // the private session id; guarded by members.mu

	// position is where the socket begins in the user's log, which holds what
	// follows logStart: its newest change when the token was looked at, or where
	// the device's last connection broke off (Trail.Admit).
	position, logStart int64

	// heard is from which part on the change after position is still to be told:
	// 0 for all of it. Whoever serves the subscription has it for himself.
	heard int

	meter meter             // of what the client says; the inbox runs one event at a time
	typed time.Time         // when that was last told; the inbox's too
	rooms map[string]*guest // by expense; guarded by rooms.mu
	gone  bool              // it enters no room any more; guarded by rooms.mu

	out   atomic.Bool           // its token was signed out
	owed  atomic.Bool           // a state that there was no room for
	board atomic.Pointer[board] // the dashboard it subscribed to; changed under the watcher's lock

	mu     sync.Mutex
	log    *changes.Subscription // nil before start
	expiry *time.Timer           // nil before start
	watch  *watcher              // nil before welcome and after end
	found  *standing             // how the user stood when the token was looked at; nil after welcome
	here   bool                  // counted among the devices that are there
	ended  bool
}

func newSession(h *Hub, socket *socketio.Socket, id auth.Identity) *session {
	found := standingOf(&id.User)
	s := &session{
		hub: h, token: id.Credential, socket: socket, userID: id.User.ID, position: id.User.Seq, logStart: id.User.LogStart,
		key: id.Claims.Key, tokenID: id.Claims.TokenID, expires: id.Claims.ExpiresAt, issued: id.Claims.IssuedAt,
		browser: auth.Browser(socket.Handshake().Header), hello: wire.ParseHello(socket.Handshake().Auth), found: &found,
		name: id.User.Name, asOf: id.User.Seq,
	}
	s.device = deviceOf(s.hello.DeviceID, id.Claims)
	return s
}

// sessionOf is the session of a socket that was admitted.
func sessionOf(socket *socketio.Socket) *session { return socket.Data().(*session) }

// await gives the session to its socket, and ends it if the socket does not
// come into being: joining is the middleware's context, and ends either way.
func (s *session) await(joining context.Context) {
	s.socket.SetData(s)
	context.AfterFunc(joining, func() {
		if !s.socket.Connected() {
			s.end()
		}
	})
}

// welcome starts the session of a socket that has joined. The answer to CONNECT
// is on its way already, so the changes come behind it.
func (h *Hub) welcome(socket *socketio.Socket) {
	s := sessionOf(socket)
	if err := socket.Join(room(s.userID)); err != nil {
		h.log.Error("socket cannot join its user's room", slog.String("user_id", s.userID), slog.Any("error", err))
		socket.CloseTransport()
		return
	}
	socket.OnDisconnect(func(string) { s.end() })
	s.start()
	s.greet()
	if socket.Recovered() {
		s.comeBack(s.hub.errands.ctx)
	}
}

// greet tells the socket how things stand, recovered or not: states are in no log.
func (s *session) greet() {
	s.mu.Lock()
	if s.ended || s.found == nil {
		s.mu.Unlock()
		return
	}
	found := *s.found
	s.found, s.watch = nil, s.hub.watch(s, found)
	w := s.watch
	s.mu.Unlock()
	s.hub.statement.greet(s)
	w.greet(s, found)
	s.appear()
}

// appear counts the session among the user's devices, unless it has ended.
func (s *session) appear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.here = true
		s.hub.presence.arrive(s)
	}
}

// watcher is the user's; nil if the session has ended.
func (s *session) watcher() *watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}

// start follows the user's log, unless it does so already. A change that was
// stored since the token was looked at is one that the client cannot have seen.
func (s *session) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.log != nil {
		return
	}
	s.socket.OnDrain(s.resume)
	s.log = s.hub.opts.Feed.Subscribe(s.userID, s.position, s.deliver, s.lost)
	s.expiry = time.AfterFunc(time.Until(s.expires), s.expire)
}

// lost ends the connection of a socket that fell so far behind that the log was
// pruned before it, or whose user is gone. Its client comes back by itself, and is
// told that it begins anew, or that its token is of nobody.
func (s *session) lost() { s.socket.CloseTransport() }

// resume goes on with the log: there is room again. The subscription remembers a
// resume that overtakes the refusal it answers.
func (s *session) resume() {
	s.mu.Lock()
	if s.log != nil {
		s.log.Resume()
	}
	w := s.watch
	s.mu.Unlock()
	if w != nil && s.owed.Swap(false) {
		s.hub.statement.greet(s)
		w.remind(s)
		s.hub.presence.remind(s)
	}
}

// expiredEvent tells a page why its socket is closed (docs/contract.md#d33).
const expiredEvent = "auth_expired"

// expire ends the socket of a token whose time is over. The client is told both
// why and that it need not come back with the same token.
func (s *session) expire() {
	why := struct {
		Error string `json:"error"`
		refusalData
	}{authenticationError, refusalData{auth.CodeTokenExpired}}
	if err := s.socket.Emit(expiredEvent, why); err != nil {
		return // it has gone by itself
	}
	s.socket.Disconnect(true)
}

// end lets go of everything. Once is enough, more do no harm.
func (s *session) end() {
	s.mu.Lock()
	s.ended = true
	if s.log != nil {
		s.log.Close()
	}
	if s.expiry != nil {
		s.expiry.Stop()
	}
	w, here := s.watch, s.here
	s.watch, s.here = nil, false
	s.mu.Unlock()
	s.hub.rooms.end(s)
	if here {
		s.hub.presence.depart(s)
	}
	if w != nil {
		w.release(s)
	}
	s.hub.members.remove(s)
}
